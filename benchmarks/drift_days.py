"""drift-check on ordinary days: what it detects, and what it lets pass."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks import drift_power
from benchmarks.machine import Line

_FIGURES = (
    drift_power.detectable_label_lines,
    drift_power.detectable_number_lines,
    drift_power.quiet_vocabulary_lines,
    drift_power.new_label_lines,
)
ABOUT = drift_power.ABOUT


def measure(_: Path) -> Iterator[Line]:
    """All figures in turn."""
    for figures in _FIGURES:
        yield from figures()
