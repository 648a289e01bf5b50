"""What Lets-Plot draws, as SVG inside a page: small, without styles, identifiers and links of its own."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from facemon.reports.charts.palette import color, with_variables
from facemon.reports.column_figures import one_line

_JOINER = "\u2060"
"""A character without width."""
_LONGEST = 28
_FAILURE = "generateSvg() - Exception"
"""What Lets-Plot draws in the place of a chart that it cannot draw."""
_TAG = re.compile(r"<[^>]*>")
_IN_TAGS = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        (r"(\d+\.\d)\d+", r"\1"),
        (r"(\d+)\.0(?!\d)", r"\1"),
        (r'fill="[^"]*" fill-opacity="0(?:\.0)?"', 'fill="none"'),
        (r' (?:stroke-opacity|fill-opacity)="1"| y="0"| (?:fill-rule|buffered-rendering|pointer-events)="\w+"', ""),
        (r' clip-bounds-jfx="[^"]*"', ""),
        (r'style="(?:fill:[^;]*;)?font-size:([\d.]+)px;(?:font-family:[^;]*;)?"', r'font-size="\1"'),
    )
)
"""What is left out of tags; texts stay as they are."""
_SPAN = re.compile(r"<tspan>([^<]*)</tspan>")
_CLOSED = re.compile(r"></(?:line|rect|path|circle|polygon)>")
_STROKE = re.compile(r' stroke(?:-width|-opacity)?="[^"]*"')
_AROUND = re.compile(r"^\s*<svg[^>]*>|</svg>|<style.*?</style>", re.DOTALL)
_BETWEEN = re.compile(r">\s+<")
_EMPTY_GROUP = re.compile(r"<g[^>]*></g>")
_IDENTIFIER = re.compile(r'id="([^"]+)"')


def drawable(text: str, longest: int = _LONGEST) -> str:
    """Text of other people's for a chart: one line, not too long, in which Lets-Plot finds no link and no formula."""
    line = one_line(text)
    line = line if len(line) <= longest else f"{line[: longest - 1]}…"
    return line.replace("<", f"<{_JOINER}").replace("\\", f"\\{_JOINER}")


def cells(columns: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """The data of a layer, by the names of its columns: as arrays, since Lets-Plot inspects each cell of a list."""
    import numpy as np

    return {name: np.array(values) for name, values in columns.items()}


def svg_of(plot: Any, size: tuple[int, int], name: str, title: str, description: str) -> str:
    """Draw a plot of a width and a height in pixels; `name` is what its identifiers begin with, unique in the page.

    The title and the description are for people who hear the page.
    """
    from lets_plot import ggsize

    width, height = size
    made = (plot + _theme() + ggsize(width, height)).to_svg()
    if _FAILURE in made:
        # It would be the only text of the chart, and every other part of the page would look well.
        raise RuntimeError(f"the chart {name} cannot be drawn: {made[made.index(_FAILURE) :][:200]}")
    drawn = _AROUND.sub("", made)
    parts = _TAG.sub(_shortened, _BETWEEN.sub("><", drawn))
    parts = _SPAN.sub(r"\1", _CLOSED.sub("/>", parts))
    while (fewer := _EMPTY_GROUP.sub("", parts)) != parts:
        parts = fewer
    parts = with_variables(_renamed(parts.replace(_JOINER, ""), name)).strip()
    return (
        f'<svg role="img" aria-labelledby="{name}-title {name}-desc" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}"><title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(description)}</desc>{parts}</svg>'
    )


def _shortened(found: re.Match[str]) -> str:
    tag = found[0]
    for pattern, text in _IN_TAGS:
        tag = pattern.sub(text, tag)
    return _STROKE.sub("", tag) if ' stroke-width="0"' in tag else tag


def _renamed(parts: str, name: str) -> str:
    """The parts with the identifiers that clip paths need, the same each time; Lets-Plot draws them by lot."""
    for number, found in enumerate(dict.fromkeys(_IDENTIFIER.findall(parts))):
        is_needed = f"(#{found})" in parts
        parts = parts.replace(f"(#{found})", f"(#{name}-{number})")
        parts = parts.replace(f' id="{found}"', f' id="{name}-{number}"' if is_needed else "")
    return parts


def _theme() -> Any:
    from lets_plot import element_blank, element_line, element_text, theme, theme_minimal

    return theme_minimal() + theme(
        axis_title=element_text(size=12),
        axis_text=element_text(size=11),
        # Lets-Plot turns or staggers labels that it takes for too long.
        axis_text_x=element_text(size=11, angle=0),
        axis_line_x=element_line(color=color("faint"), size=1),
        axis_ticks_x=element_line(color=color("faint")),
        panel_grid_major_x=element_blank(),
        panel_grid_minor=element_blank(),
        panel_grid_major_y=element_line(color=color("line")),
        legend_position="none",
        plot_background=element_blank(),
        # Not as powers, whose exponents are texts of their own.
        exponent_format="e",
        plot_margin=[2, 10, 2, 2],
    )
