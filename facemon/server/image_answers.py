"""What is answered for an image: the JSON of its rows, made where it is predicted."""

import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from facemon.config.model import AttributeConfig
from facemon.domain.image_input import ImageInput
from facemon.domain.prediction import ErrorCode, Origin, PredictedBatch, prediction_documents

_encoded = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
"""As `json.dumps`, which makes an encoder of its own for each call."""


class Answer(NamedTuple):
    """What came of an image: the JSON of each of its rows, and its error if it has one."""

    rows: tuple[str, ...]
    error: ErrorCode | None = None
    message: str = ""


class AnsweredBatch(NamedTuple):
    """Predictions of some images, and each one's answer in the same order."""

    batch: PredictedBatch
    answers: tuple[Answer, ...]

    def batch_of(self, place: int) -> PredictedBatch:
        """The rows of one of the images alone."""
        rows = self.batch.rows
        ordinal = self.batch.ordinals[place]
        first, end = np.searchsorted(rows["ordinal"].to_numpy(), [ordinal, ordinal + 1])
        return PredictedBatch(rows.slice(first, end - first), (ordinal,), ())


class AnsweringPredictor:
    """A predictor whose batches bring their answers along."""

    def __init__(
        self,
        predict: Callable[[Sequence[ImageInput], str, Origin], PredictedBatch],
        attributes: Sequence[AttributeConfig],
    ) -> None:
        self._predict = predict
        self._attributes = attributes

    def predict(self, images: Sequence[ImageInput], run: str) -> AnsweredBatch:
        """Predict images; FacemonError only for trouble with the model."""
        batch = self._predict(images, run, Origin.API)
        return AnsweredBatch(batch, answers_of(batch, self._attributes))


def answers_of(batch: PredictedBatch, attributes: Sequence[AttributeConfig]) -> tuple[Answer, ...]:
    """The answer of each image of a batch, in its order."""
    rows: dict[int, list[str]] = {ordinal: [] for ordinal in batch.ordinals}
    errors: dict[int, tuple[str, str]] = {}
    documents = prediction_documents(batch.rows, attributes)
    for ordinal, document in zip(batch.rows["ordinal"].to_pylist(), documents, strict=True):
        rows[ordinal].append(_encoded(document))
        if document["error"] not in (None, ErrorCode.NO_FACE):
            errors[ordinal] = (document["error"], document["error_message"] or "")
    return tuple(
        Answer(tuple(texts), ErrorCode(errors[ordinal][0]), errors[ordinal][1])
        if ordinal in errors
        else Answer(tuple(texts))
        for ordinal, texts in rows.items()
    )
