"""Rows as JSON objects of `facemon.prediction/1`, column by column: row by row takes 2.7 times as long for eight."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from facemon.domain.attribute import Attribute
from facemon.domain.kinds.registry import kind_of
from facemon.domain.prediction import SCHEMA_NAME
from facemon.domain.times import format_time, from_micros

if TYPE_CHECKING:
    import pyarrow as pa

_BEFORE = (
    "image", "image_id", "image_sha256", "face", "box", "face_confidence", "observed_at", "predicted_at", "model",
    "source",
)  # fmt: skip
_AFTER = ("error", "error_message")
"""The columns that an object has before and after its attributes."""
_TIMES = frozenset(("observed_at", "predicted_at"))
_NULL = "null"

_encoded = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
"""As `json.dumps`, which makes an encoder of its own for each call."""


class PredictionJson:
    """Writes rows of one model's log as JSON."""

    def __init__(self, attributes: Sequence[Attribute]) -> None:
        columns: list[str] = []
        objects: list[tuple[str, str]] = []
        for attribute in attributes:
            measures = kind_of(attribute).columns(attribute)
            columns += [measure.column(attribute.name) for measure in measures]
            objects.append((attribute.name, _object([(measure, "%s") for measure in measures])))
        self._columns = (*_BEFORE, *columns, *_AFTER)
        self._predicted, self._failed = (_template(_object(some)) for some in (objects, []))

    def texts(self, rows: "pa.RecordBatch") -> list[str]:
        """Return each row's object, without line ends; ValueError for a number that is not finite."""
        columns = dict(zip(rows.schema.names, rows.columns, strict=True))
        cells = [_times(columns[name]) if name in _TIMES else _values(columns[name]) for name in self._columns]
        error = -len(_AFTER)
        return [
            self._predicted % row if row[error] == _NULL else self._failed % (*row[: len(_BEFORE)], *row[error:])
            for row in zip(*cells, strict=True)
        ]


def _template(attributes: str) -> str:
    """An object with %s for each cell."""
    before, after = ([(name, "%s") for name in names] for names in (_BEFORE, _AFTER))
    schema = _encoded(SCHEMA_NAME)
    return _object([("schema", schema), *before, ("attributes", attributes), *after])


def _object(members: Sequence[tuple[str, str]]) -> str:
    """A JSON object of keys, which are plain names, and the texts of their values."""
    return "{" + ", ".join(f'"{key}": {value}' for key, value in members) + "}"


def _values(column: "pa.Array") -> list[str]:
    # Float32 carries about seven digits; more would print noise of the conversion.
    return [
        _NULL if value is None else _number(f"{value:.7g}") if isinstance(value, float) else _encoded(value)
        for value in column.to_pylist()
    ]


def _number(text: str) -> str:
    # With a point and no exponent, so few digits are what Python writes for that number too.
    return text if "." in text and "e" not in text else _encoded(float(text))


def _times(column: "pa.Array") -> list[str]:
    import pyarrow as pa

    counts = column.view(pa.int64()).to_pylist()
    # Most rows of a batch were predicted, and many observed, at one moment.
    texts = {count: _NULL if count is None else f'"{format_time(from_micros(count))}"' for count in set(counts)}
    return [texts[count] for count in counts]
