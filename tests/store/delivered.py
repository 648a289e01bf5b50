"""Shards of made rows, delivered into a folder as machines would, for tests of the store."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from facemon.domain.shard import Shard
from facemon.object_storage.folder_address import parse_folder
from facemon.object_storage.object_folder import ObjectFolder, open_folder
from facemon.store.ledger.protocol import Ledger
from facemon.store.segment_files import read_segment
from facemon.store.shared_log.delivery_writer import DeliveryWriter, ShardRun
from facemon.store.shared_log.entry import enter_job
from facemon.store.shared_log.job import Job
from tests.store.log_rows import MODEL, make_batch
from tests.store.oracles import plain

JOB = Job("a" * 64, 90, 3, MODEL, "f" * 64, None, {"observed_at": ""})
OF_ONE_RUN = {"run", "ordinal", "predicted_at"}
"""Columns that differ where the same images are predicted in other runs."""


def shared_folder(path: Path) -> ObjectFolder:
    """A shared log in a folder."""
    return open_folder(parse_folder(path.as_uri()), create=True)


def deliver(objects: ObjectFolder, number: int, *, job: Job = JOB, name: str = "images", run: str = "",
            **options: object) -> bool:  # fmt: skip
    """Deliver one shard of made rows; False where it was delivered before."""
    shard = Shard(number, job.shards)
    entered = enter_job(objects, name, job, shard)
    assert not entered.differences
    if entered.began is None:
        return False
    first, end = shard.span(job.rows)
    attempt = ShardRun(name, job, shard, run or f"{name}-{number}", entered.began)
    with DeliveryWriter(objects, attempt) as writer:
        for start in range(first, end, 10):
            batch = make_batch(start, min(10, end - start), run=attempt.run, **options)  # type: ignore[arg-type]
            writer.add(_counted_from(batch, first))
        return writer.commit()


def _counted_from(batch: Any, first: int) -> Any:
    """The batch with ordinals of its shard; rows are made by those of the whole manifest."""
    import pyarrow as pa

    from facemon.domain.prediction import PredictedBatch

    at = batch.rows.schema.get_field_index("ordinal")
    ordinals = pa.array([ordinal - first for ordinal in batch.rows["ordinal"].to_pylist()], pa.int64())
    rows = batch.rows.set_column(at, "ordinal", ordinals)
    shifted = range(batch.ordinals.start - first, batch.ordinals.stop - first)
    return PredictedBatch(rows, shifted, batch.latencies)


def facts_of(ledger: Ledger) -> Mapping[str, Any]:
    """All that a store says of its rows, whatever runs predicted them and in whatever order they came."""
    rows = []
    for segment in ledger.segments.within():
        for row in read_segment(ledger, segment).to_pylist():
            said = ((name, str(value)) for name, value in row.items() if name not in OF_ONE_RUN)
            rows += [sorted(said)]
    with ledger.reading():
        return {
            "rows": sorted(rows),
            "totals": {key: round(value, 6) for key, value in sorted(ledger.totals.read().items())},
            "profiles": {key: plain(profile) for key, profile in sorted(ledger.profiles.all().items(), key=str)},
            "arrivals": ledger.arrivals.read(MODEL),
        }


def other_job(**changes: Any) -> Job:
    """The job with something else in it."""
    return replace(JOB, **changes)
