"""One image becomes an answer: predicted, remembered, or shared with who asked just before; logged in any case."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

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
        seen = await _seen(content)
        self._refuse_heavy([seen])
        return await self._answer(content, seen, source)

    async def answers(self, contents: Sequence[bytes], source: str | None) -> list[Answer]:
        """As `answer`, for images that were sent together: where 503 is the answer, none of them is logged.

        Those that take long are predicted one after the other. Nothing is raised before all images are done.
        """
        seen = [await _seen(content) for content in contents]
        self._refuse_heavy(seen)
        turn = asyncio.Lock()

        async def in_turn(content: bytes, each: _Seen) -> Answer:
            if not each.is_heavy:
                return await self._answer(content, each, source)
            async with turn:
                return await self._answer(content, each, source)

        given = zip(contents, seen, strict=True)
        found = await asyncio.gather(*(in_turn(*each) for each in given), return_exceptions=True)
        if raised := [each for each in found if isinstance(each, BaseException)]:
            raise raised[0]
        return [each for each in found if isinstance(each, Answer)]

    def _refuse_heavy(self, images: "Sequence[_Seen]") -> None:
        """503 where an image would have to be decoded that takes long, and too many wait already."""
        waiting = self._queue.heavy
        if waiting >= MOST_HEAVY and any(each.is_heavy and not self._is_known(each.sha256) for each in images):
            refuse(503, f"{waiting} images that take long to decode are waiting already", (b"retry-after", b"5"))

    def _is_known(self, sha256: str) -> bool:
        return sha256 in self._computing or self.cache.get(sha256) is not None

    async def _answer(self, content: bytes, seen: "_Seen", source: str | None) -> Answer:
        sha256 = seen.sha256
        if (remembered := self.cache.get(sha256)) is not None:
            self._looked_up(CacheResult.HIT)
            return self._again(remembered, source)
        if (computing := self._computing.get(sha256)) is not None:
            self._looked_up(CacheResult.SHARED)
            # Shielded: a client that leaves must not cancel the prediction for others.
            predicted = await asyncio.shield(computing)
            return self._again(predicted.batch.batch_of(predicted.place), source)
        self._looked_up(CacheResult.MISS)
        image = ImageInput(0, f"sha256:{sha256}", content=content, sha256=sha256, source=source)
        future = self._queue.submit(image, is_heavy=seen.is_heavy)
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


class _Seen(NamedTuple):
    """An image's hash, and whether it is heavy."""

    sha256: str
    is_heavy: bool


async def _seen(content: bytes) -> _Seen:
    return await asyncio.to_thread(_look_at, content) if len(content) > _READ_AT_ONCE else _look_at(content)


def _look_at(content: bytes) -> _Seen:
    return _Seen(hashlib.sha256(content).hexdigest(), is_heavy(content))
