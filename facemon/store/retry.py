"""Failed inputs of a run, predicted again: the new rows supersede the old ones, and both attempts are counted."""

import time
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from facemon.domain.prediction import ErrorCode, PredictedBatch
from facemon.domain.row_ranges import inside
from facemon.errors import FacemonError
from facemon.store.arrivals import rows_by_hour
from facemon.store.deliveries import Delivery, register
from facemon.store.ledger.protocol import Ledger
from facemon.store.recovery import recover
from facemon.store.row_counts import LATENCIES, count_rows, histogram
from facemon.store.row_profiles import profile_rows
from facemon.store.run_state import RunIdentity
from facemon.store.runs import Run, taken_up
from facemon.store.segment import Segment
from facemon.store.segment_files import SegmentDamagedError, read_segment
from facemon.store.segment_writer import prepare_segments
from facemon.store.sent_rows import held
from facemon.store.totals import sum_totals

_FAILURE = ("run", "ordinal", "error")
_FLUSH_IMAGES = 4096
_FLUSH_SECONDS = 10.0
"""Seldom, because every flush writes the segments again that it takes rows from."""


def reopen_run(ledger: Ledger, identity: RunIdentity) -> Run | None:
    """Open the newest run with an identity, to predict its failed inputs again; none where there is none.

    FacemonError when it did not come to its end, LockedError when it is going on.
    """
    recover(ledger)
    found = ledger.runs.newest(identity)
    if found is None:
        return None
    run = taken_up(ledger, found)
    if not run.is_finished:
        run.lock.release()
        raise FacemonError(f"run {found} is not finished", "continue it with --resume, then retry")
    return run


def failed_inputs(
    ledger: Ledger, run: Run, model: str, left_out: list[SegmentDamagedError] | None = None
) -> dict[int, int]:
    """The ordinals of a run's inputs that failed, with the `observed_at` of their rows in microseconds.

    A damaged segment is an error, unless there is a list, `left_out`, to which its error is added.
    """
    failed: dict[int, int] = {}
    # One state of the log: compaction may move rows on to a segment that was not listed.
    with ledger.reading():
        for segment in ledger.segments.within(model=model):
            try:
                table = read_segment(ledger, segment, (*_FAILURE, "observed_at"))
            except SegmentDamagedError as error:
                if left_out is None:
                    raise
                left_out.append(error)
                continue
            rows = table.filter(_failed_rows(table, run.id))
            failed |= zip(rows["ordinal"].to_pylist(), rows["observed_at"].cast(pa.int64()).to_pylist(), strict=True)
    return dict(sorted(failed.items()))


def without_delivered(ledger: Ledger, run: Run, failed: Mapping[int, int]) -> dict[int, int]:
    """Return the failed inputs that can be tried again: the rows of others are delivered to a shared log.

    There they count as they are; a row that changed here would be another one in each store.
    """
    ordinals = np.fromiter(failed, np.int64, len(failed))
    delivered = inside(ordinals, held(ledger, run.id)).tolist()
    return {ordinal: at for (ordinal, at), is_held in zip(failed.items(), delivered, strict=True) if not is_held}


class RetryWriter:
    """Writes the new rows of inputs that had failed; `close` writes what is left.

    Segments lose the old rows in the transaction that registers the new ones: a crash leaves one or the other. New rows
    whose old ones are in a damaged segment are not written: what the old ones were counted with cannot be told. That is
    an error, unless there is a list, `left_out`, to which it is added once.
    """

    def __init__(self, ledger: Ledger, run: Run, model: str, left_out: list[SegmentDamagedError] | None = None) -> None:
        self._ledger = ledger
        self._run = run
        self._model = model
        self._left_out = left_out
        self._batches: list[PredictedBatch] = []
        self._images = 0
        self._began = time.monotonic()
        self._without: set[str] = set()
        """Segments that were looked through, and hold no failed row of the run, or are damaged."""

    def add(self, batch: PredictedBatch) -> None:
        """Take new rows in; may write them."""
        if not self._batches:
            self._began = time.monotonic()
        self._batches.append(batch)
        self._images += len(batch.ordinals)
        if self._images >= _FLUSH_IMAGES or time.monotonic() - self._began >= _FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what was taken in so far."""
        if not self._batches:
            return
        new = pa.Table.from_batches([batch.rows for batch in self._batches])
        latencies = [seconds for batch in self._batches for seconds in batch.latencies]
        while not self._supersede(new, latencies):
            pass  # compaction or retention was faster: look again where the rows are
        self._batches, self._images = [], 0

    close = flush

    def _supersede(self, new: pa.Table, latencies: Sequence[float]) -> bool:
        """Put the new rows in the place of the old; False when a segment was replaced meanwhile."""
        delivered = held(self._ledger, self._run.id)
        new = new.filter(pa.array(~inside(new["ordinal"].to_numpy(), delivered)))
        parts = self._segments_with(new)
        if not parts:
            return True  # retention took the old rows, or they are delivered; the new ones would be counted for nothing
        old = pa.concat_tables([old for _, _, old in parts], promote_options="default")
        new = new.filter(pc.is_in(new["ordinal"], old["ordinal"].combine_chunks()))
        written = prepare_segments(self._ledger, self._run.id, new)
        for _, kept, _ in parts:
            if kept.num_rows:
                written += prepare_segments(self._ledger, self._run.id, kept)
        delivery = Delivery(
            written,
            [segment for segment, _, _ in parts],
            sum_totals(count_rows(new), histogram(LATENCIES, (self._model,), latencies)),
            count_rows(old),
            profile_rows(new),
            [profile_rows(superseded) for _, _, superseded in parts],
            rows_by_hour(new),
            rows_by_hour(old),
        )
        with self._ledger.writing():
            if held(self._ledger, self._run.id) == delivered and register(self._ledger, delivery):
                return True
        recover(self._ledger, holding=self._run.id)
        return False

    def _segments_with(self, new: pa.Table) -> list[tuple[Segment, pa.Table, pa.Table]]:
        """Each segment that holds failed rows of the new rows' inputs, with the rows that stay and those that go."""
        ordinals = pa.array(np.unique(new["ordinal"].to_numpy()))
        parts = []
        with self._ledger.reading():
            for segment in self._ledger.segments.within(model=self._model):
                if segment.id in self._without:
                    continue
                try:
                    if part := self._split(segment, ordinals):
                        parts.append(part)
                except SegmentDamagedError as error:
                    self._leave_out(segment, error)
        return parts

    def _split(self, segment: Segment, ordinals: pa.Array) -> tuple[Segment, pa.Table, pa.Table] | None:
        table = read_segment(self._ledger, segment, _FAILURE)
        failed = _failed_rows(table, self._run.id)
        goes = pc.and_(failed, pc.is_in(table["ordinal"], ordinals))
        if not pc.any(goes).as_py():
            if not pc.any(failed).as_py():
                self._without.add(segment.id)
            return None
        # The rows that stay are written anew: a flipped bit in them would no longer be found.
        table = read_segment(self._ledger, segment, proven=True)
        return segment, table.filter(pc.invert(goes)), table.filter(goes)

    def _leave_out(self, segment: Segment, error: SegmentDamagedError) -> None:
        if self._left_out is None:
            raise error
        self._without.add(segment.id)
        if all(error.message != each.message for each in self._left_out):
            self._left_out.append(error)


def _failed_rows(table: pa.Table, run: str) -> pa.ChunkedArray:
    is_failure = pc.not_equal(table["error"], ErrorCode.NO_FACE.value)
    return pc.and_(pc.fill_null(is_failure, False), pc.equal(table["run"], run))
