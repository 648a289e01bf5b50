"""One image becomes an answer: predicted, remembered, or shared with who asked just before; logged in any case."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime

from facemon.config.model import AttributeConfig
from facemon.domain.image_input import ImageInput
from facemon.domain.prediction import ErrorCode, PredictedBatch
from facemon.domain.prediction_json import PredictionJson
from facemon.domain.request_outcome import CacheResult
from facemon.server.image_answers import Answer, answers_of
from facemon.server.prediction_cache import PredictionCache, predicted_again
from facemon.server.prediction_queue import PoolStrength, PredictionQueue
from facemon.server.refusal import refuse
from facemon.server.waiting_images import Predicted, is_heavy

_READ_AT_ONCE = 2**20
"""Bytes that are read within the event loop; more would hold up others for more than a millisecond."""
MOST_HEAVY = 16
"""Images that may take long to decode and are waiting or being predicted: they must not take all slots."""


class LivePredictions:
    """Answers for single images within one event loop; `log` gets what the queue does not predict."""

    def __init__(
        self,
        queue: PredictionQueue,
        attributes: Sequence[AttributeConfig],
        log: Callable[[PredictedBatch], None],
        now: Callable[[], datetime],
        *,
        cache_size: int,
        looked_up: Callable[[CacheResult], None],
    ) -> None:
        """`looked_up` is told what the cache knew of each image; `now` dates what is not predicted again."""
        self._queue = queue
        self._json = PredictionJson(attributes)
        self._log = log
        self._looked_up = looked_up
        self._now = now
        self._computing: dict[str, asyncio.Future[Predicted]] = {}
        """What is being predicted at the moment, by the image's hash."""
        self.cache = PredictionCache(cache_size)

    @property
    def strength(self) -> PoolStrength:
        """How many workers can predict, of how many."""
        return self._queue.strength

    @property
    def model_answers(self) -> bool:
        """Whether the model's last prediction came without trouble."""
        return self._queue.model_answers

    def failed_within(self, seconds: float) -> bool:
        """Whether the model failed so short a time ago, and has not predicted since."""
        return self._queue.failed_within(seconds)

    async def answer(self, content: bytes, source: str | None) -> Answer:
        """Answer for one image and log it; FacemonError for trouble with the model, 503 where too many take long."""
        if len(content) > _READ_AT_ONCE:
            sha256, heavy = await asyncio.to_thread(_look_at, content)
        else:
            sha256, heavy = _look_at(content)
        if (remembered := self.cache.get(sha256)) is not None:
            self._looked_up(CacheResult.HIT)
            return self._again(remembered, source)
        if (computing := self._computing.get(sha256)) is not None:
            self._looked_up(CacheResult.SHARED)
            # Shielded: a client that leaves must not cancel the prediction for others.
            predicted = await asyncio.shield(computing)
            return self._again(predicted.batch.batch_of(predicted.place), source)
        if heavy and (waiting := self._queue.heavy) >= MOST_HEAVY:
            refuse(503, f"{waiting} images that take long to decode are waiting already", (b"retry-after", b"5"))
        self._looked_up(CacheResult.MISS)
        image = ImageInput(0, f"sha256:{sha256}", content=content, sha256=sha256, source=source)
        future = self._queue.submit(image, is_heavy=heavy)
        self._computing[sha256] = future
        try:
            predicted = await future
        finally:
            del self._computing[sha256]
        # These may have come of a fault that has passed.
        if self.cache.size and predicted.answer.error not in (ErrorCode.NAN, ErrorCode.CRASHED):
            self.cache.put(sha256, predicted.batch.batch_of(predicted.place))
        return predicted.answer

    def _again(self, batch: PredictedBatch, source: str | None) -> Answer:
        again = predicted_again(batch, source, self._now())
        self._log(again)
        return answers_of(again, self._json)[0]


def _look_at(content: bytes) -> tuple[str, bool]:
    """The image's hash, and whether it is heavy."""
    return hashlib.sha256(content).hexdigest(), is_heavy(content)
