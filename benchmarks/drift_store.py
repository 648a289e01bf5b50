"""A store with a day of a busy service: ten million rows of ten sources, written second by second, then compacted."""

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.drift_simulation import BASE_RATES, Sources, correlated_normals
from benchmarks.drift_tables import write_config, yes_no
from benchmarks.machine import CORES
from facemon.config.loader import load_config
from facemon.config.model import AttributeConfig
from facemon.store.compaction import compact
from facemon.store.ledger import Ledger
from facemon.store.migrations import STORE_VERSION
from facemon.store.profiles import add_to_profiles
from facemon.store.references import set_from_window
from facemon.store.row_counts import count_rows
from facemon.store.row_profiles import profile_rows
from facemon.store.runs import Run, RunIdentity, begin_run, finish_run
from facemon.store.segment_writer import prepare_segments, register_segments
from facemon.store.totals import add_totals
from facemon.values.prediction import IMAGE_FEATURES, log_schema

SECONDS, ROWS_A_SECOND, SOURCES = 86_400, 120, 10
BEGIN, END = datetime(2026, 11, 2, 0, 17, 30, tzinfo=UTC), datetime(2026, 11, 2, 23, 42, 30, tzinfo=UTC)
"""The window that is checked: it cuts the first and the last hour of the day."""
ROWS = int((END - BEGIN).total_seconds()) * ROWS_A_SECOND
_HOUR = 3_600
_DAY = datetime(2026, 11, 2, tzinfo=UTC)
_ATTRIBUTES = tuple(BASE_RATES)[:10]
_LATER = datetime(2026, 11, 4, tzinfo=UTC)
_STORES = Path(__file__).resolve().parent.parent / ".tools" / "bench-store"


def busy_day() -> Path:
    """The folder of the store's facemon.yaml; the store is built once for each version of stores."""
    folder = _STORES / f"version-{STORE_VERSION}"
    if folder.exists():
        return folder
    shutil.rmtree(draft := folder.with_suffix(".part"), ignore_errors=True)
    write_config(draft, dict.fromkeys(_ATTRIBUTES, ("no", "yes")))
    model = load_config(draft / "facemon.yaml").model
    with Ledger.open(draft / ".facemon", create=True) as ledger:
        with begin_run(ledger, RunIdentity(("bench",), model.id, "", None), _DAY) as run:
            sources = Sources.draw(np.random.default_rng(7), SOURCES, equal=True, name="camera")
            # Two hours of the day before become the reference; then comes the day itself.
            for hour in (-8, -7, *range(SECONDS // _HOUR)):
                _log_hour(ledger, run, _DAY + timedelta(hours=hour), sources, model.attributes, model.id)
            finish_run(ledger, run, _LATER)
        before = _DAY - timedelta(hours=8)
        set_from_window(ledger, "before", before, _DAY, model=model.id, note="", now=_LATER)
        compact(ledger, _LATER)
    draft.rename(folder)
    return folder


def _log_hour(
    ledger: Ledger, run: Run, begin: datetime, sources: Sources, attributes: Sequence[AttributeConfig], model: str
) -> None:
    """Log an hour as a segment a second; what they add to the totals and the profiles is added at once, which is alike.

    A transaction for each, as a server would have it, would take an hour on one disk.
    """
    table = _rows(run, begin, sources, attributes, model)
    seconds = [table.slice(second * ROWS_A_SECOND, ROWS_A_SECOND) for second in range(_HOUR)]
    with ThreadPoolExecutor(CORES) as pool:  # segments this small become bytes, which no ledger is needed for
        segments = list(chain.from_iterable(pool.map(partial(prepare_segments, ledger, run.id), seconds)))
    with ledger.writing() as connection:
        register_segments(connection, segments)
        add_totals(connection, count_rows(table))
        add_to_profiles(connection, profile_rows(table))


def _rows(run: Run, begin: datetime, sources: Sources, attributes: Sequence[AttributeConfig], model: str) -> pa.Table:
    """One image with one face a row, in the order of time."""
    count = _HOUR * ROWS_A_SECOND
    rng = np.random.default_rng(int(begin.timestamp()))
    source = np.arange(count) % SOURCES
    normals = correlated_normals(rng, count, len(BASE_RATES))
    own = sources.rates()[source]
    micros = int(begin.timestamp()) * 1_000_000 + np.arange(count) * 1_000_000 // ROWS_A_SECOND
    time = pa.array(micros, pa.timestamp("us", tz="UTC"))
    first = int((begin - _DAY) / timedelta(hours=1) + 8) * count
    columns: dict[str, object] = {
        "run": pa.repeat(run.id, count),
        "ordinal": np.arange(first, first + count),
        "image": pa.array([f"camera-{number % SOURCES}/{number:09}.jpg" for number in range(first, first + count)]),
        "image_sha256": _digests(rng, count),
        "face": np.zeros(count, np.int32),
        "box": pa.ListArray.from_arrays(np.arange(0, 4 * count + 1, 4), rng.integers(0, 900, 4 * count, np.int32)),
        "observed_at": time,
        "predicted_at": time,
        "model": pa.repeat(model, count),
        "source": pa.DictionaryArray.from_arrays(source, [f"camera {at}" for at in range(SOURCES)]).cast(pa.string()),
        "origin": pa.repeat("api", count),
        "face_confidence": 1 - rng.random(count, np.float32) / 100,
    }
    columns |= {f"image_{feature}": rng.random(count, np.float32) for feature in IMAGE_FEATURES}
    for at, attribute in enumerate(attributes):
        columns[attribute.name] = yes_no(rng.random(count) < own[:, at])
        columns[f"{attribute.name}_confidence"] = 1 / (1 + np.exp(-np.abs(3 + 2 * normals[:, at])))
    schema = log_schema(attributes)
    columns |= {name: pa.nulls(count, schema.field(name).type) for name in schema.names if name not in columns}
    return pa.table(columns, schema=schema)


def _digests(rng: np.random.Generator, count: int) -> pa.StringArray:
    digits = rng.bytes(32 * count).hex().encode()
    offsets = np.arange(0, 64 * count + 1, 64, dtype=np.int32)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(digits))
