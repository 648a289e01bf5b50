"""Threads that ask object storage, and that do not keep a program from ending."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Generic, TypeVar

_Result = TypeVar("_Result")


class FetchThreads(Generic[_Result]):
    """Threads that a program does not wait for when it ends, unlike those of `concurrent.futures`.

    A storage that sends its answers slowly may take minutes for them, and the signals of the user do not end that.
    """

    def __init__(self) -> None:
        self._tasks: SimpleQueue[tuple[Future[_Result], Callable[[], _Result]] | None] = SimpleQueue()
        self._threads = 0
        self._has_ended = threading.Event()

    def submit(self, call: Callable[[], _Result], most: int) -> Future[_Result]:
        """Call a function in a thread, of which there are `most` at most; until it begins, it can be cancelled."""
        future: Future[_Result] = Future()
        self._tasks.put((future, call))
        if self._threads < most:
            self._threads += 1
            threading.Thread(target=self._work, name=f"fetch_{self._threads}", daemon=True).start()
        return future

    def end(self) -> None:
        """Begin no more calls, and let the threads end once those that have begun are through."""
        self._has_ended.set()
        for _ in range(self._threads):
            self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None and not self._has_ended.is_set():
            future, call = task
            # Cancelled while its call runs, a future would take no result, and end the thread, which none replaces.
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001 - it is raised where the result is waited for
                future.set_exception(error)
