"""Part of the step to version 4: counts of predictions and confidences that an older ledger kept once, by model.

No count is lost, made or moved to another label, so that sums over all models stay what they were. Nothing here is
shared with the code of today: a step stays what it was when it was released.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_PREDICTIONS, _CONFIDENCES = "model_predictions_total", "model_confidence_score"
_LATENCIES = "model_inference_latency_seconds"
_EDGES = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99, 1.0)
_SLACK = 1e-7
"""A float32 that is a little above an edge belongs to the edge's own bucket."""
_LOG_COLUMNS = frozenset(
    {"run", "ordinal", "image", "image_sha256", "face", "box", "observed_at", "predicted_at", "model", "source"}
    | {"origin", "error", "error_message", "image_id", "face_confidence"}
)
_BATCH_ROWS = 65_536
_ROUNDING = 1e-9

_Key = tuple[str, tuple[str, ...], str]
"""A metric, its labels without the model, and the part of a histogram."""
_NEVER = 2**63


@dataclass
class _Model:
    """What is known of one model: when it began to predict, and what its rows add up to."""

    began: int = _NEVER
    rows: int = 0
    counts: Counter[_Key] = field(default_factory=Counter)
    attributes: set[str] = field(default_factory=set)


def keep_totals_by_model(connection: sqlite3.Connection, folder: Path) -> None:
    """Give every count of a prediction or a confidence the model as its last label.

    The rows that are there are counted again where several models have some. What is left over, of rows that are gone
    or cannot be read, goes to the one model that may have had the attribute, or to the one of these that began first:
    retention takes the oldest rows.
    """
    models = _known_models(connection)
    _count_rows(connection, folder, models)
    for metric in (_PREDICTIONS, _CONFIDENCES):
        totals, departed = (_read(connection, table, metric) for table in ("totals", "departed"))
        for key in sorted(totals.keys() | departed.keys()):
            heir = _heir(models, key[1][0])
            split = _split(totals.get(key, 0.0), departed.get(key, 0.0), key, heir, models)
            _replace(connection, "totals", key, split)
            _replace(connection, "departed", key, {heir: departed[key]} if key in departed else {})


def _known_models(connection: sqlite3.Connection) -> dict[str, _Model]:
    models: dict[str, _Model] = {}
    for model, began in connection.execute("SELECT model, min(started) FROM runs GROUP BY model"):
        models.setdefault(model, _Model()).began = began
    for model, rows in connection.execute("SELECT model, sum(rows) FROM segments GROUP BY model"):
        models.setdefault(model, _Model()).rows = rows
    for (labels,) in connection.execute("SELECT DISTINCT labels FROM totals WHERE metric = ?", (_LATENCIES,)):
        models.setdefault(json.loads(labels)[0], _Model())
    return models or {"": _Model()}


def _heir(models: dict[str, _Model], attribute: str) -> str:
    """Who gets what no row accounts for."""
    # Of a model whose rows are gone, or were not read, it is not known which attributes it had.
    able = [name for name, model in models.items() if attribute in model.attributes or not model.attributes]
    return min(able or models, key=lambda name: (models[name].began, -models[name].rows, name))


def _split(total: float, gone: float, key: _Key, heir: str, models: dict[str, _Model]) -> dict[str, float]:
    """The total by model: what is counted of the others, and all the rest to the heir."""
    with_rows = [name for name, model in models.items() if model.rows]
    if len(with_rows) == 1:
        counted = {with_rows[0]: total - gone}
    else:
        counted = {name: float(models[name].counts[key]) for name in with_rows}
    left, parts = total, dict[str, float]()
    for name, count in counted.items():
        if name != heir and count:
            # A ledger that does not add up keeps its sum; store verify tells what is wrong with it, as before.
            parts[name] = min(count, max(left - gone, 0.0))
            left -= parts[name]
    if parts and not gone and not counted.get(heir) and abs(left) <= _ROUNDING * total:
        # Nothing is left for the heir but what adding floats in another order has made.
        largest = max(parts, key=lambda name: parts[name])
        return parts | {largest: parts[largest] + left}
    return parts | {heir: left}


def _read(connection: sqlite3.Connection, table: str, metric: str) -> dict[_Key, float]:
    rows = connection.execute(f"SELECT labels, part, value FROM {table} WHERE metric = ?", (metric,))  # noqa: S608
    return {(metric, tuple(json.loads(labels)), part): value for labels, part, value in rows}


def _replace(connection: sqlite3.Connection, table: str, key: _Key, values: dict[str, float]) -> None:
    metric, labels, part = key
    connection.execute(
        f"DELETE FROM {table} WHERE metric = ? AND labels = ? AND part = ?",  # noqa: S608 - one of two names of ours
        (metric, json.dumps(labels, ensure_ascii=False), part),
    )
    connection.executemany(
        f"INSERT INTO {table} VALUES (?, ?, ?, ?)",  # noqa: S608 - one of two names of ours
        [(metric, json.dumps((*labels, model), ensure_ascii=False), part, value) for model, value in values.items()],
    )


def _count_rows(connection: sqlite3.Connection, folder: Path, models: dict[str, _Model]) -> None:
    """Count the rows of each model, a batch at a time; of one that has all rows nothing need be read."""
    if sum(1 for model in models.values() if model.rows) < 2:
        return
    import pyarrow as pa

    for segment, path, model in connection.execute("SELECT id, path, model FROM segments ORDER BY id").fetchall():
        try:
            for batch in _batches(connection, folder, segment, path):
                _count(batch, models[model])
        except (OSError, pa.ArrowException):
            # A damaged segment must not shut the store for good: its counts stay, with the heir.
            continue


def _batches(
    connection: sqlite3.Connection, folder: Path, segment: str, path: str | None
) -> Iterator["pa.RecordBatch"]:
    import pyarrow as pa
    import pyarrow.ipc
    import pyarrow.parquet

    if path is None:
        (data,) = connection.execute("SELECT data FROM segments WHERE id = ?", (segment,)).fetchone()
        with pa.ipc.open_stream(pa.BufferReader(data)) as stream:
            yield from stream
        return
    with pa.parquet.ParquetFile(folder / path) as file:
        wanted = [name for name in file.schema_arrow.names if _is_counted(file.schema_arrow.field(name))]
        yield from file.iter_batches(batch_size=_BATCH_ROWS, columns=wanted)


def _is_counted(column: "pa.Field") -> bool:
    """Whether a column holds labels or confidences of an attribute."""
    if column.name in _LOG_COLUMNS or column.name.startswith("image_"):
        return False
    return column.name.endswith("_confidence") or _holds_labels(column)


def _holds_labels(column: "pa.Field") -> bool:
    import pyarrow as pa

    return pa.types.is_string(column.type) or pa.types.is_dictionary(column.type)


def _count(batch: "pa.RecordBatch", model: _Model) -> None:
    import pyarrow as pa
    import pyarrow.compute

    for column, values in zip(batch.schema, batch.columns, strict=True):
        if not _is_counted(column):
            continue
        if _holds_labels(column):
            model.attributes.add(column.name)
            for entry in pa.compute.value_counts(values).to_pylist():
                if entry["values"] is not None:
                    model.counts[_PREDICTIONS, (column.name, entry["values"]), ""] += entry["counts"]
            continue
        attribute = column.name.removesuffix("_confidence")
        model.attributes.add(attribute)
        for part, count in _histogram(values):
            model.counts[_CONFIDENCES, (attribute,), part] += count  # type: ignore[assignment]


def _histogram(values: "pa.Array") -> Iterator[tuple[str, float]]:
    """The count of each bucket, not cumulated, and the sum; values that are no number count for nothing."""
    import numpy as np

    observed = values.drop_null().to_numpy(zero_copy_only=False).astype(np.float64)
    observed = observed[np.isfinite(observed)]
    if not len(observed):
        return
    places = np.searchsorted(np.asarray(_EDGES) + _SLACK, observed, side="left")
    for place, count in enumerate(np.bincount(places).tolist()):
        if count:
            yield repr(float(_EDGES[place])) if place < len(_EDGES) else "+Inf", float(count)
    yield "sum", float(observed.sum())
