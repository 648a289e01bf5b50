"""A server's predictions and counts into the log, in spite of a store that fails."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from facemon.domain.prediction import PredictedBatch
from facemon.errors import FacemonError
from facemon.store.ledger.protocol import Ledger
from facemon.store.run_state import RunIdentity
from facemon.store.runs import Run, begin_run, finish_run
from facemon.store.segment_writer import SegmentWriter
from facemon.store.totals import TotalKey, Totals, sum_totals

MOST_ROWS = 200_000
"""Rows that are kept in memory while the store fails, at about 0.5 kB each; later ones are lost, and counted."""
_ROWS_AT_ONCE = 8_192
"""What waits is written in transactions of about so many rows."""
_CLOCK_SECONDS = 60.0
"""How often the clock is judged, and kept for the commands that follow."""
LOST_HINT = "send these images again once the store can be written: facemon store verify tells what is wrong with it"
_STORE_TROUBLE = (FacemonError, OSError, pa.ArrowException)


@dataclass(slots=True)
class _Flush:
    """What one transaction will write: predictions, and what the requests counted meanwhile."""

    batches: list[PredictedBatch] = field(default_factory=list)
    counts: Totals = field(default_factory=dict)

    @property
    def images(self) -> int:
        return sum(len(batch.ordinals) for batch in self.batches)

    @property
    def rows(self) -> int:
        return sum(batch.rows.num_rows for batch in self.batches)


class LiveWriter:
    """Writes predictions to one run, or keeps them until the store can be written; `close` writes what is left.

    The ledger is opened again for each write: one whose store was moved away would go on writing into the void,
    and a store that returns is seen.
    """

    def __init__(
        self,
        open_ledger: Callable[[], Ledger],
        identity: RunIdentity,
        tell: Callable[[str], None],
        *,
        instance: str = "",
    ) -> None:
        """Begin the run; FacemonError when the store cannot be written. `tell` hears when it fails later on.

        Requests are counted in the totals of `instance`.
        """
        self._open_ledger = open_ledger
        self._identity = identity
        self._tell = tell
        self._instance = instance
        with open_ledger() as ledger:
            self._run = begin_run(ledger, identity, ledger.now())
        self._flushes = 0
        """Transactions of the run that are known to be in the ledger."""
        self.trouble: str | None = None
        """Why predictions are not getting into the log at the moment; none when they are."""
        self.is_full = False
        """Whether further predictions find the memory full until the store can be written."""
        self._rows = self._lost = 0
        self._clock_judged = time.monotonic()
        self._clock_is_wrong = False
        self._waiting: deque[_Flush] = deque()
        """The first may have been tried, and stays as it is."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, batches: Sequence[PredictedBatch], counts: Mapping[TotalKey, float]) -> None:
        """Write predictions and what was counted of requests meanwhile, or keep both for the next time.

        The run and the ordinals of a batch are replaced by those of this run. Both reach the ledger once, together.
        """
        self._enqueue(self._kept(batches), counts)
        if not self._waiting:
            return
        try:
            with self._open_ledger() as ledger:
                self._write_waiting(ledger)
                self._watch_clock(ledger)
        except _STORE_TROUBLE as error:
            if self.trouble is None:
                self._tell(f"{_reason(error)}; predictions are answered, and wait in memory until it can be written")
            self.trouble = _reason(error)
            return
        if self.trouble is not None:
            lost = f", {self._lost} more are lost, there was no room for them" if self._lost else ""
            self._tell(f"the store can be written again: what waited is logged{lost}")
            self.trouble = None
        self.is_full = False

    def close(self) -> None:
        """Write what is left and finish the run; FacemonError when predictions are lost."""
        self.write((), {})
        lost = self._lost + sum(flush.images for flush in self._waiting)
        try:
            with self._open_ledger() as ledger:
                finish_run(ledger, self._run, ledger.now())
            self._run.lock.release()
        except _STORE_TROUBLE as error:
            # The run stays unfinished in the log, as after a kill; its lock goes with the process.
            self.trouble = self.trouble or _reason(error)
        if lost:
            raise FacemonError(
                f"{lost} predictions were answered but not logged: {self.trouble or 'too many waited'}", LOST_HINT
            )

    def _watch_clock(self, ledger: Ledger) -> None:
        """Tell once that the clock has become wrong, or right again."""
        if time.monotonic() - self._clock_judged < _CLOCK_SECONDS:
            return
        self._clock_judged = time.monotonic()
        if (warning := ledger.clock.warning()) and not self._clock_is_wrong:
            self._tell(warning)
        elif self._clock_is_wrong and not warning:
            self._tell("the clock is right again")
        self._clock_is_wrong = warning is not None
        ledger.clock.keep()

    def _kept(self, batches: Sequence[PredictedBatch]) -> list[PredictedBatch]:
        """Those that there is room for."""
        kept = []
        for batch in batches:
            if self._rows + batch.rows.num_rows > MOST_ROWS:
                self._lost += len(batch.ordinals)
                self.is_full = True
            else:
                self._rows += batch.rows.num_rows
                kept.append(batch)
        self.is_full = self.is_full or self._rows == MOST_ROWS
        return kept

    def _enqueue(self, arrived: Sequence[PredictedBatch], counts: Mapping[TotalKey, float]) -> None:
        if not arrived and not counts:
            return
        # Into the last that was not tried yet, so that counts take no more room the longer the store is away.
        if len(self._waiting) < 2 or self._waiting[-1].rows >= _ROWS_AT_ONCE:
            self._waiting.append(_Flush())
        last = self._waiting[-1]
        last.counts = sum_totals(last.counts, counts)
        if arrived:
            last.batches.append(_merged(arrived))

    def _write_waiting(self, ledger: Ledger) -> None:
        self._catch_up(ledger)
        run = self._run
        for number, flush in enumerate(self._waiting, self._flushes):
            run = self._write(ledger, run, flush, number)
        self._catch_up(ledger)

    def _write(self, ledger: Ledger, run: Run, flush: _Flush, number: int) -> Run:
        """Write one transaction, and answer the run as it is after it."""
        writer, done = SegmentWriter(ledger, run), run.done
        for batch in flush.batches:
            writer.take(_numbered(batch, run.id, done))
            done += len(batch.ordinals)

        def count() -> None:
            ledger.runs.count_flushes(run.id, number + 1)
            ledger.requests.add(self._instance, flush.counts)

        writer.flush(also=count)
        return replace(run, done=done, digest=writer.digest)

    def _catch_up(self, ledger: Ledger) -> None:
        """Let go of what the ledger says is written: it may have been, although the write ended in an error."""
        with ledger.reading():
            found = ledger.runs.state(self._run.id)
        if found is None:
            # Another store stands where ours stood; what waits is written to a run of its own there.
            self._run.lock.release()
            self._run, self._flushes = begin_run(ledger, self._identity, ledger.now()), 0
            return
        while self._waiting and self._flushes < found.flushes:
            written = self._waiting.popleft()
            self._flushes += 1
            self._rows -= written.rows
        self._run = replace(self._run, done=found.done, digest=found.digest)


def _merged(batches: Sequence[PredictedBatch]) -> PredictedBatch:
    """All of them as one, which takes a twentieth of the memory; its ordinals count its own inputs from 0."""
    first = np.cumsum([0, *(len(batch.ordinals) for batch in batches)])
    ordinals = [
        start + np.searchsorted(batch.ordinals, batch.rows["ordinal"].to_numpy())
        for start, batch in zip(first, batches, strict=False)
    ]
    rows = _with_columns(pa.concat_batches([batch.rows for batch in batches]), "", np.concatenate(ordinals))
    latencies = tuple(seconds for batch in batches for seconds in batch.latencies)
    return PredictedBatch(rows, range(int(first[-1])), latencies)


def _numbered(batch: PredictedBatch, run: str, first: int) -> PredictedBatch:
    """A merged batch as inputs `first` and on of a run."""
    rows = _with_columns(batch.rows, run, batch.rows["ordinal"].to_numpy() + first)
    return PredictedBatch(rows, range(first, first + len(batch.ordinals)), batch.latencies)


def _with_columns(rows: pa.RecordBatch, run: str, ordinals: NDArray[np.int64]) -> pa.RecordBatch:
    columns = dict(zip(rows.schema.names, rows.columns, strict=True))
    columns |= {"run": pa.repeat(pa.scalar(run), len(ordinals)), "ordinal": pa.array(ordinals, pa.int64())}
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=rows.schema)


def _reason(error: Exception) -> str:
    return error.message if isinstance(error, FacemonError) else f"the store failed: {error}"
