"""SIGINT and SIGTERM end a command by an exception that no code on the way can swallow unseen."""

import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

from facemon.errors import Interrupted

_AGAIN_SECONDS = 0.01


def heed_signals() -> None:
    """Let both signals raise Interrupted in the main thread, wherever it is."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    sys.unraisablehook = _try_again


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    raise Interrupted(f"interrupted by {signal.Signals(number).name}")


def _try_again(unraisable: "sys.UnraisableHookArgs") -> None:
    """Interrupt shortly after, where Python drops what is raised: in a destructor, a weak reference's callback."""
    interruption = unraisable.exc_value
    if not isinstance(interruption, Interrupted) or threading.current_thread() is not threading.main_thread():
        sys.__unraisablehook__(unraisable)
        return

    def interrupt(*_: object) -> NoReturn:
        raise Interrupted(interruption.message)

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)
