"""Who predicts for an event loop: a process of its own, or a thread where the model does not outlive a fork."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, Self, cast

from facemon.errors import FacemonError
from facemon.forked_process import ForkedProcess, ProcessEnded
from facemon.server.image_answers import AnsweredBatch
from facemon.values.image_input import ImageInput


class WorkerKilled(FacemonError):
    """The worker is no more."""


class ModelWorker(Protocol):
    """Predicts one batch at a time."""

    async def predict(self, images: Sequence[ImageInput]) -> AnsweredBatch:
        """Predict images; FacemonError for trouble with the model, WorkerKilled when there will be no other answer."""


class InProcess:
    """A worker that is a process, which answers `(images, run)`."""

    def __init__(self, process: ForkedProcess) -> None:
        self._process = process

    async def predict(self, images: Sequence[ImageInput]) -> AnsweredBatch:
        """See ModelWorker."""
        try:
            return cast("AnsweredBatch", await self._process.answer((images, "")))
        except ProcessEnded as error:
            raise WorkerKilled(
                "a worker process was killed, perhaps because memory ran out",
                "use fewer workers, or a lower limit of pixels",
            ) from error


class PredictsAnswers(Protocol):
    """A model whose predictions bring their answers along."""

    def predict(self, images: Sequence[ImageInput], run: str) -> AnsweredBatch:
        """Predict images; FacemonError for trouble with the model."""


class InThread:
    """A worker that is a thread of this process, for as long as a block runs."""

    def __init__(self, model: PredictsAnswers) -> None:
        self._model = model
        self._thread = ThreadPoolExecutor(1, "model")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    async def predict(self, images: Sequence[ImageInput]) -> AnsweredBatch:
        """See ModelWorker."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._model.predict, images, "")
