"""Calls that may hang: each begins at once, and threads are neither held up nor piled up by others."""

import threading
import weakref
from functools import partial

import pytest

from facemon.daemon_threads import DaemonThreads
from tests.patience import HANG_S, wait_until


def threads_called(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]


def is_idle(threads: DaemonThreads, used: list[threading.Thread], number: int) -> bool:
    return len(used) == number and len(threads._idle) == 1


def test_calls_one_after_the_other_share_a_thread() -> None:
    threads, used = DaemonThreads("one after the other"), list[threading.Thread]()
    for number in range(1, 21):
        threads.run(lambda: used.append(threading.current_thread()))
        wait_until(partial(is_idle, threads, used, number), "a thread that is idle again")
    assert len(set(used)) == 1
    assert used[0].daemon


def test_each_begins_while_others_hang() -> None:
    threads, goes_on, begun = DaemonThreads("hanging", most_idle=3), threading.Event(), threading.Semaphore(0)

    def hang() -> None:
        begun.release()
        goes_on.wait()

    for _ in range(10):
        threads.run(hang)
        assert begun.acquire(timeout=HANG_S)
    goes_on.set()
    wait_until(lambda: len(threads_called("hanging")) == 3, "the end of those that are too many")
    for _ in range(3):
        threads.run(begun.release)
        assert begun.acquire(timeout=HANG_S)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_one_that_raises_ends_its_thread_only() -> None:
    threads, called = DaemonThreads("raising"), threading.Event()

    def fail() -> None:
        raise SystemError("in a thread")

    threads.run(fail)
    wait_until(lambda: not threads_called("raising"), "the end of the thread")
    threads.run(called.set)
    assert called.wait(HANG_S)


def test_what_a_call_held_is_free_before_the_next() -> None:
    class Held:
        pass

    threads, held = DaemonThreads("holding"), Held()
    gone = weakref.ref(held)
    threads.run(partial(id, held))
    del held
    wait_until(lambda: gone() is None, "the end of what was held")
