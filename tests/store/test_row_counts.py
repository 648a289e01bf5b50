from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.metric_catalogue import CATALOGUE
from facemon.store.row_counts import (
    CONFIDENCES,
    LATENCIES,
    PREDICTIONS,
    count_rows,
    histogram,
    label_columns,
    number_columns,
)
from facemon.store.totals import TotalKey, sum_totals
from tests.store.log_rows import MODEL, SCHEMA, make_batch


def test_columns_of_the_schema() -> None:
    assert label_columns(SCHEMA) == ["gender", "age"]
    assert number_columns(SCHEMA) == ["gender_confidence", "age_confidence", "age_value"]


def test_totals_are_what_the_rows_are() -> None:
    table = pa.Table.from_batches([make_batch(first, 50, run="r").rows for first in (0, 50)])
    rows, totals = table.to_pylist(), count_rows(table)
    for name in ("gender", "age"):
        labels = Counter(row[name] for row in rows if row[name] is not None)
        found = {key.labels[1]: value for key, value in totals.items() if key.labels[0] == name and not key.part}
        assert found == dict(labels)
        confidences = [row[f"{name}_confidence"] for row in rows if row[f"{name}_confidence"] is not None]
        assert totals[TotalKey(CONFIDENCES, (name, MODEL), "sum")] == pytest.approx(sum(confidences))
        parts = {key.part: value for key, value in totals.items() if key[:2] == (CONFIDENCES, (name, MODEL))}
        assert sum(parts.values()) - parts["sum"] == len(confidences)
    images = {key.labels[0]: value for key, value in totals.items() if key.metric == "images_processed_total"}
    assert images == {"ok": 80, "no_face": 10, "failed": 10}


@given(st.lists(st.floats(0, 100), max_size=40))
def test_a_histogram_counts_each_value_in_its_bucket(values: list[float]) -> None:
    edges = CATALOGUE[LATENCIES].buckets
    values = [value for value in values if min(abs(value - edge) for edge in edges) > 1e-6]
    expected = Counter(str(next((edge for edge in edges if value <= edge), "+Inf")) for value in values)
    found = histogram(LATENCIES, ("m",), values)
    assert {key.part: value for key, value in found.items() if key.part != "sum"} == expected
    assert sum(value for key, value in found.items() if key.part == "sum") == pytest.approx(sum(values))


@pytest.mark.parametrize("edge", CATALOGUE[CONFIDENCES].buckets)
def test_a_float32_on_an_edge_is_in_the_bucket_of_the_edge(edge: float) -> None:
    assert TotalKey(CONFIDENCES, ("a",), repr(edge)) in histogram(CONFIDENCES, ("a",), np.array([edge], np.float32))


def test_a_nan_does_not_reach_the_sum() -> None:
    found = histogram(CONFIDENCES, ("a",), [0.5, float("nan")])
    assert found == histogram(CONFIDENCES, ("a",), [0.5])
    assert histogram(CONFIDENCES, ("a",), [float("nan")]) == {}


@given(st.integers(0, 100))
def test_totals_add_up(cut: int) -> None:
    batch = make_batch(0, 90, run="r").rows
    cut = min(cut, batch.num_rows)
    pieces = [count_rows(pa.Table.from_batches([piece])) for piece in (batch[:cut], batch[cut:])]
    whole = count_rows(pa.Table.from_batches([batch]))
    assert sum_totals(*pieces) == pytest.approx(whole)


def test_each_row_counts_for_its_own_model() -> None:
    first = make_batch(0, 60, run="r").rows
    second = make_batch(60, 40, run="r").rows
    renamed = second.set_column(second.schema.get_field_index("model"), "model", pa.array(["b@2"] * second.num_rows))
    both = count_rows(pa.Table.from_batches([first, renamed]))
    assert both == pytest.approx(sum_totals(*(count_rows(pa.Table.from_batches([part])) for part in (first, renamed))))
    assert {key.labels[-1] for key in both if key.metric in (PREDICTIONS, CONFIDENCES)} == {MODEL, "b@2"}
