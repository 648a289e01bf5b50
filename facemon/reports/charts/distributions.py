"""A column's shares now beside those of the reference."""

from typing import Any

from facemon.domain.column_shape import ColumnShape
from facemon.domain.period_report import ColumnBeside
from facemon.reports.charts.drawing import cells, drawable
from facemon.reports.charts.figure import Figure
from facemon.reports.charts.palette import color
from facemon.reports.column_figures import one_line
from facemon.reports.printed_parts import Table

KEY = (("reference", "reference"), ("current", "now"))
_BAR = 0.42
_MOST_CUTS = 4


def beside_figure(number: int | str, column: ColumnBeside, shape: ColumnShape, caption: str = "") -> Figure:
    """Both distributions over the same labels or ranges, as shares in percent from 0."""

    def draw(_: int) -> Any:
        return _plot(column, shape)

    name = one_line(column.column)
    return Figure(
        f"column-{number}",
        name,
        f"{name}: {column.reference_rows:,} rows of the reference and {column.current_rows:,} now. {_largest(shape)}",
        draw,
        220,
        (),
        _distribution_table(shape),
        caption=caption,
    )


def _distribution_table(shape: ColumnShape) -> Table:
    """The same shares as numbers."""
    rows = tuple(
        (one_line(group), f"{reference:.1%}", f"{current:.1%}")
        for group, reference, current in zip(shape.groups, shape.reference, shape.current, strict=True)
    )
    return Table(("range" if shape.is_ordered else "label", "reference", "now"), rows)


def _plot(column: ColumnBeside, shape: ColumnShape) -> Any:
    from lets_plot import aes, geom_rect, ggplot, labs, scale_fill_identity, scale_y_continuous

    sides = ((shape.reference, -_BAR, "reference"), (shape.current, 0.0, "current"))
    bars = [
        (index + left, 100 * share, color(name)) for shares, left, name in sides for index, share in enumerate(shares)
    ]
    data: dict[str, list[Any]] = {
        "left": [left for left, _, _ in bars],
        "right": [left + _BAR for left, _, _ in bars],
        "share": [share for _, share, _ in bars],
        "color": [name for _, _, name in bars],
    }
    drawn = geom_rect(aes(xmin="left", xmax="right", ymax="share", fill="color"), ymin=0, size=0)
    plot = ggplot(cells(data)) + drawn + scale_fill_identity() + _groups_axis(shape)
    plot += scale_y_continuous(limits=[0, max(1.0, *(share for _, share, _ in bars)) * 1.05], expand=[0, 0])
    return plot + labs(x=drawable(column.unit, 44), y=f"share of {column.counted}s, %")


def _groups_axis(shape: ColumnShape) -> Any:
    """The labels below their bars; of ranges some of the values at which they begin, between the bars."""
    from lets_plot import scale_x_continuous

    limits = [-0.5, len(shape.groups) - 0.5]
    if not shape.cuts:
        labels = [drawable(group, 14) for group in shape.groups]
        return scale_x_continuous(breaks=list(range(len(labels))), labels=labels, limits=limits, expand=[0, 0.1])
    first = len(shape.groups) - len(shape.cuts)
    step = max(1, -(-(len(shape.cuts) - 1) // _MOST_CUTS))
    ticks = {first + at - 0.5: _cut_text(shape.cuts[at]) for at in range(1, len(shape.cuts), step)}
    if len(shape.cuts) == 1:
        ticks = {float(first): _cut_text(shape.cuts[0])}
    named = {float(at): drawable(shape.groups[at], 10) for at in range(first)}
    places = {**named, **ticks}
    return scale_x_continuous(breaks=list(places), labels=list(places.values()), limits=limits, expand=[0, 0.1])


def _cut_text(cut: float) -> str:
    """Three digits that tell, and never an exponent where the number itself is as short."""
    return f"{cut:,.0f}" if 1_000 <= abs(cut) < 1_000_000 else f"{cut:.3g}"


def _largest(shape: ColumnShape) -> str:
    changes = [now - before for before, now in zip(shape.reference, shape.current, strict=True)]
    at = max(range(len(changes)), key=lambda index: abs(changes[index]))
    return f"The largest change is {100 * changes[at]:+z.1f} points of {one_line(shape.groups[at])}."
