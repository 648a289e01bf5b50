"""The standard streams of a command: one may be closed, full, or without a reader."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO, TextIOWrapper
from typing import Any, BinaryIO

from facemon.errors import FacemonError
from facemon.printable import printable_lines


def prepare_streams() -> None:
    """Put /dev/null where a stream is closed, so that no file of ours takes its number; escape what cannot be shown."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8")
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def discard_stdout() -> None:
    """Let what is still buffered go nowhere: Python would complain of it when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def discard_unwritable() -> None:
    """Let what is still buffered go nowhere, if it can go nowhere else: the terminal may have been closed."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        discard_stdout()


class EscapedStream(BytesIO):
    """Passes lines of UTF-8 on with what would steer a terminal escaped."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream

    def write(self, content: Any) -> int:
        """Pass lines on; return how many bytes were written."""
        return self._stream.write(printable_lines(bytes(content).decode("utf-8", "replace")).encode())

    def flush(self) -> None:
        """Let go of what the stream holds back."""
        self._stream.flush()


class StdoutStream(BytesIO):
    """Passes bytes on to stdout; FacemonError where it cannot be written, as `writing_stdout` says."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream

    def write(self, content: Any) -> int:
        """Pass bytes on; return how many were written."""
        with writing_stdout():
            return self._stream.write(content)

    def flush(self) -> None:
        """Let go of what the stream holds back."""
        with writing_stdout():
            self._stream.flush()


@contextmanager
def writing_stdout() -> Iterator[None]:
    """FacemonError where stdout cannot be written, such as on a full disk; not where its reader has left."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FacemonError(f"stdout cannot be written: {error.strerror}") from error
