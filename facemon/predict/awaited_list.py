"""A list on stdin as it arrives: what has not arrived is no longer waited for once the run is to stop."""

import os
import select
import threading
from io import BufferedReader, RawIOBase
from typing import Any, BinaryIO

_LOOK_AROUND_MS = 100


class ListStoppedError(Exception):
    """The run is to stop, and the list has not come to its end."""


class _AwaitedFile(RawIOBase):
    def __init__(self, number: int, stop: threading.Event) -> None:
        self._number = number
        self._stop = stop
        # Unlike epoll it takes files, too, which can always be read.
        self._waiting = select.poll()
        self._waiting.register(number, select.POLLIN)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._waiting.poll(_LOOK_AROUND_MS):
            if self._stop.is_set():
                raise ListStoppedError
        return os.readv(self._number, [buffer])


def awaited_list(stream: BinaryIO, stop: threading.Event) -> BinaryIO:
    """Return a stream, of which nothing has been read, so that reading it raises ListStoppedError once `stop` is set.

    One that is in memory never waits, and is returned itself.
    """
    try:
        number = stream.fileno()
    except OSError:
        return stream
    return BufferedReader(_AwaitedFile(number, stop))
