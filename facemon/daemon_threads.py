"""Threads for calls that may never end: daemons, so that none keeps the process, and not more than are needed."""

import threading
from collections.abc import Callable
from queue import SimpleQueue

_Call = Callable[[], object]


class DaemonThreads:
    """Runs each call at once: in a thread that is idle, or else in a new one.

    A call that hangs costs its own thread, which a pool of a fixed size would lack. To start a thread for each call
    takes several times as long as to wake one.
    """

    def __init__(self, name: str, *, most_idle: int = 1) -> None:
        self._name = name
        self._most_idle = most_idle
        self._idle: list[SimpleQueue[_Call]] = []
        self._lock = threading.Lock()

    def run(self, call: _Call) -> None:
        """Return once the call is on its way; RuntimeError where no thread can be started."""
        with self._lock:
            calls = self._idle.pop() if self._idle else None
        if calls is None:
            calls = SimpleQueue()
            threading.Thread(target=self._work, args=(calls,), name=self._name, daemon=True).start()
        calls.put(call)

    def _work(self, calls: SimpleQueue[_Call]) -> None:
        while True:
            # Python prints what a call raises, and the thread ends. While it is idle, it holds no call.
            calls.get()()
            with self._lock:
                if len(self._idle) == self._most_idle:
                    return
                self._idle.append(calls)
