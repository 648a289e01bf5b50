"""Copies of this process at any time, also once it has threads: made by a copy that was made before and has none.

The copies share the memory of what was loaded before, such as a model.
"""

import os
import signal
import socket
import threading
from typing import NamedTuple

from facemon.forked_process import AnsweringProcess, ProcessEnded, Work, answer_messages, fork, ignore_endings, let_go

_START, _END = b"start", b"end"
_LONGEST_ORDER = 64


class Ending(NamedTuple):
    """How a process ended: the signal that ended it, none for an exit by itself."""

    signal: signal.Signals | None

    @property
    def is_from_outside(self) -> bool:
        """Whether it was ended for nothing that it did itself, as far as the signal tells."""
        return self.signal in (signal.SIGKILL, signal.SIGTERM)

    def __str__(self) -> str:
        """How it ended, to follow "was"."""
        return f"ended by {self.signal.name}" if self.signal else "ended"


class ServedProcess(AnsweringProcess):
    """A process that a ForkServer has begun, and can end at any moment."""

    def __init__(self, server: "ForkServer", connection: socket.socket, process: int, life: int) -> None:
        super().__init__(connection)
        self._server = server
        self.process = process
        """Its number."""
        self.life = life
        """The reading end of a pipe that ends when the process does, and brings nothing."""

    def finish(self) -> Ending:
        """End the process at once, whatever it does, and say how it ended: perhaps before this; ProcessEnded as `start`."""
        self._socket.close()
        os.close(self.life)
        return self._server.end_process(self.process)


class ForkServer:
    """Begins and ends processes that answer messages by `work`, in which any thread may order it.

    Make it before this process has threads of its own. Its processes end with it, and it ends with this process.
    """

    def __init__(self, work: Work) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        self._process = fork(lambda: _serve(work, theirs))
        theirs.close()

    def start(self) -> ServedProcess:
        """Begin a process; ProcessEnded when the server was killed."""
        ours, theirs = socket.socketpair()
        life, their_life = os.pipe()
        try:
            with theirs:
                process = self._order(_START, theirs.fileno(), their_life)
        except ProcessEnded:
            ours.close()
            os.close(life)
            raise
        finally:
            os.close(their_life)
        return ServedProcess(self, ours, process, life)

    def end_process(self, process: int) -> Ending:
        """End a process that this server began; ProcessEnded when the server was killed."""
        number = self._order(_END + b" %d" % process)
        return Ending(signal.Signals(number) if number else None)

    def close(self) -> None:
        """End all processes at once, and the server."""
        self._socket.close()
        self._process.join()

    def _order(self, order: bytes, *files: int) -> int:
        with self._lock:
            try:
                socket.send_fds(self._socket, [order], list(files))
                answer = self._socket.recv(_LONGEST_ORDER)
            except OSError as error:
                raise ProcessEnded from error
        if not answer:
            raise ProcessEnded
        return int(answer)


def _serve(work: Work, orders: socket.socket) -> None:
    """Carry out orders until the process that gives them has ended."""
    ignore_endings()
    let_go(orders.fileno())
    processes: set[int] = set()
    try:
        while True:
            order, files, _, _ = socket.recv_fds(orders, _LONGEST_ORDER, 2)
            if not order:
                return
            if order == _START:
                process = _begin(work, *files)
                processes.add(process)
                answer = process
            else:
                process = int(order.removeprefix(_END))
                processes.discard(process)
                answer = _killed(process)
            orders.send(b"%d" % answer)
    except ConnectionError:
        return
    finally:
        for process in processes:
            _killed(process)


def _begin(work: Work, connection: int, life: int) -> int:
    """Begin a process that answers what comes over a connection, and holds `life` open; answers its number."""
    process = os.fork()
    if not process:
        try:
            answer_messages(work, socket.socket(fileno=connection), life)
        finally:
            os._exit(0)
    os.close(connection)
    os.close(life)
    return process


def _killed(process: int) -> int:
    """Kill a child, dead or alive, and answer the signal that ended it; 0 for an exit.

    Only this process waits for its children, so the number cannot be another one's meanwhile.
    """
    os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
