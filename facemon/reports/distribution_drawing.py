"""Both distributions of a column as a small SVG inside a page of HTML."""

from html import escape

from facemon.domain.column_shape import ColumnShape
from facemon.reports.column_figures import one_line

_HEIGHT = 48
_BAR = 6
_GAP = 4


def distribution_svg(shape: ColumnShape) -> str:
    """A pair of bars per group, the reference's left of the current one, all on one scale from 0.

    The page gives the classes `reference` and `current` their colours.
    """
    highest = max((*shape.reference, *shape.current), default=0.0) or 1.0
    step = 2 * _BAR + _GAP
    width = max(step * len(shape.groups), 1)
    drawn = [
        f"<g><title>{escape(_group_sentence(group, reference, current))}</title>"
        f"{_bar('reference', index * step, reference / highest)}"
        f"{_bar('current', index * step + _BAR, current / highest)}</g>"
        for index, (group, reference, current) in enumerate(
            zip(shape.groups, shape.reference, shape.current, strict=True)
        )
    ]
    return (
        f'<svg role="img" aria-label="shares in the reference and in the current data" width="{width}" '
        f'height="{_HEIGHT + 1}" viewBox="0 0 {width} {_HEIGHT + 1}">{"".join(drawn)}'
        f'<rect class="axis" x="0" y="{_HEIGHT}" width="{width}" height="1"/></svg>'
    )


def distribution_table(shape: ColumnShape) -> str:
    """The same shares as figures, for who cannot see the drawing or wants to copy them."""
    title = "range" if shape.is_ordered else "label"
    rows = [
        f"<tr><th>{escape(one_line(group))}</th><td>{reference:.1%}</td><td>{current:.1%}</td></tr>"
        for group, reference, current in zip(shape.groups, shape.reference, shape.current, strict=True)
    ]
    return f"<table><tr><th>{title}</th><th>reference</th><th>current</th></tr>{''.join(rows)}</table>"


def _bar(side: str, left: int, share: float) -> str:
    height = share * _HEIGHT
    return f'<rect class="{side}" x="{left}" y="{_HEIGHT - height:.1f}" width="{_BAR}" height="{height:.1f}"/>'


def _group_sentence(group: str, reference: float, current: float) -> str:
    return f"{one_line(group)}: {reference:.1%} in the reference, {current:.1%} now"
