"""The axis of time in UTC: where its ticks are, and marks of what began when."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from facemon.domain.period_report import Mark
from facemon.domain.times import micros
from facemon.reports.charts.drawing import cells
from facemon.reports.charts.palette import color

_ROOM = 78
"""Pixels for a tick's text."""
_STEPS = tuple(
    timedelta(hours=hours) for hours in (1, 3, 6, 12, 24, 48, 96, 168, 336, 672, 24 * 56, 24 * 112, 24 * 224, 24 * 448)
)
_DAY = timedelta(days=1)


def place(time: datetime) -> float:
    """Where a time lies on the axis: milliseconds since 1970."""
    return micros(time) / 1000


def time_axis(since: datetime, until: datetime, width: int) -> Any:
    """The axis of a chart of a width in pixels, with ticks at whole days, or at whole hours of a short period."""
    from lets_plot import scale_x_continuous

    most = max(2, width // _ROOM)
    step = next((each for each in _STEPS if (until - since) / each <= most), _STEPS[-1])
    first = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    ticks = []
    while first <= until:
        if first >= since:
            ticks.append(first)
        first += step
    labels = [f"{tick:%H:%M}" if step < _DAY and tick.hour else f"{tick.day} {tick:%b}" for tick in ticks]
    return scale_x_continuous(
        breaks=[place(tick) for tick in ticks], labels=labels, limits=[place(since), place(until)], expand=[0, 0]
    )


def mark_lines(marks: Sequence[Mark], top: float) -> Any:
    """Dashed lines at the marks, each with its number at a height of the chart."""
    from lets_plot import aes, geom_text, geom_vline

    if not marks:
        return []
    data: dict[str, list[Any]] = {
        "at": [place(mark.at) for mark in marks],
        "top": [top] * len(marks),
        # The space keeps a number off its line.
        "number": [f"\u00a0{number}" for number in range(1, len(marks) + 1)],
    }
    return [
        geom_vline(aes(xintercept="at"), data=cells(data), linetype="dashed", size=0.7, color=color("ink")),
        geom_text(aes("at", "top", label="number"), data=cells(data), hjust=0, vjust=1, size=5, color=color("ink")),
    ]
