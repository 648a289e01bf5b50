"""Images that wait for the model: whoever is free takes all of them at once, so that a crowd costs less an image."""

import asyncio
import threading
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
        self.model_answers = True
        """Whether the model's last prediction came without trouble."""
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

    def submit(self, image: ImageInput) -> "asyncio.Future[Predicted]":
        """Let an image wait for its prediction; the future raises FacemonError for trouble with the model."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Predicted] = loop.create_future()
        self._queue.put(_Waiting(image, loop, future))
        return future

    def _work(self) -> None:
        while waiting := self._next():
            try:
                # Ordinals of this batch alone; the log gives its own.
                images = [replace(each.image, ordinal=place) for place, each in enumerate(waiting)]
                batch = self._model.predict(images, "")
                self._log(batch.batch)
            except Exception as error:  # noqa: BLE001 - it is raised where the answer is waited for
                if isinstance(error, FacemonError):
                    self.model_answers = False
                _deliver(waiting, error)
            else:
                self.model_answers = True
                _deliver(waiting, [Predicted(answer, batch, place) for place, answer in enumerate(batch.answers)])

    def _next(self) -> list[_Waiting]:
        """All that wait, the first ones if they are many; nothing at the end."""
        first = self._queue.get()
        if first is None:
            return []
        taken = [first]
        while len(taken) < MOST_AT_ONCE:
            try:
                following = self._queue.get_nowait()
            except Empty:
                break
            if following is None:
                self._queue.put(None)  # the end is for another turn
                break
            taken.append(following)
        return taken


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
