"""drift-check on ordinary days: what it detects, and what it lets pass."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks import drift_nights, drift_over_time, drift_power, drift_same_sources, drift_single_sources
from benchmarks.machine import Line

_FIGURES = (
    drift_power.detectable_label_lines,
    drift_power.detectable_number_lines,
    drift_power.quiet_vocabulary_lines,
    drift_power.new_label_lines,
    drift_same_sources.same_source_lines,
    drift_same_sources.same_source_power_lines,
    drift_same_sources.reversed_mix_lines,
    drift_over_time.repeated_frame_lines,
    drift_over_time.day_lines,
    drift_over_time.daily_cycle_lines,
    drift_single_sources.single_source_lines,
    drift_nights.night_lines,
)
ABOUT = "\n".join(
    part.ABOUT for part in (drift_power, drift_same_sources, drift_over_time, drift_single_sources, drift_nights)
)


def measure(_: Path) -> Iterator[Line]:
    """All figures in turn."""
    for figures in _FIGURES:
        yield from figures()
