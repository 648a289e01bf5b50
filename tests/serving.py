"""Servers in a thread of the test: answering while a block lasts, and keeping what they are sent for who waits."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from socketserver import BaseServer
from typing import Generic, Self, TypeVar

from tests.patience import HANG_S

T = TypeVar("T")


@contextmanager
def serving(server: BaseServer) -> Iterator[None]:
    """Let the server answer until the block ends, however it ends; then its socket is closed."""
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    with server:
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


class Sink(Generic[T]):
    """A server that keeps what it is sent; it listens while it is entered."""

    def __init__(self, server: BaseServer) -> None:
        self._server = server
        self._running = ExitStack()
        self._items: list[T] = []
        self._arrival = threading.Condition()

    def __enter__(self) -> Self:
        self._running.enter_context(serving(self._server))
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    @property
    def arrived(self) -> list[T]:
        """What has arrived so far, oldest first."""
        with self._arrival:
            return list(self._items)

    def wait_for(self, predicate: Callable[[T], bool] = bool, *, timeout_s: float = HANG_S) -> T:
        """Return the first item, of those that came or come in time, that satisfies the predicate."""

        def match() -> T | None:
            return next((item for item in self._items if predicate(item)), None)

        with self._arrival:
            found = self._arrival.wait_for(match, timeout_s)
            if found is None:
                told = [self.told(item) for item in self._items]
                raise TimeoutError(f"nothing that was waited for within {timeout_s} s, but {told}")
            return found

    def keep(self, item: T) -> None:
        """Add what has arrived, for the server's handlers."""
        with self._arrival:
            self._items.append(item)
            self._arrival.notify_all()

    def told(self, item: T) -> object:
        """An item as an error shows it."""
        return item
