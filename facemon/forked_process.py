"""A copy of this process that answers messages: Python of its own, with all that this process has in memory."""

import os
import pickle
import signal
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from multiprocessing import get_context
from typing import Any

_STANDARD_STREAMS = 3
_LENGTH = struct.Struct("!Q")
_PART_BYTES = 2**18
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Work = Callable[[], AbstractContextManager[Callable[[Any], Any]]]
"""Entered in the new process for the function that answers, and left when no more messages come."""


class ProcessEnded(Exception):
    """The process was killed, perhaps before it read the message."""


class ForkedProcess:
    """Answers one message at a time, by the function that `work` gives it; ends with this process, however that ends.

    Begin it before this process has threads of its own. Its messages come either all by `ask` or all by `answer`.
    """

    def __init__(self, work: Work) -> None:
        """What entering `work` raises is the answer to the first message."""
        with _held_back():
            self._socket, theirs = socket.socketpair()
            self._process = get_context("fork").Process(target=_answer, args=(work, theirs), daemon=True)
            self._process.start()
            theirs.close()

    def ask(self, message: object) -> Any:
        """The answer to a message; raises what answering raised, and ProcessEnded when the process was killed."""
        try:
            self._socket.sendall(_packed(message))
            answer = _receive(self._socket)
        except (EOFError, OSError) as error:
            raise ProcessEnded from error
        return _raised_or_given(answer)

    async def answer(self, message: object) -> Any:
        """The same within an event loop, which goes on meanwhile."""
        import asyncio

        loop = asyncio.get_running_loop()
        self._socket.setblocking(False)
        try:
            await loop.sock_sendall(self._socket, _packed(message))
            # No more than the one answer comes before the next message is sent.
            received = part = await loop.sock_recv(self._socket, _PART_BYTES)
            while part and not _is_whole(received):
                part = await loop.sock_recv(self._socket, _PART_BYTES)
                received += part
        except OSError as error:
            raise ProcessEnded from error
        if not part:
            raise ProcessEnded
        return _raised_or_given(_unpacked(received))

    def end(self) -> None:
        """Let no more messages come, and the process end by itself: see `join`."""
        self._socket.close()

    def join(self) -> None:
        """Wait until the process has ended."""
        self._process.join()


@contextmanager
def _held_back() -> Iterator[None]:
    """Let signals wait: Python loses an exception that a handler raises in what it calls around a fork."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _answer(work: Work, connection: socket.socket) -> None:
    """Answer messages until the other side has gone."""
    # The first of these signals asks all to finish what has begun, which the other side sees to.
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    _let_go(connection.fileno())
    with suppress(EOFError, ConnectionError), ExitStack() as stack:
        try:
            answer_to = stack.enter_context(work())
        except Exception as error:  # noqa: BLE001 - it is raised on the other side
            _receive(connection)
            connection.sendall(_packed(error))
            return
        while True:
            message = _receive(connection)
            try:
                answer: object = answer_to(message)
            except Exception as error:  # noqa: BLE001 - it is raised on the other side
                answer = error
            connection.sendall(_packed(answer))


def _raised_or_given(answer: Any) -> Any:
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _packed(message: object) -> bytes:
    pickled = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(pickled)) + pickled


def _is_whole(received: bytes) -> bool:
    return len(received) >= _LENGTH.size and len(received) >= _LENGTH.size + _LENGTH.unpack_from(received)[0]


def _unpacked(received: bytes) -> Any:
    return pickle.loads(memoryview(received)[_LENGTH.size :])  # noqa: S301 - from a process that this one forked


def _receive(connection: socket.socket) -> Any:
    (length,) = _LENGTH.unpack(_read(connection, _LENGTH.size))
    return pickle.loads(_read(connection, length))  # noqa: S301 - from a process that this one forked


def _read(connection: socket.socket, length: int) -> bytearray:
    received = bytearray(length)
    rest = memoryview(received)
    while rest:
        if not (count := connection.recv_into(rest)):
            raise EOFError
        rest = rest[count:]
    return received


def _let_go(kept: int) -> None:
    """Close all that was inherited: locks that must end with the run, pipes whose readers wait for their end."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.closerange(_STANDARD_STREAMS, kept)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))
