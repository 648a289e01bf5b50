"""What a measurement was taken on, and how several are brought together."""

import os
import platform
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TypeVar

T = TypeVar("T")
ROUNDS = 5
_PACKAGES = ("onnxruntime", "pillow", "numpy", "scipy", "pyarrow", "dlib-bin")
CORES = len(os.sched_getaffinity(0))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the results: a figure beside what it must reach."""

    what: str
    value: str
    wanted: str
    reached: bool
    note: str = ""


def machine() -> str:
    """The processor, the cores, the memory and the versions that decide the figures."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if "model name" in line), platform.processor())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return f"{model}, {CORES} cores, {memory:.0f} GiB; Python {platform.python_version()}, {packages}"


def rounds(sides: dict[str, Callable[[], T]], *, count: int = ROUNDS) -> dict[str, list[T]]:
    """What each side answers in each round; the sides take turns, so that a slow minute meets all of them."""
    answers: dict[str, list[T]] = {name: [] for name in sides}
    for number in range(count):
        names = list(sides) if number % 2 == 0 else list(reversed(sides))
        for name in names:
            answers[name].append(sides[name]())
    return answers


def medians(answers: dict[str, list[float]]) -> dict[str, float]:
    """The median of each side."""
    return {name: median(values) for name, values in answers.items()}


def cpu_seconds(work: Callable[[], object], threads: int = CORES) -> float:
    """Processor seconds of one call of `work` while so many threads call it at once, as in production."""
    workers = [threading.Thread(target=work) for _ in range(threads)]
    begin = time.process_time()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return (time.process_time() - begin) / threads
