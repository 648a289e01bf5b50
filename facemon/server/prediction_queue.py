"""Images that wait for the model: whoever is free takes all of them at once, so that a crowd costs less an image."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from facemon.errors import FacemonError
from facemon.server.image_answers import Answer, AnsweredBatch
from facemon.server.model_workers import ModelWorker, WorkerKilled
from facemon.values.image_input import ImageInput
from facemon.values.prediction import PredictedBatch

MOST_AT_ONCE = 8
"""Images of one inference; more would make the first wait for the last and gain nothing."""
_CROWD, _COMPANY_SECONDS = 4, 0.004


class Predicted(NamedTuple):
    """What became of one image: its answer, and its rows in the batch that it was predicted in."""

    answer: Answer
    batch: AnsweredBatch
    place: int


class _Waiting(NamedTuple):
    image: ImageInput
    future: "asyncio.Future[Predicted]"


class PredictionQueue:
    """Lets workers predict what is submitted, all within one event loop; `log` hears of each batch."""

    def __init__(self, workers: Sequence[ModelWorker], log: Callable[[PredictedBatch], None]) -> None:
        self._log = log
        # The one that was busy last goes first: its processor still has the weights at hand.
        self._free = list(workers)
        self.alive = len(workers)
        """Workers that were not killed."""
        self._waiting: deque[_Waiting] = deque()
        self._crowd = 0
        """How many came together the last time."""
        self._company: asyncio.TimerHandle | None = None
        """While those who wait are few, and more are expected to come."""
        self._batches: set[asyncio.Task[None]] = set()
        self._failed_at: float | None = None
        """When the model failed last, if it has not predicted since."""

    @property
    def model_answers(self) -> bool:
        """Whether the model's last prediction came without trouble."""
        return self._failed_at is None

    def failed_within(self, seconds: float) -> bool:
        """Whether the model failed so short a time ago, and has not predicted since."""
        return self._failed_at is not None and time.monotonic() - self._failed_at < seconds

    def submit(self, image: ImageInput) -> "asyncio.Future[Predicted]":
        """Let an image, of ordinal 0, wait for its prediction; the future raises FacemonError for a model's trouble."""
        future: asyncio.Future[Predicted] = asyncio.get_running_loop().create_future()
        if self.alive:
            self._waiting.append(_Waiting(image, future))
            self._hand_out()
        else:
            future.set_exception(_all_killed())
        return future

    def _hand_out(self) -> None:
        """Let free workers take what waits.

        Where a crowd came together the last time, as many are waited for a moment: the senders of the last ones are
        on their way again. A few senders never wait for each other.
        """
        if self._free and self._waiting and len(self._waiting) < self._crowd >= _CROWD:
            if self._company is None:
                loop = asyncio.get_running_loop()
                self._company = loop.call_later(_COMPANY_SECONDS, self._hand_out_all)
        else:
            self._hand_out_all()

    def _hand_out_all(self) -> None:
        if self._company is not None:
            self._company.cancel()
            self._company = None
        while self._free and self._waiting:
            taken = [self._waiting.popleft() for _ in range(min(MOST_AT_ONCE, len(self._waiting)))]
            self._crowd = len(taken)
            batch = asyncio.get_running_loop().create_task(self._predict(self._free.pop(), taken))
            self._batches.add(batch)
            batch.add_done_callback(self._batches.discard)

    async def _predict(self, worker: ModelWorker, taken: Sequence[_Waiting]) -> None:
        try:
            # Ordinals of this batch alone; the log gives its own.
            images = [replace(each.image, ordinal=place) if place else each.image for place, each in enumerate(taken)]
            batch = await worker.predict(images)
            self._log(batch.batch)
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is waited for
            if isinstance(error, FacemonError):
                self._failed_at = time.monotonic()
            if isinstance(error, WorkerKilled):
                self.alive -= 1
            else:
                self._free.append(worker)
            _fail(taken, error)
        else:
            self._failed_at = None
            self._free.append(worker)
            for place, (each, answer) in enumerate(zip(taken, batch.answers, strict=True)):
                if not each.future.cancelled():
                    each.future.set_result(Predicted(answer, batch, place))
        if not self.alive:
            _fail(self._waiting, _all_killed())
            self._waiting.clear()
        self._hand_out()


def _all_killed() -> FacemonError:
    return FacemonError("all worker processes were killed, perhaps because memory ran out")


def _fail(waiting: Sequence[_Waiting], error: Exception) -> None:
    for each in waiting:
        if not each.future.cancelled():
            each.future.set_exception(error)
