"""Whether this process was forked within a call of `facemon.Monitor`, and so may not use the store.

Between calls nothing is open, and a fork does no harm. A fork within a call copies what another thread holds: locks of
modules that it imports, which are never released in the copy, and SQLite's record of the locks of this process, which
the copy does not have (https://www.sqlite.org/howtocorrupt.html, 2.7).
"""

import os
import threading
from collections.abc import Callable
from functools import wraps
from inspect import isfunction
from typing import ParamSpec, TypeVar

from facemon.errors import FacemonError

_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")
_Class = TypeVar("_Class")


class _Calls:
    """How many calls are in progress, in all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._is_watched = self._is_cut_off = False

    def begin(self) -> None:
        """Count one more; FacemonError in a process that was forked within one."""
        if self._is_cut_off:
            raise FacemonError(
                "this process was forked while a thread used a facemon.Monitor, whose store and locks it has halves of",
                "fork before or between calls, or begin processes by the method spawn or forkserver",
            )
        with self._lock:
            if not self._is_watched:
                os.register_at_fork(after_in_child=self._forked)
                self._is_watched = True
            self._running += 1

    def end(self) -> None:
        """Count one less."""
        with self._lock:
            self._running -= 1

    def _forked(self) -> None:
        # In the child there is one thread; the lock may be held by another one of the parent.
        self._lock = threading.Lock()
        self._is_cut_off = self._is_cut_off or self._running > 0
        self._running = 0


_CALLS = _Calls()


def counted_calls(cls: type[_Class]) -> type[_Class]:
    """Count the calls of all public methods of a class, and refuse them in a process that was forked within one."""
    for name, method in list(vars(cls).items()):
        if isfunction(method) and not name.startswith("_"):
            setattr(cls, name, _counted(method))
    return cls


def _counted(method: Callable[_Given, _Answer]) -> Callable[_Given, _Answer]:
    @wraps(method)
    def call(*args: _Given.args, **kwargs: _Given.kwargs) -> _Answer:
        _CALLS.begin()
        try:
            return method(*args, **kwargs)
        finally:
            _CALLS.end()

    return call
