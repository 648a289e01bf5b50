"""How a shard's rows become a delivery: segments while it is predicted, and at the end the commit, or nothing."""

import secrets
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import pyarrow as pa

from facemon.domain.prediction import PredictedBatch
from facemon.domain.shard import Shard
from facemon.errors import FacemonError
from facemon.interruption import Uninterrupted
from facemon.object_storage.object_folder import ObjectFolder
from facemon.object_storage.probe import storage_time
from facemon.object_storage.storage_error import StorageError
from facemon.store.row_counts import LATENCIES, histogram
from facemon.store.runs import InputDigest
from facemon.store.segment_files import split_by_date
from facemon.store.segment_writer import input_names
from facemon.store.shared_log.added_sums import AddedSums
from facemon.store.shared_log.commit import Commit, DeliveredSegment, encoded_segment
from facemon.store.shared_log.job import Job
from facemon.store.shared_log.layout import delivery_key, segment_key
from facemon.store.totals import Totals, sum_totals

_SEGMENT_ROWS = 65_536
"""Rows that are held: a bucket takes few large objects better than many small ones."""
_UPLOADS = 2
"""Segments that are on their way at once; more wait, so that memory is bounded."""
LONGEST_ATTEMPT = timedelta(hours=12)
"""An attempt that took longer does not commit: `store collect --clean` removes segments after twice as long."""


@dataclass(frozen=True, slots=True)
class ShardRun:
    """One attempt on a shard."""

    name: str
    job: Job
    shard: Shard
    run: str
    began: datetime
    """By the clock of the storage."""


class DeliveryWriter:
    """Takes the rows of a shard; `commit` delivers all of them. Without it the segments are garbage."""

    def __init__(self, folder: ObjectFolder, run: ShardRun) -> None:
        self._folder = folder
        self._run = run
        self._began = time.monotonic()
        self._digest = InputDigest()
        self._images = 0
        self._held: list[pa.RecordBatch] = []
        self._held_rows = 0
        self._latencies: Totals = {}
        self._sums = AddedSums()
        self._segments: list[DeliveredSegment] = []
        self._pool = ThreadPoolExecutor(_UPLOADS, "deliver")
        self._uploads: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=kind is None, cancel_futures=True)

    def add(self, batch: PredictedBatch) -> None:
        """Take rows in, in the order of their ordinals; FacemonError where an earlier segment could not be written."""
        self._held.append(batch.rows)
        self._held_rows += batch.rows.num_rows
        self._images += len(batch.ordinals)
        model = self._run.job.model
        self._latencies = sum_totals(self._latencies, histogram(LATENCIES, (model,), batch.latencies))
        for name in input_names(batch):
            self._digest.add(name)
        if self._held_rows >= _SEGMENT_ROWS:
            self._flush()

    def commit(self) -> bool:
        """Deliver the shard; False where another attempt on it was first.

        FacemonError where a segment or the commit could not be written: the shard is not delivered, or it cannot be
        known whether it is, and the same command finds out.
        """
        if self._held:
            self._flush()
        while self._uploads:
            self._wait()
        commit = self._commit(self._now())
        key = delivery_key(self._run.name, self._run.shard.number)
        try:
            with Uninterrupted():  # after it the shard is delivered
                return self._folder.create(key, commit.encoded())
        except StorageError as error:
            raise FacemonError(
                f"{self._folder.url}{key}: {error.what}; whether shard {self._run.shard} is delivered is not known",
                f"run the same command again, which finds out; {error.hint}",
            ) from error

    def _now(self) -> datetime:
        """The time of the storage; FacemonError where the attempt took too long."""
        try:
            now = storage_time(self._folder)
        except StorageError as error:
            raise self._undelivered(error) from error
        if now - self._run.began > LONGEST_ATTEMPT:
            hours = LONGEST_ATTEMPT // timedelta(hours=1)
            raise FacemonError(
                f"shard {self._run.shard} took more than {hours} hours and is not delivered: facemon store collect "
                "--clean may remove its segments",
                "predict the manifest in more shards, under another name",
            )
        return now

    def _flush(self) -> None:
        table = pa.Table.from_batches(self._held)
        self._held, self._held_rows = [], 0
        self._sums.add(table)
        for date, rows in split_by_date(table):
            run = self._run
            key = segment_key(run.name, run.shard, run.run, date, secrets.token_hex(8))
            segment, content = encoded_segment(key, rows)
            self._segments.append(segment)
            while len(self._uploads) >= _UPLOADS:
                self._wait()
            self._uploads.append(self._pool.submit(self._folder.write, key, content))

    def _wait(self) -> None:
        try:
            self._uploads.popleft().result()
        except StorageError as error:
            raise self._undelivered(error) from error

    def _undelivered(self, error: StorageError) -> FacemonError:
        return FacemonError(f"{self._folder.url}: {error.what}; shard {self._run.shard} is not delivered", error.hint)

    def _commit(self, when: datetime) -> Commit:
        run, job = self._run, self._run.job
        return Commit(
            run.name,
            job.digest,
            run.shard,
            run.run,
            job.model,
            job.fingerprint,
            job.source,
            self._images,
            self._digest.value,
            tuple(self._segments),
            replace(self._sums, totals=sum_totals(self._sums.totals, self._latencies)),
            when,
            time.monotonic() - self._began,
        )
