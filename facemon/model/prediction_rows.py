"""Rows of the log, assembled column by column from what was found in each image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from facemon.config.model import AttributeConfig
from facemon.domain.attribute import Measure
from facemon.domain.image_input import Box, ImageInput, ImageProblem
from facemon.domain.kinds.reading import Reading
from facemon.domain.prediction import ErrorCode
from facemon.model.image_features import ImageFeatures

if TYPE_CHECKING:
    import pyarrow as pa


class ImageOutcome(NamedTuple):
    """What was found in one image: its faces, or a problem and no face."""

    given: ImageInput
    observed_at: datetime
    sha256: str | None = None
    features: ImageFeatures | None = None
    boxes: tuple[Box | None, ...] = ()
    confidences: tuple[float | None, ...] = ()
    """The finder's own score of each face."""
    shares: tuple[float | None, ...] = ()
    problem: ImageProblem | None = None

    def failed(self, code: ErrorCode, message: str) -> "ImageOutcome":
        """The same image with a problem in the place of its faces."""
        return self._replace(boxes=(), confidences=(), shares=(), problem=ImageProblem(code, message))


@dataclass(frozen=True, slots=True)
class RowLayout:
    """The columns of the log by type: of a small batch, to call Arrow for each takes longer than their values."""

    schema: "pa.Schema"
    by_type: tuple[tuple["pa.DataType", tuple[str, ...]], ...]

    @classmethod
    def of(cls, schema: "pa.Schema") -> Self:
        """The layout of a schema."""
        found: dict[pa.DataType, list[str]] = {}
        for each in schema:
            found.setdefault(each.type, []).append(each.name)
        return cls(schema, tuple((kind, tuple(names)) for kind, names in found.items()))

    def record_batch(self, columns: Mapping[str, Any], rows: int) -> "pa.RecordBatch":
        """Return lists and arrays of so many rows as columns of Arrow."""
        import pyarrow as pa

        found: dict[str, pa.Array] = {}
        for kind, names in self.by_type:
            arrays = [name for name in names if isinstance(columns[name], np.ndarray)]
            lists = [name for name in names if name not in arrays] if arrays else names
            for some, together in ((arrays, np.concatenate), (lists, _chained)):
                if some:
                    whole = pa.array(together([columns[name] for name in some]), kind)
                    found |= {name: whole.slice(at * rows, rows) for at, name in enumerate(some)}
        return pa.RecordBatch.from_arrays([found[name] for name in self.schema.names], schema=self.schema)


def _chained(columns: Sequence[Sequence[Any]]) -> list[Any]:
    return list(chain.from_iterable(columns))


def prediction_rows(
    outcomes: Sequence[ImageOutcome],
    readings: Mapping[str, Reading],
    attributes: Sequence[AttributeConfig],
    constants: Mapping[str, Any],
    layout: RowLayout,
) -> "pa.RecordBatch":
    """One row for each face and one for each problem, in the order of the images.

    `readings` holds each attribute of all faces in that order, and nothing when there are none; `constants` are
    the columns that all rows share.
    """
    owners = [outcome for outcome in outcomes for _ in outcome.boxes or (None,)]
    has_face = [owner.problem is None for owner in owners]
    columns: dict[str, Any] = {name: [value] * len(owners) for name, value in constants.items()}
    columns |= {
        "ordinal": [owner.given.ordinal for owner in owners],
        "image": [owner.given.name for owner in owners],
        "image_id": [owner.given.id for owner in owners],
        "image_sha256": [owner.sha256 for owner in owners],
        "face": [face for outcome in outcomes for face in range(len(outcome.boxes)) or (None,)],
        "box": [box for outcome in outcomes for box in outcome.boxes or (None,)],
        "face_confidence": [score for outcome in outcomes for score in outcome.confidences or (None,)],
        "observed_at": [owner.observed_at for owner in owners],
        "source": [owner.given.source for owner in owners],
        "error": [owner.problem and owner.problem.code.value for owner in owners],
        "error_message": [owner.problem and owner.problem.message for owner in owners],
        "image_face_share": [share for outcome in outcomes for share in outcome.shares or (None,)],
    }
    for name in ImageFeatures._fields:
        columns[f"image_{name}"] = [owner.features and getattr(owner.features, name) for owner in owners]
    for attribute in attributes:
        columns |= _attribute_columns(attribute, readings.get(attribute.name), has_face)
    return layout.record_batch(columns, len(owners))


def _attribute_columns(attribute: AttributeConfig, reading: Reading | None, has_face: Sequence[bool]) -> dict[str, Any]:
    if reading is None:
        return {name: [None] * len(has_face) for name in attribute.columns}
    columns: dict[str, Any] = {}
    if reading.codes is not None:
        classes = attribute.classes
        columns[attribute.name] = _by_row([classes[code] for code in reading.codes.tolist()], has_face)
    if reading.confidence is not None:
        columns[Measure.CONFIDENCE.column(attribute.name)] = _numbers(reading.confidence, has_face)
    if reading.value is not None:
        columns[Measure.VALUE.column(attribute.name)] = _numbers(reading.value, has_face)
    return columns


def _numbers(column: Any, has_face: Sequence[bool]) -> Any:
    # Most chunks have a face in every row, and their numbers need not become Python's.
    return column if all(has_face) else _by_row(column.tolist(), has_face)


def _by_row(of_face: Sequence[Any], has_face: Sequence[bool]) -> list[Any]:
    """The faces' values in the rows that have one, None in the others."""
    faces = iter(of_face)
    return [next(faces) if has else None for has in has_face]
