import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.config.model import AttributeConfig
from facemon.domain.kinds.registry import KINDS
from facemon.domain.prediction import log_schema
from facemon.domain.prediction_json import PredictionJson
from tests.documents import documents_of
from tests.domain.count_kind import Count
from tests.store.log_rows import ATTRIBUTES, SCHEMA, make_batch

_ODD_TEXTS = ("null", '"', "%s", "a, b", "é\u2028\\\n")
_TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(_ODD_TEXTS)
_TIMES = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - gets its zone
_WHOLE = st.integers(-(2**31), 2**31 - 1)
_VALUES: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.string(): _TEXTS,
    pa.int32(): _WHOLE,
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float32(): st.floats(width=32, allow_nan=False, allow_infinity=False),
    pa.list_(pa.int32()): st.lists(_WHOLE, min_size=4, max_size=4),
    pa.timestamp("us", "UTC"): _TIMES,
}


@st.composite
def _rows(draw: st.DrawFn, schema: pa.Schema) -> pa.RecordBatch:
    """Rows with any value or none in each cell, some columns with none at all."""
    values = {field.name: st.none() if draw(st.booleans()) else st.none() | _VALUES[field.type] for field in schema}
    values["error"] = st.none() | st.sampled_from(["no_face", "unreadable"])
    rows = draw(st.lists(st.fixed_dictionaries(values), max_size=4))
    return pa.RecordBatch.from_pylist(rows, schema)


def _document(row: dict[str, Any], attributes: Sequence[AttributeConfig]) -> dict[str, Any]:
    """The object of a row as docs and schema describe it, without any of the product's ways to make it."""

    def shown(column: str) -> Any:
        value = row[column]
        if isinstance(value, datetime):
            return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
        return float(f"{value:.7g}") if isinstance(value, float) else value

    measures = {"label": "", "confidence": "_confidence", "value": "_value"}
    described = {
        each.name: {key: shown(each.name + end) for key, end in measures.items() if each.name + end in row}
        for each in attributes
    }
    before = ("image", "image_id", "image_sha256", "face", "box", "face_confidence", "observed_at", "predicted_at",
              "model", "source")  # fmt: skip
    return {
        "schema": "facemon.prediction/1", **{column: shown(column) for column in before},
        "attributes": {} if row["error"] else described,
        "error": row["error"], "error_message": row["error_message"],
    }  # fmt: skip


@given(_rows(SCHEMA))
def test_a_text_is_what_json_makes_of_the_rows_object(rows: pa.RecordBatch) -> None:
    texts = [json.dumps(_document(row, ATTRIBUTES), ensure_ascii=False) for row in rows.to_pylist()]
    assert PredictionJson(ATTRIBUTES).texts(rows) == texts


def test_whole_numbers_of_a_kind_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "count", Count())
    hands = AttributeConfig(name="hands", output="h", kind="count", values=(0.0, 1.0, 2.0))
    row = {"hands": "2+", "hands_confidence": 0.5, "hands_value": 2}
    (text,) = PredictionJson([hands]).texts(pa.RecordBatch.from_pylist([row], log_schema([hands])))
    assert '"attributes": {"hands": {"label": "2+", "confidence": 0.5, "value": 2}}' in text


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_a_number_that_json_does_not_know_is_refused(number: float) -> None:
    row = {"age": "old", "age_value": number}
    with pytest.raises(ValueError, match="not JSON compliant"):
        documents_of(pa.RecordBatch.from_pylist([row], SCHEMA), ATTRIBUTES)


def test_the_objects_of_failed_rows_and_of_faces() -> None:
    rows = make_batch(0, 4, run="r").rows
    documents = documents_of(rows, ATTRIBUTES)
    assert len(documents) == rows.num_rows == 5
    failed, no_face, face, *_ = documents
    assert failed["schema"] == "facemon.prediction/1"
    assert (failed["error"], failed["face"], failed["box"], failed["attributes"]) == ("unreadable", None, None, {})
    assert (no_face["error"], no_face["attributes"]) == ("no_face", {})
    assert (face["error"], face["face"], face["box"]) == (None, 0, [1, 2, 30, 40])
    assert face["observed_at"] == "2026-11-22T12:00:00.000000Z"
    assert face["attributes"].keys() == {"gender", "age"}
    assert face["attributes"]["gender"].keys() == {"label", "confidence"}
    assert face["attributes"]["age"].keys() == {"label", "confidence", "value"}


def test_numbers_carry_no_noise_of_float32() -> None:
    (row, *_) = make_batch(2, 1, run="r").rows.to_pylist()
    row["gender_confidence"] = 0.874
    (document,) = documents_of(pa.RecordBatch.from_pylist([row], SCHEMA), ATTRIBUTES)
    assert json.dumps(document["attributes"]["gender"]["confidence"]) == "0.874"
