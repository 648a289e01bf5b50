"""What rows add to the totals: predictions, confidences and images, counted by column."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute

from facemon.config.model import LOG_COLUMNS, RESERVED_PREFIX
from facemon.domain.attribute import Measure
from facemon.domain.metric_catalogue import CATALOGUE
from facemon.domain.prediction import ErrorCode
from facemon.store.totals import TotalKey, Totals, bucket_part

PREDICTIONS = "model_predictions_total"
CONFIDENCES = "model_confidence_score"
IMAGES = "images_processed_total"
LATENCIES = "model_inference_latency_seconds"


def label_columns(schema: pa.Schema) -> list[str]:
    """The columns that hold an attribute's labels."""
    return [
        field.name
        for field in schema
        if field.name not in LOG_COLUMNS
        and not field.name.startswith(RESERVED_PREFIX)
        and (pa.types.is_string(field.type) or pa.types.is_dictionary(field.type))
    ]


def number_columns(schema: pa.Schema) -> list[str]:
    """The columns that hold an attribute's confidences and values."""
    known = {*LOG_COLUMNS, *label_columns(schema)}
    return [field.name for field in schema if field.name not in known and not field.name.startswith(RESERVED_PREFIX)]


def count_rows(table: pa.Table) -> Totals:
    """The totals of a table of log rows, each label and each confidence counted for its row's model."""
    totals: Totals = {}
    models = table["model"].unique().to_pylist()
    for model in models:
        rows = table if len(models) == 1 else table.filter(pa.compute.equal(table["model"], model))
        totals |= _count_of_model(rows, model)
    for status, count in _images(table):
        totals[TotalKey(IMAGES, (status,), "")] = count
    return totals


def _count_of_model(table: pa.Table, model: str) -> Totals:
    totals: Totals = {}
    for column in label_columns(table.schema):
        for label, count in _value_counts(table[column]):
            if label is not None:
                totals[TotalKey(PREDICTIONS, (column, label, model), "")] = count
    for column in number_columns(table.schema):
        if (attribute := Measure.CONFIDENCE.attribute_of(column)) is not None:
            values = table[column].drop_null().to_numpy().astype(np.float64)
            totals |= histogram(CONFIDENCES, (attribute, model), values)
    return totals


def histogram(metric: str, labels: tuple[str, ...], values: Iterable[float]) -> Totals:
    """The counts per bucket (not cumulated) and the sum of a histogram's observations."""
    observed = np.asarray(values if isinstance(values, np.ndarray) else list(values), dtype=np.float64)
    observed = observed[np.isfinite(observed)]  # one NaN would make the sum NaN forever
    if not len(observed):
        return {}
    edges = CATALOGUE[metric].buckets
    # float32 turns 0.99 into a little more or less; an edge belongs to its own bucket either way.
    places = np.searchsorted(np.asarray(edges) + 1e-7, observed, side="left")
    counts = np.bincount(places, minlength=len(edges) + 1)
    totals: Totals = {
        TotalKey(metric, labels, bucket_part(edges, index)): float(count) for index, count in enumerate(counts) if count
    }
    totals[TotalKey(metric, labels, "sum")] = float(observed.sum())
    return totals


def _images(table: pa.Table) -> list[tuple[str, float]]:
    errors, first = table["error"], pa.compute.fill_null(pa.compute.equal(table["face"], 0), False)
    no_face = pa.compute.sum(pa.compute.equal(errors, ErrorCode.NO_FACE.value)).as_py() or 0
    with_error = len(errors) - errors.null_count
    outcomes = {"ok": pa.compute.sum(first).as_py() or 0, "no_face": no_face, "failed": with_error - no_face}
    return [(status, float(count)) for status, count in outcomes.items() if count]


def _value_counts(column: pa.ChunkedArray) -> list[tuple[str | None, float]]:
    return [(entry["values"], float(entry["counts"])) for entry in pa.compute.value_counts(column).to_pylist()]
