"""What is answered for an image: the JSON of its rows, made where it is predicted."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from facemon.config.model import AttributeConfig
from facemon.domain.image_input import ImageInput
from facemon.domain.prediction import ErrorCode, Origin, PredictedBatch
from facemon.domain.prediction_json import PredictionJson

_OF_ERRORS = ("ordinal", "error", "error_message")


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
        self._json = PredictionJson(attributes)

    def predict(self, images: Sequence[ImageInput], run: str) -> AnsweredBatch:
        """Predict images; FacemonError only for trouble with the model."""
        batch = self._predict(images, run, Origin.API)
        return AnsweredBatch(batch, answers_of(batch, self._json))


def answers_of(batch: PredictedBatch, json: PredictionJson) -> tuple[Answer, ...]:
    """The answer of each image of a batch, in its order."""
    texts: dict[int, list[str]] = {ordinal: [] for ordinal in batch.ordinals}
    rows = batch.rows
    for ordinal, text in zip(rows["ordinal"].to_pylist(), json.texts(rows), strict=True):
        texts[ordinal].append(text)
    answers = {ordinal: Answer(tuple(own)) for ordinal, own in texts.items()}
    if rows["error"].null_count < rows.num_rows:
        for ordinal, error, message in zip(*(rows[name].to_pylist() for name in _OF_ERRORS), strict=True):
            if error not in (None, ErrorCode.NO_FACE):
                answers[ordinal] = answers[ordinal]._replace(error=ErrorCode(error), message=message or "")
    return tuple(answers.values())
