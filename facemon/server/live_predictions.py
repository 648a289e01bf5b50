"""One image of a request becomes rows: predicted or remembered, logged in either case."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from facemon.config.model import AttributeConfig
from facemon.errors import FacemonError
from facemon.server.prediction_cache import PredictionCache, predicted_again
from facemon.values.image_input import ImageInput
from facemon.values.prediction import ErrorCode, Origin, PredictedBatch, prediction_documents


class PredictsImages(Protocol):
    """What the API needs of a model; several threads call it at once."""

    def predict(self, images: Sequence[ImageInput], run: str, *, origin: Origin) -> PredictedBatch:
        """Predict images; one that is wrong gets a row with an error."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an image: the JSON for its sender, or why there is none."""

    document: bytes
    error: ErrorCode | None = None
    message: str = ""


class LivePredictions:
    """Predicts single images for any number of threads, and hands every prediction to the log."""

    def __init__(
        self,
        predictor: PredictsImages,
        attributes: Sequence[AttributeConfig],
        log: Callable[[PredictedBatch], None],
        *,
        cache_size: int,
    ) -> None:
        self._predictor = predictor
        self._attributes = attributes
        self._log = log
        self.cache = PredictionCache(cache_size)
        self.model_answers = True
        """Whether the model's last prediction came without trouble."""

    def answer(self, content: bytes, source: str | None) -> Answer:
        """Predict one image and log it; FacemonError for trouble with the model."""
        sha256 = hashlib.sha256(content).hexdigest()
        remembered = self.cache.get(sha256)
        if remembered is None:
            batch = self._predict(ImageInput(0, f"sha256:{sha256}", content=content, source=source))
        else:
            batch = predicted_again(remembered, source, datetime.now(UTC))
        self._log(batch)
        error = batch.rows["error"][0].as_py()
        # A number that is none may have come of a fault that has passed.
        if remembered is None and error != ErrorCode.NAN:
            self.cache.put(sha256, batch)
        if error not in (None, ErrorCode.NO_FACE):
            return Answer(b"", ErrorCode(error), batch.rows["error_message"][0].as_py() or "")
        return Answer(_document(batch, self._attributes))

    def _predict(self, image: ImageInput) -> PredictedBatch:
        try:
            batch = self._predictor.predict([image], "", origin=Origin.API)
        except FacemonError:
            self.model_answers = False
            raise
        self.model_answers = True
        return batch


def _document(batch: PredictedBatch, attributes: Sequence[AttributeConfig]) -> bytes:
    predictions = list(prediction_documents(batch.rows, attributes))
    return json.dumps({"predictions": predictions}, ensure_ascii=False, allow_nan=False).encode()
