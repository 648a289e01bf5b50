"""Runs the command hundreds of times without starting an interpreter for each, which costs more than what it does."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLong
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from tests import ready_interpreter


class ReadyProcess:
    """A run of the command that goes on; used as a subprocess.Popen is."""

    def __init__(self, command: Sequence[str], stderr: TextIO, status: int) -> None:
        self._command, self._status = command, status
        self.stderr = stderr
        self.pid = self._number()
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, once it has ended."""
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            self.returncode = self._number()
            os.close(self._status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; answer its exit code. TimeoutExpired if it takes longer."""
        if self.returncode is None and not select.select([self._status], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(list(self._command), timeout or 0)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, if it has not ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Make it end."""
        self.send_signal(signal.SIGKILL)

    def _number(self) -> int:
        # Without a buffer, which would hide from select what it has read too much.
        line = b""
        while not line.endswith(b"\n"):
            read = os.read(self._status, 1)
            assert read, "the interpreter has ended"
            line += read
        return int(line)


Changes = Mapping[str, str | None]
"""Variables that a run has otherwise than the interpreter, or not at all; only what is read while a command runs."""


class ReadyCommand:
    """The command, each run of which is a fork of one interpreter that has loaded it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._unread: list[int] = []

    def run(
        self, command: Sequence[str | Path], *, cwd: Path, changes: Changes, stdin: str, timeout_s: float
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end, and to that of all that hold its output, as subprocess.run does."""
        ours_in, ours_out, ours_err, ours_status = self.begin(command, cwd, changes)
        with ThreadPoolExecutor(3) as pool, os.fdopen(ours_status) as status:
            output = [pool.submit(_read, descriptor) for descriptor in (ours_out, ours_err)]
            pool.submit(_write, ours_in, stdin.encode())
            process = int(status.readline())
            try:
                stdout, stderr = (each.result(timeout_s) for each in output)
                code = int(pool.submit(status.readline).result(timeout_s))
            except TooLong:
                os.kill(process, signal.SIGKILL)
                raise subprocess.TimeoutExpired(list(command), timeout_s) from None
        return subprocess.CompletedProcess(list(command), code, stdout, stderr)

    def start(self, command: Sequence[str | Path], *, cwd: Path, changes: Changes) -> ReadyProcess:
        """Start it, with nothing to read; what it writes on stdout is lost."""
        ours_in, ours_out, ours_err, ours_status = self.begin(command, cwd, changes)
        os.close(ours_in)
        # Not closed, so that writing there is no error: it fits into the pipe.
        self._unread.append(ours_out)
        return ReadyProcess([str(word) for word in command], os.fdopen(ours_err, encoding="utf-8"), ours_status)

    def begin(self, command: Sequence[str | Path], cwd: Path, changes: Changes) -> tuple[int, int, int, int]:
        """Fork a run; answer our ends of its stdin, stdout and stderr, and where its process and exit code are told."""
        (theirs_in, ours_in), (ours_out, theirs_out), (ours_err, theirs_err), (ours_status, theirs_status) = (
            os.pipe() for _ in range(4)
        )
        theirs = [theirs_in, theirs_out, theirs_err, theirs_status]
        request = {"arguments": [str(word) for word in command], "folder": str(cwd), "changes": dict(changes)}
        socket.send_fds(self._connection, [json.dumps(request).encode()], theirs)
        for descriptor in theirs:
            os.close(descriptor)
        return ours_in, ours_out, ours_err, ours_status


@contextmanager
def ready_command(environment: Mapping[str, str], *further: str) -> Iterator[ReadyCommand]:
    """Start the interpreter with the environment of its runs; it loads further modules, too."""
    with connected([sys.executable, ready_interpreter.__file__], further, environment=environment) as command:
        yield command


@contextmanager
def connected(
    program: Sequence[str],
    arguments: Sequence[str],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[ReadyCommand]:
    """Start a program that forks itself, and takes a descriptor to be asked by before its arguments."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    whole = [*program, str(theirs.fileno()), *arguments]
    # Its streams are pipes because those of the runs are: Python treats others differently.
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(
            whole, env=environment, cwd=cwd, stdin=pipe, stdout=pipe, stderr=pipe, text=True, pass_fds=[theirs.fileno()]
        ) as interpreter,
        ours,
    ):
        theirs.close()
        if ours.recv(ready_interpreter.MESSAGE_BYTES) != ready_interpreter.IS_LOADED:
            raise AssertionError(interpreter.communicate()[1])
        yield ReadyCommand(ours)


def _read(descriptor: int) -> str:
    with os.fdopen(descriptor, encoding="utf-8") as file:
        return file.read()


def _write(descriptor: int, content: bytes) -> None:
    # A command may end before it has read all of its input.
    with suppress(BrokenPipeError), os.fdopen(descriptor, "wb") as file:
        file.write(content)
