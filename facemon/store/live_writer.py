"""A server's predictions into the log: in the background, soon, and in spite of a store that fails for a while."""

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Self

import pyarrow as pa

from facemon.errors import FacemonError
from facemon.store.ledger import Ledger
from facemon.store.runs import Run, RunIdentity, begin_run, finish_run
from facemon.store.segment_writer import SegmentWriter
from facemon.values.prediction import PredictedBatch

FLUSH_SECONDS = 0.5
"""Between two writes, so that a prediction is on the disk before it is a second old."""
MOST_ROWS = 200_000
"""Rows that are kept in memory while the store fails, at about 0.5 kB each; later ones are lost, and counted."""
_STORE_TROUBLE = (FacemonError, sqlite3.Error, OSError, pa.ArrowException)


class LiveWriter:
    """Takes predictions from any thread and writes them to one run; `close` writes what is left.

    The ledger is opened anew for each write: one whose store was moved away would go on writing into the void,
    and a store that returns is seen.
    """

    def __init__(
        self, open_ledger: Callable[[], Ledger], identity: RunIdentity, tell: Callable[[str], None], now: datetime
    ) -> None:
        """Begin the run; FacemonError when the store cannot be written. `tell` hears when it fails later on."""
        self._open_ledger = open_ledger
        self._identity = identity
        self._tell = tell
        with open_ledger() as ledger:
            self._run = begin_run(ledger, identity, now)
        self._trouble: str | None = None
        self._arriving = threading.Lock()
        self._arrived: list[PredictedBatch] = []
        self._rows = self._lost = 0
        self._waiting: deque[PredictedBatch] = deque()
        """Only the writing thread's: what could not be written yet, each as one transaction will take it."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._write_until_stopped, name="log", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def trouble(self) -> str | None:
        """Why predictions are not getting into the log at the moment; none when they are."""
        return self._trouble or (None if self._thread.is_alive() else "nothing is written to the log any more")

    def add(self, batch: PredictedBatch) -> None:
        """Take a batch in; its run and ordinals are replaced by those of this run."""
        with self._arriving:
            if self._rows + batch.rows.num_rows > MOST_ROWS:
                self._lost += len(batch.ordinals)
                return
            self._arrived.append(batch)
            self._rows += batch.rows.num_rows

    def close(self) -> None:
        """Write what is left and finish the run; FacemonError when predictions are lost."""
        self._stopping.set()
        self._thread.join()
        lost = self._lost + sum(len(batch.ordinals) for batch in (*self._waiting, *self._arrived))
        try:
            with self._open_ledger() as ledger:
                finish_run(ledger, self._run, datetime.now(UTC))
            self._run.lock.release()
        except _STORE_TROUBLE as error:
            # The run stays unfinished in the log, as after a kill; its lock goes with the process.
            self._trouble = self._trouble or _reason(error)
        if lost:
            raise FacemonError(f"{lost} predictions were answered but not logged: {self._trouble or 'too many waited'}")

    def _write_until_stopped(self) -> None:
        while not self._stopping.wait(FLUSH_SECONDS):
            self._write_arrived()
        self._write_arrived()

    def _write_arrived(self) -> None:
        with self._arriving:
            arrived, self._arrived = self._arrived, []
        if arrived:
            self._waiting.append(_merged(arrived))
        if not self._waiting:
            return
        try:
            with self._open_ledger() as ledger:
                self._write_waiting(ledger)
        except _STORE_TROUBLE as error:
            if self._trouble is None:
                self._tell(f"{_reason(error)}; predictions are answered, and wait in memory until it can be written")
            self._trouble = _reason(error)
            return
        if self._trouble is not None:
            lost = f", {self._lost} more are lost, there was no room for them" if self._lost else ""
            self._tell(f"the store can be written again: what waited is logged{lost}")
            self._trouble = None

    def _write_waiting(self, ledger: Ledger) -> None:
        self._catch_up(ledger)
        writer, done = SegmentWriter(ledger, self._run), self._run.done
        for batch in self._waiting:
            writer.add(_numbered(batch, self._run.id, done))
            done += len(batch.ordinals)
        writer.close()
        self._catch_up(ledger)

    def _catch_up(self, ledger: Ledger) -> None:
        """Let go of what the ledger says is written: it may have been, although the write ended in an error."""
        with ledger.reading() as connection:
            query = "SELECT done, digest FROM runs WHERE id = ?"
            found = connection.execute(query, (self._run.id,)).fetchone()
        if found is None:
            # Another store stands where ours stood; what waits is written to a run of its own there.
            self._run.lock.release()
            self._run = begin_run(ledger, self._identity, datetime.now(UTC))
            return
        done, digest = found
        written = 0
        while self._waiting and self._run.done + written < done:
            batch = self._waiting.popleft()
            written += len(batch.ordinals)
            with self._arriving:
                self._rows -= batch.rows.num_rows
        self._run = _advanced(self._run, done, digest)


def _advanced(run: Run, done: int, digest: str) -> Run:
    return replace(run, done=done, digest=digest)


def _merged(batches: Sequence[PredictedBatch]) -> PredictedBatch:
    """All of them as one, which takes a twentieth of the memory; its ordinals count its own inputs from 0."""
    rows, first = [], 0
    for batch in batches:
        rows.append(_numbered(batch, "", first).rows)
        first += len(batch.ordinals)
    latencies = tuple(seconds for batch in batches for seconds in batch.latencies)
    return PredictedBatch(pa.concat_batches(rows), range(first), latencies)


def _numbered(batch: PredictedBatch, run: str, first: int) -> PredictedBatch:
    """The batch as inputs `first` and on of a run."""
    places = {ordinal: first + place for place, ordinal in enumerate(batch.ordinals)}
    ordinals = pa.array([places[ordinal] for ordinal in batch.rows["ordinal"].to_pylist()], pa.int64())
    columns = dict(zip(batch.rows.schema.names, batch.rows.columns, strict=True))
    columns |= {"run": pa.repeat(pa.scalar(run), len(ordinals)), "ordinal": ordinals}
    rows = pa.RecordBatch.from_pydict(columns, schema=batch.rows.schema)
    return PredictedBatch(rows, range(first, first + len(batch.ordinals)), batch.latencies)


def _reason(error: Exception) -> str:
    return error.message if isinstance(error, FacemonError) else f"the store failed: {error}"
