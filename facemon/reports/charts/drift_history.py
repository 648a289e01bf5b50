"""Drift over time: what each check found, over which window, and each column's score beside its threshold."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

from facemon.domain.drift_result import Check, ColumnResult, DriftResult, Verdict
from facemon.domain.period_report import Mark
from facemon.domain.times import span_name
from facemon.reports.charts.drawing import cells
from facemon.reports.charts.figure import Figure
from facemon.reports.charts.palette import color
from facemon.reports.charts.time_axis import mark_lines, place, time_axis
from facemon.reports.column_figures import column_figures, is_in_points, one_line
from facemon.reports.printed_parts import Table

COLORS: Mapping[Verdict, str] = {
    Verdict.DRIFT: "drift", Verdict.UNDECIDED: "undecided", Verdict.OK: "ok", Verdict.NOT_COMPARED: "not-compared"
}  # fmt: skip
KEY = tuple((name, verdict.value.replace("_", " ")) for verdict, name in COLORS.items())
_SHAPES = {Verdict.DRIFT: 17, Verdict.UNDECIDED: 5, Verdict.OK: 16, Verdict.NOT_COMPARED: 4}
"""Triangle, hollow diamond, disc, cross: so that verdicts differ without colours."""
_MOST_ROWS = 31
"""Checks in a column's table."""
_MOST_POINTS = 100
_USUAL_GAP = timedelta(days=1)
_LEAST_SHOWN = 0.06
"""Of the axis, for the verdict of the last check, which often ran just before the axis would end."""


@dataclass(frozen=True, slots=True)
class Span:
    """The axis of time of all charts of a page."""

    since: datetime
    until: datetime
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """A column of a check, in each recorded check that has it, oldest first."""

    check: Check
    column: str
    results: tuple[tuple[datetime, ColumnResult], ...]

    @property
    def nearness(self) -> float:
        """The highest score in thresholds; drifted ones come first."""
        drifted = any(each.verdict is Verdict.DRIFT for _, each in self.results)
        ratios = [each.score / each.threshold for _, each in self.results if each.score and each.threshold]
        return max(ratios, default=0.0) + (1_000 if drifted else 0)


def histories(checks: Sequence[DriftResult]) -> list[History]:
    """Each column of facemon's own checks over time, those nearest their thresholds first."""
    found: dict[tuple[Check, str], list[tuple[datetime, ColumnResult]]] = {}
    for result in checks:
        for check, outcome in result.checks.items():
            for column in outcome.columns if check.is_own else ():
                if column.verdict is not Verdict.NOT_COMPARED:
                    found.setdefault((check, column.column), []).append((result.at, column))
    made = [History(check, name, tuple(results)) for (check, name), results in found.items()]
    return sorted(made, key=lambda each: (-each.nearness, each.check, each.column))


def verdict_figure(checks: Sequence[DriftResult], span: Span) -> Figure:
    """The verdict of each check as a band until the next one, and the longest window that it compared."""
    own = [each for each in checks if any(check.is_own for check in each.checks)]
    span = _with_room(span, own[-1].at) if own else span
    names = [check for check in Check if check.is_own and any(check in each.checks for each in own)]
    bands = []
    for row, check in enumerate(reversed(names)):
        found = [(each.at, each.checks[check].verdict, _rung(each)) for each in own if check in each.checks]
        bands += [(row, *band) for band in _bands(found, span.until)]

    def draw(width: int) -> Any:
        return _verdict_plot(names, bands, span, width)

    counts = {verdict: sum(each.verdict is verdict for each in own) for verdict in COLORS}
    said = ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items() if count)
    rows = tuple(_check_row(each, check) for each in reversed(own) for check in names if check in each.checks)
    headings = ("checked at (UTC)", "check", "verdict", "window", "rows", "reference rows", "reference")
    return Figure(
        "verdicts",
        "Verdict of each check, and its longest window",
        f"{len(own)} checks: {said}.",
        draw,
        70 + 50 * len(names),
        KEY[:3],
        Table(headings, rows),
        is_wide=True,
    )


def _verdict_plot(
    names: Sequence[Check], bands: "Sequence[tuple[float, datetime, datetime, Verdict, str]]", span: Span, width: int
) -> Any:
    from lets_plot import aes, geom_rect, geom_text, ggplot, labs, scale_fill_identity, scale_y_continuous

    data: dict[str, list[Any]] = {
        "left": [place(begin) for _, begin, _, _, _ in bands],
        "right": [place(end) for _, _, end, _, _ in bands],
        "low": [row - 0.32 for row, *_ in bands],
        "high": [row + 0.12 for row, *_ in bands],
        "color": [color(COLORS[verdict]) for *_, verdict, _ in bands],
    }
    shown = aes(xmin="left", xmax="right", ymin="low", ymax="high", fill="color")
    plot = ggplot(cells(data)) + geom_rect(shown, size=0) + scale_fill_identity()
    texts = _rung_texts(bands, width, span)
    if texts["text"]:
        plot += geom_text(
            aes("at", "row", label="text"),
            data=cells(texts),
            hjust=0,
            vjust=0,
            size=5,
            color=color("ink"),
        )
    for layer in mark_lines(span.marks, len(names) - 0.42):
        plot += layer
    plot += scale_y_continuous(
        breaks=list(range(len(names))), labels=[check.value for check in reversed(names)],
        limits=[-0.5, len(names) - 0.4], expand=[0, 0],
    )  # fmt: skip
    return plot + time_axis(span.since, span.until, width) + labs(x="time of the check (UTC)", y="check")


def _check_row(result: DriftResult, check: Check) -> tuple[str, ...]:
    return (
        f"{result.at:%Y-%m-%d %H:%M}",
        check.value,
        result.checks[check].verdict.value,
        _rung(result),
        f"{result.current.rows:,}",
        f"{result.reference.rows:,}",
        one_line(result.reference.name or ""),
    )


def score_figure(number: int, history: History, span: Span) -> Figure:
    """The scores of a column with its threshold; bands have the colour of the verdict, texts name the window."""
    span = _with_room(span, history.results[-1][0])
    scale = 100 if is_in_points(history.check, history.results[-1][1]) else 1
    scored = [(at, each) for at, each in history.results if each.score is not None]
    thresholds = [(at, scale * each.threshold) for at, each in history.results if each.threshold is not None]
    top = 1.3 * (
        max([scale * (each.score or 0) for _, each in scored] + [limit for _, limit in thresholds], default=0) or 1
    )
    name = one_line(history.column)

    def draw(width: int) -> Any:
        from lets_plot import ggplot, labs, scale_fill_identity, scale_shape_identity, scale_y_continuous

        plot = ggplot() + scale_fill_identity() + scale_shape_identity()
        for layer in (*_score_layers(history, scored, scale, span, top), *mark_lines(span.marks, top * 0.99)):
            plot += layer
        plot += scale_y_continuous(limits=[0, top], expand=[0, 0])
        unit = "points" if scale == 100 else "KS distance"
        return plot + time_axis(span.since, span.until, width) + labs(x="time of the check (UTC)", y=f"shift, {unit}")

    last = history.results[-1][1]
    return Figure(
        f"scores-{number}",
        f"{name} ({history.check.value} check)",
        f"{name}, {len(history.results)} checks: last {last.verdict.value}. The dashed line is the threshold.",
        draw,
        210,
        (),
        _table(history),
    )


def _score_layers(
    history: History, scored: Sequence[tuple[datetime, ColumnResult]], scale: int, span: Span, top: float
) -> Iterator[Any]:
    from lets_plot import aes, geom_line, geom_point, geom_rect, geom_step, geom_text

    found = [(at, each.verdict, each.window or "") for at, each in history.results]
    bands = list(_bands(found, span.until))
    data: dict[str, Any] = {
        "left": [place(begin) for begin, _, _, _ in bands],
        "right": [place(end) for _, end, _, _ in bands],
        "color": [color(COLORS[verdict]) for _, _, verdict, _ in bands],
    }
    yield geom_rect(
        aes(xmin="left", xmax="right", fill="color"),
        data=cells(data),
        ymin=0,
        ymax=top,
        alpha=0.13,
        size=0,
    )
    if ends := _limits(history, scale, span.until):
        data = {"at": [at for at, _ in ends], "limit": [limit for _, limit in ends]}
        yield geom_step(aes("at", "limit"), data=cells(data), linetype="dashed", color=color("faint"), size=0.8)
    if scored:
        data = {
            "at": [place(at) for at, _ in scored],
            "score": [scale * (each.score or 0) for _, each in scored],
            "shape": [_SHAPES[each.verdict] for _, each in scored],
        }
        # Lets-Plot says on stdout that it leaves out a line of one point.
        if len(scored) > 1:
            yield geom_line(aes("at", "score"), data=cells(data), color=color("ink"), size=0.8)
        if len(scored) <= _MOST_POINTS:
            yield geom_point(
                aes("at", "score", shape="shape"),
                data=cells(data),
                color=color("ink"),
                fill=color("ink"),
                size=2.4,
            )
    texts = _rung_texts([(top * 0.9, *band) for band in bands], 360, span)
    if texts["text"]:
        yield geom_text(
            aes("at", "row", label="text"),
            data=cells(texts),
            hjust=0,
            vjust=1,
            size=4.6,
            color=color("ink"),
        )


def _with_room(span: Span, last: datetime) -> Span:
    """The axis, longer where the band of the last check would be too narrow to be seen."""
    room = _LEAST_SHOWN * (span.until - span.since)
    return replace(span, until=max(span.until, min(last, span.until) + room))


def _limits(history: History, scale: int, until: datetime) -> list[tuple[float, float]]:
    """Where the threshold changes, and where it is known last."""
    found = [(at, scale * each.threshold) for at, each in history.results if each.threshold is not None]
    kept = [each for index, each in enumerate(found) if not index or found[index - 1][1] != each[1]]
    if found:
        kept.append((min(max(until, found[-1][0]), found[-1][0] + _USUAL_GAP), found[-1][1]))
    return [(place(at), limit) for at, limit in kept]


_Found = tuple[datetime, Verdict, str]
_Band = tuple[datetime, datetime, Verdict, str]


def _bands(found: Sequence[_Found], until: datetime) -> Iterator[_Band]:
    """Runs of checks with one verdict over one window; each check counts until the next, for a day and a half at most.

    The gap after a check that had no successor stays empty: nothing is known of it.
    """
    ends = [min(later[0], at + 1.5 * _USUAL_GAP) for (at, *_), later in pairwise(found)]
    pieces = [(at, end, verdict, rung) for (at, verdict, rung), end in zip(found, ends, strict=False)]
    if found:
        at, verdict, rung = found[-1]
        pieces.append((at, min(max(until, at), at + _USUAL_GAP), verdict, rung))
    breaks = 0
    keyed = []
    for index, piece in enumerate(pieces):
        breaks += index > 0 and pieces[index - 1][1] < piece[0]
        keyed.append((breaks, piece))
    for (_, verdict, rung), group in groupby(keyed, key=lambda each: (each[0], each[1][2], each[1][3])):
        held = [piece for _, piece in group]
        yield held[0][0], held[-1][1], verdict, rung


def _rung_texts(
    bands: Sequence[tuple[float, datetime, datetime, Verdict, str]], width: int, span: Span
) -> dict[str, list[Any]]:
    """The window of each band where it differs from the one before in its row, and there is room for it."""
    room = 34 / width * (span.until - span.since)
    texts: dict[str, list[Any]] = {"at": [], "row": [], "text": []}
    last: dict[float, tuple[str, datetime]] = {}
    for row, begin, _, _, rung in bands:
        before = last.get(row)
        is_new = before is None or (before[0] != rung and begin - before[1] >= room)
        if rung and is_new and span.until - begin >= room:
            texts["at"].append(place(begin))
            texts["row"].append(row + 0.16 if row == int(row) else row)
            texts["text"].append(rung)
            last[row] = (rung, begin)
    return texts


def _rung(result: DriftResult) -> str:
    since, until = result.current.since, result.current.until
    return span_name(until - since) if since and until else ""


def _table(history: History) -> Table:
    newest = list(reversed(history.results))[:_MOST_ROWS]
    rows = []
    for at, column in newest:
        _, verdict, score, limit, p_value, counts, _ = column_figures(history.check, column)
        rows.append((f"{at:%Y-%m-%d %H:%M}", verdict, score, limit, p_value, column.window or "", counts))
    return Table(("checked at (UTC)", "verdict", "shift", "limit", "p", "window", "rows"), tuple(rows))
