"""Images that wait for the model: whoever is free takes all of them at once, so that a crowd costs less an image."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import NamedTuple, Protocol, Self

from facemon.errors import FacemonError
from facemon.server.image_answers import Answer, AnsweredBatch
from facemon.values.image_input import ImageInput
from facemon.values.prediction import PredictedBatch

MOST_AT_ONCE = 8
"""Images of one inference; more would make the first wait for the last and gain nothing."""
_CROWD, _COMPANY_SECONDS = 4, 0.004


class PredictsAnswers(Protocol):
    """A model whose predictions bring their answers along; as many threads as there are call it at once."""

    def predict(self, images: Sequence[ImageInput], run: str) -> AnsweredBatch:
        """Predict images; FacemonError for trouble with the model."""


class Predicted(NamedTuple):
    """What became of one image: its answer, and its rows in the batch that it was predicted in."""

    answer: Answer
    batch: AnsweredBatch
    place: int


class _Waiting(NamedTuple):
    image: ImageInput
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Predicted]"


class PredictionQueue:
    """Predicts what is submitted from an event loop on `threads` threads; `log` hears of each batch."""

    def __init__(self, model: PredictsAnswers, log: Callable[[PredictedBatch], None], threads: int) -> None:
        self._model = model
        self._log = log
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._failed_at: float | None = None
        """When the model failed last, if it has not predicted since."""
        self._threads = [threading.Thread(target=self._work, name="predict", daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for _ in self._threads:
            self._queue.put(None)
        for each in self._threads:
            each.join()

    @property
    def model_answers(self) -> bool:
        """Whether the model's last prediction came without trouble."""
        return self._failed_at is None

    def failed_within(self, seconds: float) -> bool:
        """Whether the model failed so short a time ago, and has not predicted since."""
        return self._failed_at is not None and time.monotonic() - self._failed_at < seconds

    def submit(self, image: ImageInput) -> "asyncio.Future[Predicted]":
        """Let an image wait for its prediction; the future raises FacemonError for trouble with the model."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Predicted] = loop.create_future()
        self._queue.put(_Waiting(image, loop, future))
        return future

    def _work(self) -> None:
        before = 0
        while waiting := self._next(before):
            before = len(waiting)
            try:
                # Ordinals of this batch alone; the log gives its own.
                images = [replace(each.image, ordinal=place) for place, each in enumerate(waiting)]
                batch = self._model.predict(images, "")
                self._log(batch.batch)
            except Exception as error:  # noqa: BLE001 - it is raised where the answer is waited for
                if isinstance(error, FacemonError):
                    self._failed_at = time.monotonic()
                _deliver(waiting, error)
            else:
                self._failed_at = None
                _deliver(waiting, [Predicted(answer, batch, place) for place, answer in enumerate(batch.answers)])

    def _next(self, before: int) -> list[_Waiting]:
        """All that wait, the first ones if they are many; nothing at the end.

        Where a crowd came together `before`, as many are waited for a moment: the senders of the last ones are on
        their way again. A few senders never wait for each other.
        """
        taken: list[_Waiting] = []
        deadline = 0.0
        while len(taken) < MOST_AT_ONCE:
            try:
                found = self._queue.get(timeout=_time_left(deadline, len(taken) < before >= _CROWD) if taken else None)
            except Empty:
                break
            if found is None:
                if taken:
                    self._queue.put(None)  # the end is for another turn
                break
            if not taken:
                deadline = time.monotonic() + _COMPANY_SECONDS
            taken.append(found)
        return taken


def _time_left(deadline: float, is_waited_for: bool) -> float:
    return max(0.0, deadline - time.monotonic()) if is_waited_for else 0.0


def _deliver(waiting: Sequence[_Waiting], outcome: Exception | Sequence[Predicted]) -> None:
    def deliver() -> None:
        for place, each in enumerate(waiting):
            if each.future.cancelled():
                continue
            if isinstance(outcome, Exception):
                each.future.set_exception(outcome)
            else:
                each.future.set_result(outcome[place])

    waiting[0].loop.call_soon_threadsafe(deliver)
