"""Runs of predict: which inputs they were given, how far they came, and which one can be resumed."""

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

from facemon.domain.times import micros
from facemon.errors import FacemonError, LockedError
from facemon.store.ledger.protocol import Ledger
from facemon.store.process_lock import ProcessLock, holder_of, writer_lock_path
from facemon.store.recovery import recover
from facemon.store.run_state import RunIdentity, RunState

UNKNOWN_INPUTS = "recovered"
"""In place of the digest of a run whose rows were found in files when a ledger was recovered."""


class InputDigest:
    """A running digest of the names of inputs, in order; proves that a resumed run sees the same ones."""

    def __init__(self, start: str = "") -> None:
        self.value = start

    def add(self, name: str) -> None:
        """Take in the next input's name."""
        self.value = hashlib.sha256(f"{self.value}\n{name}".encode("utf-8", "surrogateescape")).hexdigest()


@dataclass(frozen=True, slots=True)
class Run:
    """A run that this process writes to; others cannot while its lock is held."""

    id: str
    done: int
    """Inputs, from the first on, whose rows are in the log."""
    digest: str
    lock: ProcessLock
    is_finished: bool = False
    """Whether it came to its end: what failed in it is retried; another one is resumed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.lock.release()


def new_run_id(now: datetime) -> str:
    """Return a name that no other run has, of whatever machine."""
    # 64 bits: cron starts hundreds of machines in the same second, and a centre knows rows by their runs.
    return f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(8)}"


def begin_run(ledger: Ledger, identity: RunIdentity, now: datetime) -> Run:
    """Enter a new run in the ledger."""
    recover(ledger)
    run = new_run_id(now)
    lock = ProcessLock.waiting(writer_lock_path(ledger.folder, run))
    with _released_on_failure(lock), ledger.writing():
        ledger.runs.begin(run, identity, micros(now))
    return Run(run, 0, "", lock)


def resume_run(ledger: Ledger, identity: RunIdentity) -> Run | None:
    """Continue the newest unfinished run with the same identity; None when there is none.

    LockedError (exit 75) when that run is still going on in another process.
    """
    recover(ledger)
    found = ledger.runs.newest(identity, unfinished=True)
    return None if found is None else taken_up(ledger, found)


def taken_up(ledger: Ledger, run: str) -> Run:
    """Take the lock of a run that is known; LockedError when it is still going on in another process."""
    path = writer_lock_path(ledger.folder, run)
    try:
        lock = ProcessLock.waiting(path)
    except LockedError as error:
        raise LockedError(
            f"run {run} is still going on (process {holder_of(path)})", "run again when it has ended"
        ) from error
    with _released_on_failure(lock):
        state = state_of(ledger, run)
    return Run(run, state.done, state.digest, lock, state.finished is not None)


@contextmanager
def _released_on_failure(lock: ProcessLock) -> Iterator[None]:
    """Release a lock that a failure would leave with this process, which may live on."""
    try:
        yield
    except BaseException:
        lock.release()
        raise


def state_of(ledger: Ledger, run: str) -> RunState:
    """How far a run has come; FacemonError when the ledger does not know it."""
    if (state := ledger.runs.state(run)) is None:
        raise FacemonError(f"the store in {ledger.folder} has no run {run}", "facemon store verify")
    return state


def inputs_logged(ledger: Ledger, run: Run) -> int:
    """How many inputs of a run have their rows in the log by now."""
    return state_of(ledger, run.id).done


def check_same_inputs(run: Run, names: Iterable[str]) -> None:
    """FacemonError unless the inputs that the run has behind it are those that it sees now."""
    digest = InputDigest()
    for name in names:
        digest.add(name)
    if digest.value != run.digest:
        raise FacemonError(
            f"the first {run.done} inputs are no longer those that run {run.id} predicted",
            f"files were added, removed or renamed since. {_instead_of(run)}",
        )


def _instead_of(run: Run) -> str:
    if not run.is_finished:
        return "Run without --resume to predict all of them again"
    # All paths once more would be a second row of each image that did not fail.
    return (
        "Put the files back as they were, or predict by name, in a run without --retry-failed, the images that failed "
        "(facemon log --failed) and those that are new"
    )


def finish_run(ledger: Ledger, run: Run, now: datetime) -> None:
    """Enter in the ledger that a run came to its end."""
    with ledger.writing():
        ledger.runs.finish(run.id, micros(now))
