"""Signals that end a command do so by an exception, except in a block that must come to its end first."""

import os
import signal
import sys
from functools import cache
from types import FrameType, TracebackType
from typing import NoReturn

from facemon.errors import Interrupted

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_AGAIN_SECONDS = 0.01
_MOST_SIGNALS = 4096


class _Held:
    """How many blocks must come to their end, the signal that waits for them, and the last that had its effect."""

    def __init__(self) -> None:
        self.blocks = 0
        self.waiting: int | None = None
        self.raised: int | None = None


_held = _Held()


def heed_signals() -> None:
    """Let SIGINT, SIGTERM and SIGHUP raise Interrupted in the main thread, wherever it is."""
    for number in ending_signals():
        signal.signal(number, _interrupt)
    sys.unraisablehook = _try_again


def ending_signals() -> tuple[signal.Signals, ...]:
    """The signals that end a command: not SIGHUP, where nohup has it ignored."""
    return tuple(
        number for number in _ENDING if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN
    )


def heed_no_more() -> None:
    """Ignore these signals: the command has ended, and a traceback would be all that they bring about."""
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)


def was_interrupted() -> bool:
    """Whether a signal has raised Interrupted, which a library may have made another exception of."""
    return _held.raised is not None


def await_input(number: int) -> None:
    """Wait until a file can be read, or until a signal comes, which then has its effect.

    For the main thread, before a call that reads. A signal that comes after Python has looked for one and before the
    system waits would have its effect only once there is something to read: Ctrl-C at a question, after Enter.
    """
    from select import select

    woken = _woken_by_signals()
    while number not in select([number, woken], [], [])[0]:
        os.read(woken, _MOST_SIGNALS)


@cache
def _woken_by_signals() -> int:
    """A pipe that each signal writes to, whenever it comes; open until the process ends."""
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    return woken


class Uninterrupted:
    """A block of the main thread at whose end a signal takes effect that comes meanwhile.

    For steps that belong together, such as handing rows to a writer: an exception in between would leave them half
    done. Blocking signals would not do, because the system may hand them to another thread.
    """

    def __enter__(self) -> None:
        _held.blocks += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _held.blocks -= 1
        if not _held.blocks and (number := _held.waiting) is not None:
            _held.waiting = None
            _raise(number)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    if _held.blocks:
        _held.waiting = number
    else:
        _raise(number)


def _raise(number: int) -> NoReturn:
    _held.raised = number
    raise Interrupted(f"interrupted by {signal.Signals(number).name}")


def _try_again(unraisable: "sys.UnraisableHookArgs") -> None:
    """Interrupt shortly after, where Python drops what is raised: in a destructor, a weak reference's callback."""
    import threading  # not needed before, and a signal that comes earlier than heed_signals is Python's

    number = _held.raised
    is_ours = isinstance(unraisable.exc_value, Interrupted) and threading.current_thread() is threading.main_thread()
    if number is None or not is_ours:
        sys.__unraisablehook__(unraisable)
        return
    signal.signal(signal.SIGALRM, lambda *_: _interrupt(number, None))
    signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)
