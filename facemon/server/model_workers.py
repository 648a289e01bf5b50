"""Who predicts for an event loop: a process of its own, or a thread where the model does not outlive a fork."""

import asyncio
import os
import select
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol, Self

from facemon.domain.image_input import ImageInput
from facemon.domain.predicting import Predicts
from facemon.errors import FacemonError
from facemon.fork_server import Ending, ForkServer, ServedProcess
from facemon.forked_process import ProcessEnded
from facemon.server.image_answers import AnsweredBatch


class WorkerDied(Exception):
    """The worker ended instead of answering, and predicts again after `renew`."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending)
        self.ending = ending


class ModelWorker(Protocol):
    """Predicts one batch at a time."""

    @property
    def is_alive(self) -> bool:
        """Whether the worker can be asked; a free one may end at any time."""

    async def predict(self, images: Sequence[ImageInput]) -> AnsweredBatch:
        """Predict images; FacemonError for trouble with the model, WorkerDied where the worker has ended."""

    async def renew(self) -> None:
        """Begin again after the worker has ended; OSError when there is no room, FacemonError when there never is."""


class InProcess:
    """A worker that is a process, which answers `(images, run)`."""

    def __init__(self, server: ForkServer, process: ServedProcess, patience: float, *, niceness: int = 0) -> None:
        """The server replaces the process; one that does not answer for `patience` seconds is ended.

        The process runs at a priority that is lower than this one's by `niceness`, as nice(1) counts.
        """
        self._server = server
        self._patience = patience
        self._niceness = niceness
        self._follow(process)

    @property
    def is_alive(self) -> bool:
        """See ModelWorker."""
        return not self._is_finished and not _has_ended(self._process.life)

    @property
    def pid(self) -> int:
        """The number of the process that there is now, or was last."""
        return self._process.pid

    async def predict(self, images: Sequence[ImageInput]) -> AnsweredBatch:
        """See ModelWorker."""
        try:
            async with asyncio.timeout(self._patience):
                answer: AnsweredBatch = await self._process.answer((images, ""))
        except ProcessEnded:
            raise WorkerDied(await self._finish()) from None
        except TimeoutError:
            ending = await self._finish()
            raise WorkerDied(ending._replace(late_after=self._patience)) from None
        return answer

    async def renew(self) -> None:
        """See ModelWorker."""
        if not self._is_finished:
            await self._finish()
        try:
            self._follow(await asyncio.to_thread(self._server.start))
        except ProcessEnded as error:
            raise _unreplaceable() from error

    def _follow(self, process: ServedProcess) -> None:
        self._process = process
        self._is_finished = False
        if self._niceness:
            with suppress(OSError):  # it has ended, which `is_alive` tells
                # The system takes the lowest priority for all that would be below it.
                os.setpriority(os.PRIO_PROCESS, process.pid, os.getpriority(os.PRIO_PROCESS, 0) + self._niceness)

    async def _finish(self) -> Ending:
        self._is_finished = True
        try:
            return await asyncio.to_thread(self._process.finish)
        except ProcessEnded:
            return Ending(None)  # nothing can tell how, and `renew` says that there will be no other


def _has_ended(life: int) -> bool:
    """Whether a process has let go of its end of a pipe. Threads may ask at once, which no poll object allows."""
    poll = select.poll()
    poll.register(life, 0)
    return bool(poll.poll(0))


class InThread:
    """A worker that is a thread of this process, for as long as a block runs."""

    is_alive = True

    def __init__(self, model: Predicts[AnsweredBatch]) -> None:
        self._model = model
        self._thread = ThreadPoolExecutor(1, "model")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    async def predict(self, images: Sequence[ImageInput]) -> AnsweredBatch:
        """See ModelWorker."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._model.predict, images, "")

    async def renew(self) -> None:
        """See ModelWorker; a thread never ends."""


def _unreplaceable() -> FacemonError:
    return FacemonError(
        "the process that starts workers was killed, perhaps because memory ran out",
        "give it more memory or fewer --workers, then restart facemon serve",
    )
