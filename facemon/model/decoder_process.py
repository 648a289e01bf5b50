"""A process that does nothing but decode images, one at a time, so that it can be ended at any moment.

It is a fresh interpreter, which any thread may begin. The kernel ends it when an image takes more processor time than
it may, whatever the decoder does; time that other processes take does not count. Memory that is asked for beyond the
limit is refused.
"""

import os
import resource
import signal
import socket
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from facemon.errors import FacemonError
from facemon.message_socket import receive, send

TOO_SLOW = signal.SIGPROF
"""What ends the process when an image takes too long."""
NICENESS = 10
"""By how much other processes go before it: images that cost much are to delay no others where processors are few."""
_WALL_TIMES = 10
"""A process that waits for something, and so spends no time, is ended after so many times what it might have spent."""
_CODE = "import sys; sys.path[:] = sys.argv[2:]; from facemon.model.decoder_process import main; main()"
_STATM_DATA = 5


class DecoderEnded(Exception):
    """The process ended, by the signal that is named, before it gave an answer; none for an exit by itself."""

    def __init__(self, number: signal.Signals | None) -> None:
        super().__init__(number)
        self.signal = number


class DecoderProcess:
    """Answers calls of functions of importable modules, each within a time and memory of its own."""

    def __init__(self) -> None:
        """Begin it; FacemonError when this is impossible."""
        self._socket, theirs = socket.socketpair()
        path = [entry for entry in sys.path if entry]
        try:
            with theirs:
                # A session of its own: signals of the terminal are for this process to act on.
                process = subprocess.Popen(
                    [sys.executable, "-P", "-c", _CODE, str(theirs.fileno()), *path],
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),), start_new_session=True,
                )  # fmt: skip
        except OSError as error:
            self._socket.close()
            raise FacemonError(f"no process that decodes images could be started: {error.strerror}") from error
        self._process = process
        self.end = weakref.finalize(self, _end, self._socket, process)
        """Ends it; also called when this object, or the program, ends."""

    def call(self, function: Callable[..., Any], *arguments: object, seconds: float, memory: int) -> Any:
        """What a function returns that may spend so many seconds of processor time and take so many bytes.

        DecoderEnded when it spends more, when it crashes, and when the process is killed.
        """
        self._socket.settimeout(_WALL_TIMES * max(1.0, seconds))
        try:
            send(self._socket, (function, arguments, seconds, memory))
            return receive(self._socket)
        except TimeoutError as error:
            self.end()
            raise DecoderEnded(TOO_SLOW) from error
        except (EOFError, OSError) as error:
            code = self._process.wait()
            self.end()
            raise DecoderEnded(signal.Signals(-code) if code < 0 else None) from error


def _end(connection: socket.socket, process: "subprocess.Popen[bytes]") -> None:
    connection.close()
    process.kill()
    process.wait()


def main() -> None:
    """Answer calls until the process that asks has ended."""
    os.nice(NICENESS)
    with socket.socket(fileno=int(sys.argv[1])) as connection, suppress(EOFError, ConnectionError):
        while True:
            function, arguments, seconds, memory = receive(connection)
            with _limited(seconds, memory):
                answer = function(*arguments)
            send(connection, answer)


@contextmanager
def _limited(seconds: float, memory: int) -> Iterator[None]:
    """Let the kernel end this process after some processor time, and refuse it more memory than it has and `memory`."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    limit = _data_bytes() + memory
    resource.setrlimit(resource.RLIMIT_DATA, (limit if before[1] < 0 else min(limit, before[1]), before[1]))
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _data_bytes() -> int:
    """The memory that counts against RLIMIT_DATA, in bytes."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[_STATM_DATA]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
