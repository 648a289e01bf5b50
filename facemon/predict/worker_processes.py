"""A loaded model in several processes: threads of one process wait for each other's Python between two images."""

import os
import pickle
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from queue import LifoQueue
from typing import Any, Generic, Protocol, TypeVar, cast

from facemon.errors import FacemonError
from facemon.values.image_input import ImageInput

_STANDARD_STREAMS = 3
_ENDING = (signal.SIGINT, signal.SIGTERM)


Answer_co = TypeVar("Answer_co", covariant=True)


class Predicts(Protocol[Answer_co]):
    """A loaded model, whatever it answers with."""

    def predict(self, images: Sequence[ImageInput], run: str) -> Answer_co:
        """Predict a chunk of images; FacemonError for trouble with the model."""


class WorkerProcesses(Generic[Answer_co]):
    """Hands each chunk to a process that is free; as many threads as there are processes may call it at once."""

    def __init__(self, connections: Sequence[Connection]) -> None:
        # The one that was busy last goes first: its processor still has the weights at hand.
        self._free: LifoQueue[Connection | None] = LifoQueue()
        for connection in connections:
            self._free.put(connection)
        self._lock = threading.Lock()
        self.alive = len(connections)
        """Processes that were not killed."""

    def predict(self, images: Sequence[ImageInput], run: str) -> Answer_co:
        """Predict a chunk; raises what the model raised, and FacemonError when a process was killed."""
        connection = self._free.get()
        if connection is None:
            self._free.put(None)
            raise FacemonError("all worker processes were killed, perhaps because memory ran out")
        try:
            _send(connection, (images, run))
            answer = _receive(connection)
        except (EOFError, ConnectionError) as error:
            self._lose_one()
            raise FacemonError(
                "a worker process was killed, perhaps because memory ran out",
                "use fewer workers, or a lower limit of pixels",
            ) from error
        except BaseException:
            self._free.put(connection)
            raise
        self._free.put(connection)
        if isinstance(answer, BaseException):
            raise answer
        return cast("Answer_co", answer)

    def _lose_one(self) -> None:
        with self._lock:
            self.alive -= 1
            if not self.alive:
                self._free.put(None)  # for whoever waits for a free one


@contextmanager
def worker_processes(predictor: Predicts[Answer_co], count: int) -> Iterator[Predicts[Answer_co]]:
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
            with _held_back(*_ENDING):
                processes[-1].start()
            theirs.close()
        yield WorkerProcesses(connections)
    finally:
        for connection in connections:
            connection.close()
        for process in processes:
            if process.pid is not None:
                process.join()


@contextmanager
def _held_back(*numbers: signal.Signals) -> Iterator[None]:
    """Let signals wait: Python loses an exception that a handler raises in what it calls around a fork."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(predictor: Predicts[Any], connection: Connection) -> None:
    """Answer chunks until the other side has gone."""
    # The first of these signals asks the whole run to finish its chunks, which the other side sees to.
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    _let_go(connection.fileno())
    with suppress(EOFError, ConnectionError):
        while True:
            images, run = _receive(connection)
            try:
                answer: Any = predictor.predict(images, run)
            except Exception as error:  # noqa: BLE001 - it is raised on the other side
                answer = error
            _send(connection, answer)


def _send(connection: Connection, message: Any) -> None:
    # What Connection.send would do, without the table of its own that slows each object down.
    connection.send_bytes(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))


def _receive(connection: Connection) -> Any:
    return pickle.loads(connection.recv_bytes())  # noqa: S301 - from a process that this one forked


def _let_go(kept: int) -> None:
    """Close all that was inherited: locks that must end with the run, pipes whose readers wait for their end."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.closerange(_STANDARD_STREAMS, kept)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))
