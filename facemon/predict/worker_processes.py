"""A loaded model in several processes: threads of one process wait for each other's Python between two images."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from queue import SimpleQueue

from facemon.errors import FacemonError
from facemon.predict.pipeline import PredictsImages
from facemon.values.image_input import ImageInput
from facemon.values.prediction import PredictedBatch

_STANDARD_STREAMS = 3


class WorkerProcesses:
    """Hands each chunk to a process that is free; as many threads as there are processes may call it at once."""

    def __init__(self, connections: Sequence[Connection]) -> None:
        self._free: SimpleQueue[Connection] = SimpleQueue()
        for connection in connections:
            self._free.put(connection)

    def predict(self, images: Sequence[ImageInput], run: str) -> PredictedBatch:
        """Predict a chunk; raises what the model raised, and FacemonError when a process was killed."""
        connection = self._free.get()
        try:
            connection.send((images, run))
            answer = connection.recv()
        except (EOFError, ConnectionError) as error:
            raise FacemonError(
                "a worker process was killed, perhaps because memory ran out",
                "use fewer workers (--threads), or a lower predict.max_pixels; --resume continues",
            ) from error
        finally:
            self._free.put(connection)
        if isinstance(answer, BaseException):
            raise answer
        return answer


@contextmanager
def worker_processes(predictor: PredictsImages, count: int) -> Iterator[PredictsImages]:
    """The predictor in `count` copies of this process while the block runs; for one, the predictor as it is.

    They share the loaded model's memory. Call it before the process has threads of its own. They end with the block,
    and with this process, however it ends.
    """
    if count == 1:
        yield predictor
        return
    context = get_context("fork")
    connections: list[Connection] = []
    processes: list[BaseProcess] = []
    try:
        for _ in range(count):
            ours, theirs = context.Pipe()
            # Before the start: a signal may end the block at any line, and a worker ends when its pipe is closed.
            connections.append(ours)
            processes.append(context.Process(target=_work, args=(predictor, theirs), daemon=True))
            processes[-1].start()
            theirs.close()
        yield WorkerProcesses(connections)
    finally:
        for connection in connections:
            connection.close()
        for process in processes:
            if process.pid is not None:
                process.join()


def _work(predictor: PredictsImages, connection: Connection) -> None:
    """Answer chunks until the other side has gone."""
    # The first of these signals asks the whole run to finish its chunks, which the other side sees to.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _let_go(connection.fileno())
    with suppress(EOFError, ConnectionError):
        while True:
            images, run = connection.recv()
            try:
                answer: PredictedBatch | BaseException = predictor.predict(images, run)
            except Exception as error:  # noqa: BLE001 - it is raised on the other side
                answer = error
            connection.send(answer)


def _let_go(kept: int) -> None:
    """Close all that was inherited: locks that must end with the run, pipes whose readers wait for their end."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.closerange(_STANDARD_STREAMS, kept)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))
