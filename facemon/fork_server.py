"""Copies of this process at any time, also once it has threads: made by a copy that was made before and has none.

The copies share the memory of what was loaded before, such as a model.
"""

import errno
import os
import signal
import socket
import threading
import weakref
from collections.abc import Callable
from functools import partial
from multiprocessing.process import BaseProcess
from typing import NamedTuple, Self

from facemon.forked_process import (
    AnsweringProcess,
    ProcessEnded,
    Work,
    answer_messages,
    fork,
    held_back,
    ignore_endings,
    let_go,
)
from facemon.interruption import Uninterrupted

_START, _END = b"start", b"end"
_LONGEST_ORDER = 64


class Ending(NamedTuple):
    """How a process ended: the signal that ended it, none for an exit by itself."""

    signal: signal.Signals | None
    late_after: float | None = None
    """The seconds for which it had not answered, where it was ended for that."""

    @property
    def is_from_outside(self) -> bool:
        """Whether it was ended for nothing that it did itself, as far as can be told."""
        return self.late_after is None and self.signal in (signal.SIGKILL, signal.SIGTERM)

    def __str__(self) -> str:
        """How it ended, to follow "was"."""
        if self.late_after is not None:
            return f"ended because it did not answer for {self.late_after:g} s"
        return f"ended by {self.signal.name}" if self.signal else "ended"


class ServedProcess(AnsweringProcess):
    """A process that can be ended at any moment."""

    def __init__(self, connection: socket.socket, life: int, pid: int, kill: Callable[[], int]) -> None:
        """`kill` ends the process, dead or alive, and answers the signal that ended it, or 0."""
        super().__init__(connection)
        self.pid = pid
        """Its process id, which the system does not reuse before `finish`."""
        self._kill = kill
        self._close_life = weakref.finalize(self, os.close, life)
        self.life = life
        """The reading end of a pipe that ends when the process does, and brings nothing."""

    def close(self) -> None:
        """Close what belongs to the process here; any thread may call it, and again."""
        self._socket.close()
        self._close_life()

    def finish(self) -> Ending:
        """End the process at once, if it has not ended, and say how it ended; ProcessEnded when nothing can tell."""
        self.close()
        number = self._kill()
        return Ending(signal.Signals(number) if number else None)


class ForkServer:
    """Begins processes that answer messages by `work`, on the order of any thread; the first ones at once.

    Make it before this process has threads of its own. All processes end with it, and it ends with this process.
    """

    def __init__(self, work: Work, first: int) -> None:
        self._lock = threading.Lock()
        self._children: set[int] = set()
        """The first processes, which this one begins itself."""
        self._served = weakref.WeakSet[ServedProcess]()
        self.first: list[ServedProcess] = []
        """As many processes as were asked for."""
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process: BaseProcess | None = None
        try:
            # A signal in between would leave processes that wait for orders while this one waits for their end.
            with theirs, Uninterrupted():
                self.first += [self._begin_here(work) for _ in range(first)]
                self._process = fork(lambda: _serve(work, theirs))
        except BaseException:
            self.close()
            raise

    def start(self) -> ServedProcess:
        """Begin a process; ProcessEnded when the server was killed, OSError when the system has no room for one."""
        with _Ends() as ends:
            process = self._order(_START, *ends.theirs)
            if process < 0:
                raise OSError(-process, os.strerror(-process))
            return self._known(ServedProcess(*ends.kept(), process, partial(self._order, _END + b" %d" % process)))

    def _begin_here(self, work: Work) -> ServedProcess:
        with _Ends() as ends, held_back():
            process = _begin(work, *ends.theirs)
            self._children.add(process)
            return self._known(ServedProcess(*ends.kept(), process, partial(self._kill_child, process)))

    def _known(self, process: ServedProcess) -> ServedProcess:
        self._served.add(process)
        return process

    def _kill_child(self, process: int) -> int:
        with self._lock:
            # Once: its number may be another process's afterwards.
            if process not in self._children:
                return 0
            self._children.remove(process)
        return _killed(process)

    def close(self) -> None:
        """End all processes at once, and the server."""
        for served in tuple(self._served):
            served.close()
        for process in tuple(self._children):
            self._kill_child(process)
        self._socket.close()
        if self._process is not None:
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


class _Ends:
    """The ends of a connection and of a pipe that tells of life: two for a new process, and two to keep."""

    def __enter__(self) -> Self:
        self._ours, self._theirs = socket.socketpair()
        self._life, self._their_life = os.pipe()
        self._is_kept = False
        return self

    def __exit__(self, *_: object) -> None:
        self._theirs.close()
        os.close(self._their_life)
        if not self._is_kept:
            self._ours.close()
            os.close(self._life)

    @property
    def theirs(self) -> tuple[int, int]:
        """The files of the new process."""
        return self._theirs.fileno(), self._their_life

    def kept(self) -> tuple[socket.socket, int]:
        """Keep the other ends open after the block."""
        self._is_kept = True
        return self._ours, self._life


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
                try:
                    answer = _begin(work, *files)
                    processes.add(answer)
                except OSError as error:
                    answer = -(error.errno or errno.EAGAIN)
                for each in files:
                    os.close(each)
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
    return process


def _killed(process: int) -> int:
    """Kill a child, dead or alive, and answer the signal that ended it; 0 for an exit.

    Only this process waits for its children, so the number cannot be another one's meanwhile.
    """
    os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
