"""How long a test waits before it calls something hung, in units of this machine: no test asks for seconds."""

import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

_STARTS_IN_S = 0.02
"""What a bare interpreter needs to start on an idle machine of the kind that these tests were written on."""


def _slowness() -> float:
    """How many times slower this machine is now, for its kind or its load; at least 1, at most 20."""
    took = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-I", "-S", "-c", ""], check=True)
        took.append(time.perf_counter() - began)
    return min(20.0, max(1.0, median(took) / _STARTS_IN_S))


SLOWNESS = _slowness()
"""How much slower this machine was when it was asked, 1 to 20."""
HANG_S = 120 * SLOWNESS
"""Seconds, far more than anything takes here that ends at all: a guard against waiting for ever, and no requirement."""


def wait_until(happens: Callable[[], object], what: object = "it", *, every_s: float = 0.02) -> None:
    """Ask again and again until the answer is true; AssertionError once it has to be called hung."""
    end = time.monotonic() + HANG_S
    while not happens():
        assert time.monotonic() < end, f"{what() if callable(what) else what} has not happened within {HANG_S:.0f} s"
        time.sleep(every_s)
