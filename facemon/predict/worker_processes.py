"""A loaded model in several processes: threads of one process wait for each other's Python between two images."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from queue import LifoQueue
from typing import Generic, Protocol, TypeVar, cast

from facemon.errors import FacemonError
from facemon.forked_process import ForkedProcess, ProcessEnded
from facemon.values.image_input import ImageInput

Answer_co = TypeVar("Answer_co", covariant=True)


class Predicts(Protocol[Answer_co]):
    """A loaded model, whatever it answers with."""

    def predict(self, images: Sequence[ImageInput], run: str) -> Answer_co:
        """Predict a chunk of images; FacemonError for trouble with the model."""


class WorkerProcesses(Generic[Answer_co]):
    """Hands each chunk to a process that is free; as many threads as there are processes may call it at once."""

    def __init__(self, processes: Sequence[ForkedProcess]) -> None:
        # The one that was busy last goes first: its processor still has the weights at hand.
        self._free: LifoQueue[ForkedProcess | None] = LifoQueue()
        for process in processes:
            self._free.put(process)
        self._lock = threading.Lock()
        self.alive = len(processes)
        """Processes that were not killed."""

    def predict(self, images: Sequence[ImageInput], run: str) -> Answer_co:
        """Predict a chunk; raises what the model raised, and FacemonError when a process was killed."""
        process = self._free.get()
        if process is None:
            self._free.put(None)
            raise FacemonError("all worker processes were killed, perhaps because memory ran out")
        try:
            answer = process.ask((images, run))
        except ProcessEnded as error:
            self._lose_one()
            raise FacemonError(
                "a worker process was killed, perhaps because memory ran out",
                "use fewer workers, or a lower limit of pixels",
            ) from error
        except BaseException:
            self._free.put(process)
            raise
        self._free.put(process)
        return cast("Answer_co", answer)

    def _lose_one(self) -> None:
        with self._lock:
            self.alive -= 1
            if not self.alive:
                self._free.put(None)  # for whoever waits for a free one


@contextmanager
def forked_workers(predictor: Predicts[Answer_co], count: int) -> Iterator[list[ForkedProcess]]:
    """Copies of this process while the block runs, that answer `(images, run)` with a prediction.

    They share the loaded model's memory. Call it before the process has threads of its own. They end with the block,
    and with this process, however it ends.
    """
    processes: list[ForkedProcess] = []
    try:
        for _ in range(count):
            process = ForkedProcess(lambda: nullcontext(lambda message: predictor.predict(*message)))
            processes.append(process)
        yield processes
    finally:
        for process in processes:
            process.end()
        for process in processes:
            process.join()


@contextmanager
def worker_processes(predictor: Predicts[Answer_co], count: int) -> Iterator[Predicts[Answer_co]]:
    """The predictor in `count` processes while the block runs; for one, the predictor as it is."""
    if count == 1:
        yield predictor
        return
    with forked_workers(predictor, count) as processes:
        yield WorkerProcesses(processes)
