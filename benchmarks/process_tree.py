"""A process with all that it started: what they cost while they run."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
# Behind the name, which ends in a bracket: user, system, and both of the children that ended (proc(5), 14 to 17).
_CPU_FIELDS = slice(11, 15)


def tree(process: int) -> Iterator[int]:
    """The process and its descendants, those that are left."""
    yield process
    for child in children(process):
        yield from tree(child)


def children(process: int) -> Iterator[int]:
    """What the process itself has started, those that are left."""
    with suppress(OSError):
        for begun in Path(f"/proc/{process}/task").glob("*/children"):
            with suppress(OSError):
                yield from map(int, begun.read_text().split())


def cpu_seconds_of_tree(process: int) -> float:
    """Processor seconds, user and system, since they began; children that ended and were waited for count too."""
    return sum(cpu_seconds_of_each(process).values())


def cpu_seconds_of_each(process: int) -> dict[int, float]:
    """Those of each of its processes, which are called by their numbers."""
    seconds = {}
    for each in tree(process):
        with suppress(OSError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            seconds[each] = sum(map(int, fields[_CPU_FIELDS])) / _TICKS_A_SECOND
    return seconds


def peaks_of_tree(process: int) -> dict[int, float]:
    """The most memory that each of them has held, in MiB; what several share counts in each."""
    peaks = {}
    for each in tree(process):
        with suppress(OSError):
            for line in Path(f"/proc/{each}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    peaks[each] = int(line.split()[1]) / 1024
    return peaks


def megabytes_of_tree(process: int) -> float:
    """The memory that they hold, in MB; what several share counts in each.

    Shares of it (`Pss`) would not do: they fall when a stranger on the machine loads the same libraries.
    """
    kilobytes = 0
    for each in tree(process):
        with suppress(OSError):
            for line in Path(f"/proc/{each}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    kilobytes += int(line.split()[1])
    return kilobytes * 1024 / 1e6
