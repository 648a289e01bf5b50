"""Failed inputs of a run, predicted again: the new rows supersede the old ones, and both attempts are counted."""

import sqlite3
import time
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from facemon.domain.prediction import ErrorCode, PredictedBatch
from facemon.errors import FacemonError, LockedError
from facemon.store.arrivals import replace_arrivals, rows_by_hour
from facemon.store.ledger.profile_table import add_to_profiles, subtract_from_profiles
from facemon.store.ledger.sqlite_ledger import Ledger
from facemon.store.process_lock import ProcessLock, holder_of, writer_lock_path
from facemon.store.recovery import recover
from facemon.store.row_counts import LATENCIES, count_rows, histogram
from facemon.store.row_profiles import profile_rows
from facemon.store.runs import Run, RunIdentity
from facemon.store.segment_files import Segment, SegmentDamagedError, SegmentGoneError, list_segments, read_segment
from facemon.store.segment_writer import NewSegment, prepare_segments, register_segments
from facemon.store.totals import add_totals, sum_totals

_FLUSH_IMAGES = 4096
_FLUSH_SECONDS = 10.0
"""Seldom, because every flush writes the segments anew that it takes rows from."""


def reopen_run(ledger: Ledger, identity: RunIdentity) -> Run | None:
    """Open the newest run with an identity, to predict its failed inputs again; none where there is none.

    FacemonError when it did not come to its end, LockedError when it is going on.
    """
    recover(ledger)
    query = (
        "SELECT id FROM runs WHERE inputs = ? AND model = ? AND fingerprint = ? AND source IS ? "
        "ORDER BY rowid DESC LIMIT 1"
    )
    values = (identity.inputs_text, identity.model, identity.fingerprint, identity.source)
    found = ledger.connection.execute(query, values).fetchone()
    if found is None:
        return None
    path = writer_lock_path(ledger.folder, found[0])
    try:
        lock = ProcessLock.waiting(path)
    except LockedError as error:
        raise LockedError(f"run {found[0]} is still going on (process {holder_of(path)})") from error
    query = "SELECT done, digest, finished FROM runs WHERE id = ?"
    done, digest, finished = ledger.connection.execute(query, found).fetchone()
    if finished is None:
        lock.release()
        raise FacemonError(f"run {found[0]} did not come to its end", "continue it with --resume, then retry")
    return Run(found[0], done, digest, lock)


def failed_inputs(
    ledger: Ledger, run: Run, model: str, left_out: list[SegmentDamagedError] | None = None
) -> dict[int, int]:
    """The ordinals of a run's inputs that failed, with the `observed_at` of their rows in microseconds.

    A damaged segment is an error, unless there is a list, `left_out`, to which its error is added.
    """
    failed: dict[int, int] = {}
    for segment in list_segments(ledger.connection, model=model):
        try:
            table = read_segment(ledger, segment, ("run", "ordinal", "error", "observed_at"))
        except SegmentGoneError:
            continue
        except SegmentDamagedError as error:
            if left_out is None:
                raise
            left_out.append(error)
            continue
        rows = table.filter(_failed_rows(table, run.id))
        failed |= zip(rows["ordinal"].to_pylist(), rows["observed_at"].cast(pa.int64()).to_pylist(), strict=True)
    return dict(sorted(failed.items()))


class RetryWriter:
    """Writes the new rows of inputs that had failed; `close` writes what is left.

    Segments lose the old rows in the transaction that registers the new ones: a crash leaves one or the other.
    """

    def __init__(self, ledger: Ledger, run: Run, model: str) -> None:
        self._ledger = ledger
        self._run = run
        self._model = model
        self._batches: list[PredictedBatch] = []
        self._images = 0
        self._began = time.monotonic()
        self._without: set[str] = set()
        """Segments that were looked through, and hold no failed row of the run."""

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
        parts = self._segments_with(new)
        if not parts:
            return True  # retention took the old rows; the new ones would be counted for nothing
        old = pa.concat_tables([old for _, _, old in parts], promote_options="default")
        new = new.filter(pc.is_in(new["ordinal"], old["ordinal"].combine_chunks()))
        written = prepare_segments(self._ledger, self._run.id, new)
        for _, kept, _ in parts:
            if kept.num_rows:
                written += prepare_segments(self._ledger, self._run.id, kept)
        with self._ledger.writing() as connection:
            if self._replace(connection, [segment for segment, _, _ in parts], written):
                counts = histogram(LATENCIES, (self._model,), latencies)
                add_totals(connection, sum_totals(count_rows(new), counts))
                add_totals(connection, count_rows(old), table="departed")
                add_to_profiles(connection, profile_rows(new))
                replace_arrivals(connection, rows_by_hour(old), rows_by_hour(new))
                for _, _, superseded in parts:
                    subtract_from_profiles(connection, profile_rows(superseded))
                return True
            connection.rollback()
            connection.execute("BEGIN IMMEDIATE")
        recover(self._ledger, holding=self._run.id)
        return False

    def _segments_with(self, new: pa.Table) -> list[tuple[Segment, pa.Table, pa.Table]]:
        """Each segment that holds failed rows of the new rows' inputs, with the rows that stay and those that go."""
        ordinals = pa.array(np.unique(new["ordinal"].to_numpy()))
        parts = []
        for segment in list_segments(self._ledger.connection, model=self._model):
            if segment.id in self._without:
                continue
            try:
                table = read_segment(self._ledger, segment)
            except SegmentGoneError:
                continue
            failed = _failed_rows(table, self._run.id)
            goes = pc.and_(failed, pc.is_in(table["ordinal"], ordinals))
            if pc.any(goes).as_py():
                parts.append((segment, table.filter(pc.invert(goes)), table.filter(goes)))
            elif not pc.any(failed).as_py():
                self._without.add(segment.id)
        return parts

    def _replace(self, connection: sqlite3.Connection, olds: Sequence[Segment], news: list[NewSegment]) -> bool:
        gone = sum(connection.execute("DELETE FROM segments WHERE id = ?", (old.id,)).rowcount for old in olds)
        if gone != len(olds):
            return False
        register_segments(connection, news)
        discards = [(old.path, int(self._ledger.now().timestamp())) for old in olds if old.path]
        connection.executemany("INSERT INTO discards VALUES (?, ?)", discards)
        return True


def _failed_rows(table: pa.Table, run: str) -> pa.ChunkedArray:
    is_failure = pc.not_equal(table["error"], ErrorCode.NO_FACE.value)
    return pc.and_(pc.fill_null(is_failure, False), pc.equal(table["run"], run))
