"""Rows of the log, assembled column by column from what was found in each image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from facemon.config.model import AttributeConfig
from facemon.model.attribute_decoding import Reading
from facemon.model.image_features import ImageFeatures
from facemon.values.image_input import Box, ImageInput, ImageProblem
from facemon.values.prediction import ErrorCode

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class ImageOutcome:
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
        return replace(self, boxes=(), confidences=(), shares=(), problem=ImageProblem(code, message))


def prediction_rows(
    outcomes: Sequence[ImageOutcome],
    readings: Mapping[str, Reading],
    attributes: Sequence[AttributeConfig],
    constants: Mapping[str, Any],
    schema: "pa.Schema",
) -> "pa.RecordBatch":
    """One row for each face and one for each problem, in the order of the images.

    `readings` holds each attribute of all faces in that order, and nothing when there are none; `constants` are
    the columns that all rows share.
    """
    import pyarrow as pa

    images = np.repeat(np.arange(len(outcomes)), [max(1, len(outcome.boxes)) for outcome in outcomes]).tolist()
    owners = [outcomes[index] for index in images]
    has_face = np.asarray([owner.problem is None for owner in owners], bool)
    columns: dict[str, Any] = {name: pa.repeat(pa.scalar(value), len(owners)) for name, value in constants.items()}
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
    arrays = [_array(columns[field.name], field.type) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _attribute_columns(
    attribute: AttributeConfig, reading: Reading | None, has_face: NDArray[np.bool_]
) -> dict[str, Any]:
    import pyarrow as pa

    if reading is None:
        return {name: pa.nulls(len(has_face)) for name in attribute.columns}
    # Row to face; a row without one takes nothing, which Arrow makes a null.
    faces = pa.array(np.cumsum(has_face) - 1, mask=~has_face)
    columns = {}
    if reading.codes is not None:
        columns[attribute.name] = pa.array(attribute.classes).take(pa.array(reading.codes)).take(faces)
        columns[f"{attribute.name}_confidence"] = pa.array(reading.confidence).take(faces)
    if reading.value is not None:
        columns[f"{attribute.name}_value"] = pa.array(reading.value).take(faces)
    return columns


def _array(column: Any, wanted: "pa.DataType") -> "pa.Array":
    import pyarrow as pa

    return column.cast(wanted) if isinstance(column, pa.Array) else pa.array(column, wanted)
