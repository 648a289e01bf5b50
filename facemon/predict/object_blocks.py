"""An object as a file that is read forward: blocks are fetched ahead of the reader, and only a few are held."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TypeVar

from facemon.object_storage.object_store import ObjectEntry, ObjectStore
from facemon.predict.fetch_threads import FetchThreads

BLOCK_BYTES = 2 << 20
BLOCKS_AHEAD = 4
"""Blocks that are fetched or ready besides the one that is read: with answers after 20 ms they are 400 MB a second."""
_LOOK_AROUND_S = 0.1
_Result = TypeVar("_Result")


class StoppedError(Exception):
    """The run is to stop, and what was waited for has not arrived."""


class ObjectBlocks:
    """The bytes of one version of an object.

    A block is one request: a connection that breaks, or is closed because prediction is slow, costs a block and not the
    whole object. Close it to end its threads.
    """

    def __init__(self, store: ObjectStore, entry: ObjectEntry, stop: threading.Event) -> None:
        """`entry` is what the storage says of the object. Once `stop` is set, reading raises StoppedError."""
        self._store = store
        self._entry = entry
        self._stop = stop
        self._threads: FetchThreads[bytes] = FetchThreads()
        self._ahead: dict[int, Future[bytes]] = {}
        self._held: tuple[int, bytes] = (-1, b"")
        self._place = 0

    def seek(self, place: int) -> None:
        """Go to a place."""
        self._place = place

    def read(self, count: int) -> bytes:
        """Return the next bytes, fewer only at the end; StorageError where they do not arrive or have changed."""
        parts, end = [], min(self._place + count, self._entry.size)
        while self._place < end:
            number, start = divmod(self._place, BLOCK_BYTES)
            parts.append(self._block(number)[start : start + end - self._place])
            self._place += len(parts[-1])
        return b"".join(parts)

    def close(self) -> None:
        """Ask for nothing more."""
        self._threads.end()

    def _block(self, number: int) -> bytes:
        if self._held[0] != number:
            wanted = range(number, min(number + 1 + BLOCKS_AHEAD, -(-self._entry.size // BLOCK_BYTES)))
            for passed in self._ahead.keys() - set(wanted):
                self._ahead.pop(passed).cancel()
            for each in wanted:
                if each not in self._ahead:
                    self._ahead[each] = self._threads.submit(partial(self._fetched, each), BLOCKS_AHEAD)
            self._held = number, _awaited(self._ahead.pop(number), self._stop)
        return self._held[1]

    def _fetched(self, number: int) -> bytes:
        start = number * BLOCK_BYTES
        return self._store.part(self._entry, start, min(start + BLOCK_BYTES, self._entry.size))


def asked(call: Callable[[], _Result], stop: threading.Event) -> _Result:
    """Return what a function returns that asks a storage; StoppedError once `stop` is set."""
    threads: FetchThreads[_Result] = FetchThreads()
    try:
        return _awaited(threads.submit(call, 1), stop)
    finally:
        threads.end()


def _awaited(future: Future[_Result], stop: threading.Event) -> _Result:
    while not future.done():
        with suppress(TimeoutError):
            future.exception(_LOOK_AROUND_S)
        if stop.is_set():
            raise StoppedError
    return future.result()
