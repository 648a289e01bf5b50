"""What a store knows of its deliveries as a node, and what another store knows of those that it has collected."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from facemon.domain.row_ranges import Ranges
from facemon.store.totals import TotalKey

NODES_FROM = 8
"""The first store version that knows of nodes."""
RowRanges = Mapping[str, Ranges]
"""Images by their runs and ordinals; a run's name is the same in each store."""


@dataclass(frozen=True, slots=True)
class PendingDelivery:
    """What the next delivery holds; it is entered before anything is written, and does not change until it is there."""

    model: str
    rows: RowRanges
    latencies: Mapping[TotalKey, float]
    """What inference took since the delivery before; in no row."""


@dataclass(frozen=True, slots=True)
class NodeState:
    """How far a store has come with its deliveries."""

    node: str
    epoch: str
    """Random; another one where this ledger is a copy, so that the numbers of two stores never meet."""
    location: str
    ledger_file: int
    """The inode of the ledger that made the epoch: a copy has another one."""
    number: int = 0
    """Of the last delivery that is there."""
    latencies: Mapping[TotalKey, float] | None = None
    """The totals of latencies that were delivered."""
    pending: PendingDelivery | None = None
    until: int | None = None
    """All rows that were observed before are delivered, in microseconds; None where that was never so."""


class NodeIdentity(NamedTuple):
    """A delivery of a node that a store has collected."""

    node: str
    epoch: str
    number: int
    digest: str
    etag: str | None
    """Of its commit, which need not be read again while it has the same."""
    newest: int
    """When its newest row was observed, in microseconds."""
    written: int
    """When the storage wrote it, by the storage's clock, in microseconds."""

    @property
    def place(self) -> tuple[str, str, int]:
        """What it is known by, for good."""
        return self.node, self.epoch, self.number


class CollectedFrom(NamedTuple):
    """How much a store has collected of a node, in all of its epochs; times are microseconds."""

    node: str
    epochs: int
    deliveries: int
    missing: int
    """Numbers that are lacking before the newest one of their epoch."""
    newest: int
    """When the newest row was observed."""
    written: int
    """When the storage wrote the last delivery, by the storage's clock."""


class NodeDelivery(NamedTuple):
    """A delivery of a node with the images that it adds."""

    identity: NodeIdentity
    rows: RowRanges
