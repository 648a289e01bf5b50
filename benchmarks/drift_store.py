"""Stores with a day of a service: ten million rows of ten sources, or 64 cameras of twenty attributes each."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.drift_simulation import BASE_RATES, Sources, correlated_normals
from benchmarks.drift_tables import write_config, yes_no
from benchmarks.machine import CORES
from facemon.config.loader import load_config
from facemon.config.model import ModelConfig
from facemon.domain.prediction import IMAGE_FEATURES, log_schema
from facemon.store.compaction import compact
from facemon.store.ledger.header import STORE_VERSION
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.references import set_from_window
from facemon.store.row_counts import count_rows
from facemon.store.row_profiles import profile_rows
from facemon.store.run_state import RunIdentity
from facemon.store.runs import Run, begin_run, finish_run
from facemon.store.segment_writer import prepare_segments


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a service logs each hour, and in how many segments; `before` are the hours of the reference."""

    name: str
    rows: int
    segments: int
    sources: int
    attributes: int
    before: range


BUSY = Traffic("busy", rows=432_000, segments=3_600, sources=10, attributes=10, before=range(-8, -6))
CAMERAS = Traffic("cameras", rows=64 * 200, segments=60, sources=64, attributes=20, before=range(-24, 0))
HOURS = 24
BEGIN, END = datetime(2026, 11, 2, 0, 17, 30, tzinfo=UTC), datetime(2026, 11, 2, 23, 42, 30, tzinfo=UTC)
"""The window that is checked: it cuts the first and the last hour of the day."""
ROWS = int((END - BEGIN) / timedelta(hours=1) * BUSY.rows)
_HOUR_MICROS = 3_600_000_000
_DAY = datetime(2026, 11, 2, tzinfo=UTC)
_LATER = datetime(2026, 11, 4, tzinfo=UTC)
STORES = Path(__file__).resolve().parent.parent / ".tools" / "bench-store"
"""Where stores are kept that take long to build."""


def logged_day(traffic: Traffic) -> Path:
    """The folder of the store's facemon.yaml; the store is built once for each version of stores, and compacted."""
    folder = STORES / f"{traffic.name}-version-{STORE_VERSION}"
    if folder.exists():
        return folder
    shutil.rmtree(draft := folder.with_suffix(".part"), ignore_errors=True)
    write_config(draft, dict.fromkeys(tuple(BASE_RATES)[: traffic.attributes], ("no", "yes")))
    model = load_config(draft / "facemon.yaml").model
    with open_ledger(draft / ".facemon", create=True) as ledger:
        with begin_run(ledger, RunIdentity(("bench",), model.id, "", None), _DAY) as run:
            sources = Sources.draw(np.random.default_rng(7), traffic.sources, equal=True, name="camera")
            for hour in (*traffic.before, *range(HOURS)):
                table = hour_of_rows(run, _DAY + timedelta(hours=hour), traffic, sources.rates(), model)
                log_hour(ledger, run, table, traffic.segments)
            finish_run(ledger, run, _LATER)
        since = _DAY + timedelta(hours=traffic.before.start)
        set_from_window(ledger, "before", since, _DAY, model=model.id, note="", now=_LATER)
        compact(ledger, _LATER)
    draft.rename(folder)
    return folder


def log_hour(ledger: Ledger, run: Run, table: pa.Table, segments: int) -> None:
    """Log an hour in equal segments; what they add to the totals and the profiles is added at once, which is alike.

    A transaction for each, as a server would have it, would take an hour on one disk.
    """
    rows = table.num_rows // segments
    parts = [table.slice(number * rows, rows) for number in range(segments)]
    with ThreadPoolExecutor(CORES) as pool:  # segments this small become bytes, which no ledger is needed for
        prepared = list(chain.from_iterable(pool.map(partial(prepare_segments, ledger, run.id), parts)))
    with ledger.writing():
        ledger.segments.register(prepared)
        ledger.totals.add(count_rows(table))
        ledger.profiles.add(profile_rows(table))


def hour_of_rows(
    run: Run, begin: datetime, traffic: Traffic, rates: NDArray[np.float64], model: ModelConfig
) -> pa.Table:
    """An hour's rows, one image with one face each, in the order of time; `rates` of each source's labels."""
    count = traffic.rows
    rng = np.random.default_rng(int(begin.timestamp()))
    source = np.arange(count) % traffic.sources
    normals = correlated_normals(rng, count, len(BASE_RATES))
    own = rates[source]
    micros = int(begin.timestamp()) * 1_000_000 + np.arange(count) * _HOUR_MICROS // count
    time = pa.array(micros, pa.timestamp("us", tz="UTC"))
    first = int((begin - _DAY) / timedelta(hours=1) - traffic.before.start) * count
    columns: dict[str, object] = {
        "run": pa.repeat(run.id, count),
        "ordinal": np.arange(first, first + count),
        "image": pa.array([f"camera-{n % traffic.sources}/{n:09}.jpg" for n in range(first, first + count)]),
        "image_sha256": _digests(rng, count),
        "face": np.zeros(count, np.int32),
        "box": pa.ListArray.from_arrays(np.arange(0, 4 * count + 1, 4), rng.integers(0, 900, 4 * count, np.int32)),
        "observed_at": time,
        "predicted_at": time,
        "model": pa.repeat(model.id, count),
        "source": pa.DictionaryArray.from_arrays(source, [f"camera {at}" for at in range(traffic.sources)]).cast(
            pa.string()
        ),
        "origin": pa.repeat("api", count),
        "face_confidence": 1 - rng.random(count, np.float32) / 100,
    }
    columns |= {f"image_{feature}": rng.random(count, np.float32) for feature in IMAGE_FEATURES}
    for at, attribute in enumerate(model.attributes):
        columns[attribute.name] = yes_no(rng.random(count) < own[:, at])
        columns[f"{attribute.name}_confidence"] = 1 / (1 + np.exp(-np.abs(3 + 2 * normals[:, at])))
    schema = log_schema(model.attributes)
    columns |= {name: pa.nulls(count, schema.field(name).type) for name in schema.names if name not in columns}
    return pa.table(columns, schema=schema)


def _digests(rng: np.random.Generator, count: int) -> pa.StringArray:
    digits = rng.bytes(32 * count).hex().encode()
    offsets = np.arange(0, 64 * count + 1, 64, dtype=np.int32)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(digits))
