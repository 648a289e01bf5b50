"""What the rest of facemon asks of a ledger, whatever keeps it."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from facemon.store.ledger.delivery_entries import DeliveryRecords, NodeRecords
    from facemon.store.ledger.entries import (
        ArrivalRecords,
        CheckRecords,
        CommandRecords,
        EvaluationRecords,
        FileRecords,
        ProfileRecords,
        ReferenceRecords,
        RequestRecords,
        RunRecords,
        SegmentRecords,
        StampRecords,
        TotalRecords,
    )
    from facemon.store.store_clock import StoreClock


@dataclass(frozen=True, slots=True)
class LedgerCopy:
    """One committed state of a ledger, in a file of its own."""

    paths: tuple[str, ...]
    """The files that it names, of segments and references, below the store's folder."""
    rows: int


@dataclass(frozen=True, slots=True)
class LedgerSize:
    """How much a ledger holds; times are microseconds since 1970, None of an empty log."""

    rows: int
    files: int
    inline: int
    first_observed: int | None
    last_observed: int | None
    models: dict[str, int]
    """The rows of each model."""
    unfinished_runs: int
    references: int
    checks: int
    """Drift results."""


class Ledger(Protocol):
    """An open ledger; one thread, one process. Others may have the same ledger open.

    FacemonError when it cannot be read or written, DamagedLedgerError when it is damaged: at the end of a transaction,
    or of the `with` block of the ledger itself.
    """

    @property
    def folder(self) -> Path:
        """The store's folder."""

    @property
    def version(self) -> int:
        """The version of the store's format; an older one where the ledger was opened without an upgrade."""

    @property
    def clock(self) -> "StoreClock":
        """The clock of this machine, judged by what the store has seen."""

    def now(self) -> datetime:
        """Return the time by which rows and stamps are written, windows end and retention counts."""

    def writing(self) -> AbstractContextManager[None]:
        """One transaction that writes: all of the block is kept, or nothing. It waits for that of another process."""

    def reading(self) -> AbstractContextManager[None]:
        """One transaction that reads: the block sees one state of the ledger. It may be in another transaction."""

    def refuse_foreign_root(self) -> None:
        """FacemonError when this is root, the store is another user's, and root was not allowed to write to it.

        `writing` calls it; call it first where a file is made or long work is done before that.
        """

    def size(self) -> LedgerSize:
        """Return how much the ledger holds; reads no rows."""

    def faults(self, most: int) -> list[str]:
        """Return what is wrong with the ledger's own structure, at most `most` faults; empty for one that is whole."""

    def named_files(self) -> dict[str, str | None]:
        """Return the files that a ledger of any version names, below the store's folder, with the SHA-256 of segments.

        It is None for the files of references.
        """

    def copy_to(self, target: Path) -> LedgerCopy:
        """Write one committed state to a file, on the disk before this returns; others may write meanwhile.

        LedgerCopyError when that fails.
        """

    def close(self) -> None:
        """Let go of the ledger."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @property
    def segments(self) -> "SegmentRecords":
        """The segments of the log."""

    @property
    def files(self) -> "FileRecords":
        """Files that are not yet, or no longer, part of the log."""

    @property
    def totals(self) -> "TotalRecords":
        """The totals, and what rows that are gone had added to them."""

    @property
    def profiles(self) -> "ProfileRecords":
        """The profiles of hours."""

    @property
    def arrivals(self) -> "ArrivalRecords":
        """Rows by hour, and which of them a check of record knows."""

    @property
    def runs(self) -> "RunRecords":
        """Runs of predict and of APIs."""

    @property
    def requests(self) -> "RequestRecords":
        """What APIs have counted of their requests."""

    @property
    def references(self) -> "ReferenceRecords":
        """References."""

    @property
    def checks(self) -> "CheckRecords":
        """Drift results."""

    @property
    def evaluations(self) -> "EvaluationRecords":
        """Evaluations against true labels."""

    @property
    def commands(self) -> "CommandRecords":
        """The last run of each command."""

    @property
    def deliveries(self) -> "DeliveryRecords":
        """Shards that were collected from a shared log."""

    @property
    def nodes(self) -> "NodeRecords":
        """Deliveries of nodes: this store's own, and those that it has collected."""

    @property
    def stamps(self) -> "StampRecords":
        """The times at which a clock stamped something."""
