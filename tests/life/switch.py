"""A server that events end and start again."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Generic, TypeVar

T = TypeVar("T")


class Switch(Generic[T]):
    """What `start` runs while it is on."""

    def __init__(self, start: Callable[[], AbstractContextManager[T]]) -> None:
        self._start = start
        self._running = ExitStack()
        self._server: T | None = None

    @property
    def server(self) -> T:
        """What runs; AssertionError while it is off."""
        assert self._server is not None, "it is off"
        return self._server

    def on(self) -> None:
        """Start it, unless it runs."""
        if self._server is None:
            self._server = self._running.enter_context(self._start())

    def off(self) -> None:
        """End it, if it runs."""
        self._server = None
        self._running.close()
