"""A copy of this process that answers messages: Python of its own, with all that this process has in memory."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from typing import Any

from facemon import message_socket
from facemon.interruption import Uninterrupted

_STANDARD_STREAMS = 3
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Work = Callable[[], AbstractContextManager[Callable[[Any], Any]]]
"""Entered in the new process for the function that answers, and left when no more messages come."""


class ProcessEnded(Exception):
    """The process was killed, perhaps before it read the message."""


class AnsweringProcess:
    """The near end of a process that answers one message at a time, either all by `ask` or all by `answer`."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    def ask(self, message: object) -> Any:
        """The answer to a message; raises what answering raised, and ProcessEnded when the process was killed."""
        try:
            message_socket.send(self._socket, message)
            answer = message_socket.receive(self._socket)
        except (EOFError, OSError) as error:
            raise ProcessEnded from error
        return _raised_or_given(answer)

    async def answer(self, message: object) -> Any:
        """The same within an event loop, which goes on meanwhile."""
        try:
            answer = await message_socket.ask(self._socket, message)
        except (EOFError, OSError) as error:
            raise ProcessEnded from error
        return _raised_or_given(answer)

    def end(self) -> None:
        """Let no more messages come, and the process end by itself once it has answered."""
        self._socket.close()


class ForkedProcess(AnsweringProcess):
    """Answers messages by the function that `work` gives it; ends with this process, however that ends.

    Begin it before this process has threads of its own.
    """

    def __init__(self, work: Work) -> None:
        """What entering `work` raises is the answer to the first message."""
        ours, theirs = socket.socketpair()
        super().__init__(ours)
        try:
            # A signal in between would leave a process that waits for messages while this one waits for its end.
            with theirs, Uninterrupted():
                self._process = fork(lambda: answer_messages(work, theirs))
        except BaseException:
            ours.close()
            raise

    def join(self) -> None:
        """Wait until the process has ended."""
        self._process.join()

    def kill(self) -> None:
        """End the process at once, whatever it does; for one that only reads."""
        self.end()
        self._process.kill()
        self.join()


def fork(run: Callable[[], None]) -> BaseProcess:
    """Begin a copy of this process that runs a function and ends."""
    with held_back():
        process = get_context("fork").Process(target=run, daemon=True)
        process.start()
    return process


def answer_messages(work: Work, connection: socket.socket, *kept: int) -> None:
    """Answer messages until the other side has gone; of what was inherited, only `kept` files stay open."""
    ignore_endings()
    let_go(connection.fileno(), *kept)
    with suppress(EOFError, ConnectionError), ExitStack() as stack:
        try:
            answer_to = stack.enter_context(work())
        except Exception as error:  # noqa: BLE001 - it is raised on the other side
            message_socket.receive(connection)
            message_socket.send(connection, error)
            return
        while True:
            message = message_socket.receive(connection)
            try:
                answer: object = answer_to(message)
            except Exception as error:  # noqa: BLE001 - it is raised on the other side
                answer = error
            message_socket.send(connection, answer)


def ignore_endings() -> None:
    """Outlive the signals that ask all processes of a program to end: the first one sees to what has begun."""
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


def let_go(*kept: int) -> None:
    """Close all that was inherited: locks that must end with the run, pipes whose readers wait for their end."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    first = _STANDARD_STREAMS
    for number in (*sorted(kept), os.sysconf("SC_OPEN_MAX")):
        os.closerange(first, number)
        first = number + 1


@contextmanager
def held_back() -> Iterator[None]:
    """Let signals wait: Python loses an exception that a handler raises in what it calls around a fork."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _raised_or_given(answer: Any) -> Any:
    if isinstance(answer, BaseException):
        raise answer
    return answer
