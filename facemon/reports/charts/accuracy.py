"""The accuracy of an attribute in each evaluation, with its interval."""

from collections.abc import Sequence
from typing import Any

from facemon.domain.counted import counted
from facemon.domain.period_report import Accuracy
from facemon.reports.charts.drawing import cells
from facemon.reports.charts.drift_history import Span
from facemon.reports.charts.figure import Figure
from facemon.reports.charts.palette import color
from facemon.reports.charts.time_axis import mark_lines, place, time_axis
from facemon.reports.column_figures import one_line
from facemon.reports.printed_parts import Table


def accuracy_figure(number: int, found: Sequence[Accuracy], span: Span) -> Figure:
    """Shares of right predictions of one attribute, in percent, with their 95 % intervals."""
    name = one_line(found[0].attribute)
    low = 100 * min(each.interval[0] for each in found)
    floor = max(0.0, 10 * (low // 10) - 10) if low >= 20 else 0.0

    def draw(width: int) -> Any:
        from lets_plot import aes, geom_line, geom_pointrange, ggplot, labs, scale_y_continuous

        data = {
            "at": [place(each.at) for each in found],
            "share": [100 * each.correct / each.labelled for each in found],
            "low": [100 * each.interval[0] for each in found],
            "high": [100 * each.interval[1] for each in found],
        }
        plot = ggplot(cells(data))
        # Lets-Plot says on stdout that it leaves out a line of one point.
        if len(found) > 1:
            plot += geom_line(aes("at", "share"), color=color("current"), size=0.6)
        plot += geom_pointrange(
            aes("at", "share", ymin="low", ymax="high"),
            color=color("current"),
            fill=color("current"),
            shape=16,
            size=0.6,
            fatten=4,
        )
        for layer in mark_lines(span.marks, 99.5):
            plot += layer
        plot += scale_y_continuous(limits=[floor, 100], expand=[0, 1])
        axis = time_axis(span.since, span.until, width)
        return plot + axis + labs(x="time of the evaluation (UTC)", y="right predictions, %")

    last = found[-1]
    labels, evaluations = counted(last.labelled, "label", grouped=True), counted(len(found), "evaluation")
    said = f"{last.correct / last.labelled:.1%} of {labels} right in the last of {evaluations}"
    interval = f"95 % interval {last.interval[0]:.1%} to {last.interval[1]:.1%}"
    return Figure(
        f"accuracy-{number}",
        name,
        f"{name}: {said}, {interval}.",
        draw,
        210,
        (),
        _table(found),
    )


def _table(found: Sequence[Accuracy]) -> Table:
    rows = tuple(
        (f"{each.at:%Y-%m-%d %H:%M}", f"{each.labelled:,}", f"{each.correct:,}", f"{each.correct / each.labelled:.1%}",
         f"{each.interval[0]:.1%} to {each.interval[1]:.1%}")
        for each in reversed(found)
    )  # fmt: skip
    return Table(("evaluated at (UTC)", "labels", "right", "accuracy", "95 % interval"), rows)
