"""Images of each day by source, and the share of them that gave no face."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from facemon.domain.counted import counted
from facemon.domain.period_report import Mark, PeriodReport, Volume
from facemon.reports.charts.drawing import cells
from facemon.reports.charts.figure import Figure
from facemon.reports.charts.palette import SERIES, color
from facemon.reports.charts.time_axis import mark_lines, place, time_axis
from facemon.reports.column_figures import one_line
from facemon.reports.printed_parts import Table

NO_SOURCE = "no source"
_OTHERS = "all others"
_MOST_ROWS = 1_000
"""Of a table by day and source; of more there is one by day."""
_DAY = timedelta(days=1)
_DAY_LENGTH = _DAY / timedelta(milliseconds=1)
_FAILURES = (("series-7", "could not be read"), ("series-6", "no face found"))
_HEADINGS = ("day", "source", "images", "faces", "failed", "no face")


def volume_figure(report: PeriodReport) -> Figure:
    """Images a day, stacked by source: those of the most images, and all others together."""
    sums: dict[str, int] = {}
    for each in report.volumes:
        sums[_name(each)] = sums.get(_name(each), 0) + each.images
    ranked = sorted(sums, key=lambda name: (-sums[name], name))
    shown = ranked if len(ranked) <= len(SERIES) else ranked[: len(SERIES) - 1]
    series = [*shown, _OTHERS] if len(shown) < len(ranked) else shown
    colors = dict(zip(series, SERIES, strict=False))
    days = sorted({each.day for each in report.volumes})
    counts = {(day, name): 0 for day in days for name in series}
    for each in report.volumes:
        counts[each.day, _name(each) if _name(each) in colors else _OTHERS] += each.images
    highest = max(sum(counts[day, name] for name in series) for day in days)

    bars = [(day, counts[day, name], colors[name]) for day in days for name in series]

    def draw(width: int) -> Any:
        return _stacked(report, bars, highest, width, "images a day")

    images, held = counted(report.images, "image", grouped=True), counted(len(days), "day")
    return Figure(
        "volumes",
        "Images a day by source",
        f"{images} over {held} with images. {_marks_in_words(report.marks)}",
        draw,
        260,
        tuple((colors[name], one_line(name)) for name in series),
        _table(report.volumes),
        is_wide=True,
    )


def failure_figure(report: PeriodReport) -> Figure:
    """The shares of a day's images that could not be read, and in which no face was found, in percent."""
    sums: dict[date, list[int]] = {}
    for each in report.volumes:
        held = sums.setdefault(each.day, [0, 0, 0])
        held[:] = [held[0] + each.images, held[1] + each.failed, held[2] + each.no_face]
    days = sorted(sums)
    shares = [
        (day, 100 * sums[day][1 + index] / (sums[day][0] or 1), name)
        for day in days
        for index, (name, _) in enumerate(_FAILURES)
    ]
    highest = max(first[1] + second[1] for first, second in zip(shares[::2], shares[1::2], strict=True))

    def draw(width: int) -> Any:
        return _stacked(report, shares, max(0.9, highest), width, "share of images, %")

    rows = tuple(
        (f"{day}", f"{images:,}", f"{failed:,}", f"{failed / (images or 1):.2%}", f"{no_face:,}",
         f"{no_face / (images or 1):.2%}")
        for day, (images, failed, no_face) in sorted(sums.items())
    )  # fmt: skip
    return Figure(
        "failures",
        "Images without a face a day",
        f"At most {highest:.1f} % of a day's images could not be read or had no face.",
        draw,
        200,
        _FAILURES,
        Table(("day", "images", "failed", "share", "no face", "share"), rows),
        is_wide=True,
    )


def source_table(report: PeriodReport) -> Table:
    """The sums of each source over the period, and when it had images last."""
    sums: dict[str, list[int]] = {}
    days: dict[str, list[date]] = {}
    for each in report.volumes:
        held = sums.setdefault(_name(each), [0, 0, 0, 0])
        more = (each.images, each.faces, each.failed, each.no_face)
        held[:] = [before + added for before, added in zip(held, more, strict=True)]
        days.setdefault(_name(each), []).append(each.day)
    rows = [
        (one_line(name), f"{images:,}", f"{faces:,}", f"{failed:,}", f"{failed / (images or 1):.2%}",
         f"{no_face:,}", f"{no_face / (images or 1):.2%}", f"{len(days[name])}", f"{max(days[name])}")
        for name, (images, faces, failed, no_face) in sorted(sums.items(), key=lambda each: -each[1][0])
    ]  # fmt: skip
    headings = ("source", "images", "faces", "failed", "share", "no face", "share", "days", "last day")
    return Table(headings, tuple(rows))


def _stacked(
    report: PeriodReport, bars: Sequence[tuple[date, float, str]], highest: float, width: int, title: str
) -> Any:
    """Bars of days, of amounts in colours of the palette; those of a day are stacked in their order."""
    from lets_plot import aes, geom_rect, ggplot, labs, scale_fill_identity, scale_y_continuous

    data: dict[str, list[Any]] = {"left": [], "right": [], "low": [], "high": [], "color": []}
    reached: dict[date, float] = {}
    for day, amount, name in bars:
        begin, low = place(datetime.combine(day, time(), UTC)), reached.get(day, 0.0)
        reached[day] = low + amount
        values = (begin + 0.06 * _DAY_LENGTH, begin + 0.94 * _DAY_LENGTH, low, reached[day], color(name))
        for held, value in zip(data.values(), values, strict=True):
            held.append(value)
    shown = aes(xmin="left", xmax="right", ymin="low", ymax="high", fill="color")
    plot = ggplot(cells(data)) + geom_rect(shown, size=0) + scale_fill_identity()
    plot += scale_y_continuous(format=",~g", limits=[0, highest * 1.14], expand=[0, 0])
    for layer in mark_lines(report.marks, highest * 1.13):
        plot += layer
    first = report.since.replace(hour=0)
    last = (report.until - timedelta(microseconds=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return plot + time_axis(first, last + _DAY, width) + labs(x="day (UTC)", y=title)


def _table(volumes: Sequence[Volume]) -> Table:
    if len(volumes) <= _MOST_ROWS:
        return Table(_HEADINGS, tuple(_rows(volumes)))
    days: dict[date, list[Volume]] = {}
    for each in volumes:
        days.setdefault(each.day, []).append(each)
    whole = [
        Volume(day, "all", *(sum(getattr(each, name) for each in held) for name in Volume.__slots__[2:]))
        for day, held in days.items()
    ]
    return Table(_HEADINGS, tuple(_rows(whole)))


def _rows(volumes: Sequence[Volume]) -> Iterator[tuple[str, ...]]:
    for each in volumes:
        numbers = (each.images, each.faces, each.failed, each.no_face)
        yield (f"{each.day}", one_line(_name(each)), *(f"{number:,}" for number in numbers))


def _name(each: Volume) -> str:
    return NO_SOURCE if each.source is None else each.source


def _marks_in_words(marks: Sequence[Mark]) -> str:
    return " ".join(f"{number}: {mark.kind} {one_line(mark.name)}." for number, mark in enumerate(marks, 1))
