"""Many independent runs of one simulation, on all cores."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from benchmarks.machine import CORES

REPEATS = 1_000
_Outcome = TypeVar("_Outcome")


def repeated(repeat: Callable[[int], _Outcome], count: int = REPEATS) -> list[_Outcome]:
    """The outcomes for the seeds 0, 1, 2 and so on."""
    with ProcessPoolExecutor(CORES) as pool:
        return list(pool.map(repeat, range(count), chunksize=20))
