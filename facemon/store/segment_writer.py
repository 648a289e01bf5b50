"""How predictions get into the log: assembled into segments, each registered once with all that it adds."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping

import pyarrow as pa

from facemon.domain.prediction import PredictedBatch
from facemon.errors import FacemonError
from facemon.store.arrivals import rows_by_hour
from facemon.store.deliveries import Delivery, register
from facemon.store.ledger.protocol import Ledger
from facemon.store.row_counts import LATENCIES, count_rows, histogram
from facemon.store.row_profiles import profile_rows
from facemon.store.runs import InputDigest, Run
from facemon.store.segment import NewSegment
from facemon.store.segment_files import (
    encode_inline,
    segment_path,
    split_by_date,
    write_parquet,
)
from facemon.store.totals import TotalKey, sum_totals

SEGMENT_ROWS = 16_384
"""A segment is closed when it has this many rows, or after `SEGMENT_SECONDS`, whichever comes first."""
SEGMENT_SECONDS = 2.0
INLINE_ROWS = 1_024
"""Fewer rows than this live in the ledger itself until compaction."""


class SegmentWriter:
    """Writes the rows of one run; `add` as they come, `close` at the end.

    A crash at any moment leaves either all that a segment adds in the ledger, or none of it.
    """

    def __init__(self, ledger: Ledger, run: Run) -> None:
        self._ledger = ledger
        self._run = run
        self._digest = InputDigest(run.digest)
        self._registered = self._done = run.done
        self._rows: list[pa.RecordBatch] = []
        self._latencies: list[float] = []
        self._count = 0
        self._began = time.monotonic()

    def add(self, batch: PredictedBatch) -> None:
        """Take rows in; batches come in the order of their ordinals. May write a segment."""
        self.take(batch)
        if self._count >= SEGMENT_ROWS or time.monotonic() - self._began >= SEGMENT_SECONDS:
            self.flush()

    def take(self, batch: PredictedBatch) -> None:
        """Take rows in, as `add` does, but write nothing."""
        if not self._rows:
            self._began = time.monotonic()
        self._rows.append(batch.rows)
        self._latencies.extend(batch.latencies)
        self._count += batch.rows.num_rows
        self._done = batch.ordinals[-1] + 1
        for name in input_names(batch):
            self._digest.add(name)

    def flush(self, also: Callable[[], None] | None = None) -> None:
        """Write and register what was taken in so far; `also` is done in the same transaction, or not at all."""
        if not self._rows:
            if also is not None:
                with self._ledger.writing():
                    also()
            return
        table = pa.Table.from_batches(self._rows)
        segments = prepare_segments(self._ledger, self._run.id, table)
        delivery = Delivery(
            segments,
            totals=sum_totals(count_rows(table), *self._latency_totals(table)),
            profiles=profile_rows(table),
            arrivals=rows_by_hour(table),
        )
        with self._ledger.writing():
            if self._advance_run():
                register(self._ledger, delivery)
                if also is not None:
                    also()
        self._registered = self._done
        self._rows, self._latencies, self._count = [], [], 0

    @property
    def digest(self) -> str:
        """The digest of the run's inputs so far, those that were taken in and not yet written too."""
        return self._digest.value

    def _advance_run(self) -> bool:
        """Move the run on; False when an earlier call has done so, and was interrupted before it could answer."""
        if self._ledger.runs.advance(self._run.id, self._registered, self._done, self._digest.value):
            return True
        state = self._ledger.runs.state(self._run.id)
        if state is not None and state.done == self._done:
            return False
        raise FacemonError(f"run {self._run.id} was written by another process", "facemon store verify")

    def close(self) -> None:
        """Write what is left."""
        self.flush()

    def _latency_totals(self, table: pa.Table) -> list[Mapping[TotalKey, float]]:
        model = table["model"][0].as_py()
        return [histogram(LATENCIES, (model,), self._latencies)]


def input_names(batch: PredictedBatch) -> Iterator[str]:
    """Yield the name of each image of a batch once, in order: those of several faces have as many rows."""
    last = None
    for ordinal, name in zip(batch.rows["ordinal"].to_pylist(), batch.rows["image"].to_pylist(), strict=True):
        if ordinal != last:
            yield name
        last = ordinal


def prepare_segments(ledger: Ledger, writer: str, table: pa.Table) -> list[NewSegment]:
    """Put a table of rows on the disk, one segment for each date; small ones become bytes instead.

    The intents come first, so that a crash leaves no unknown file.
    """
    drafts = []
    for date, rows in split_by_date(table):
        name = secrets.token_hex(8)
        drafts.append((name, None if rows.num_rows < INLINE_ROWS else segment_path(name, date), rows))
    if intents := [(name, path) for name, path, _ in drafts if path]:
        with ledger.writing():
            ledger.files.intend(writer, intents)
    return [_write(ledger, *draft) for draft in drafts]


def _write(ledger: Ledger, name: str, path: str | None, rows: pa.Table) -> NewSegment:
    if path is None:
        return NewSegment(name, None, encode_inline(rows), rows, "")
    return NewSegment(name, path, None, rows, write_parquet(ledger.folder / path, rows))
