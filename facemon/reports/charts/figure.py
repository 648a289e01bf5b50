"""A chart with its title, the key of its colours, and its numbers as a table for who cannot see it or wants to copy."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

from facemon.reports.charts.drawing import svg_of
from facemon.reports.charts.palette import STYLE as _COLORS
from facemon.reports.page_parts import table_html
from facemon.reports.printed_parts import Table

_WIDE, _NARROW = 860, 360
"""Widths in pixels of a chart over the whole page, and of one on a phone or in a grid."""
_STYLE = """
figure { margin: 0 0 1.2rem; break-inside: avoid; } figcaption { font-weight: 600; }
figure svg { display: block; max-width: 100%; height: auto; } svg text { fill: var(--ink); font-family: inherit; }
svg .axis-title-x, svg .axis-title-y { fill: var(--faint); }
.grid { display: grid; gap: 1rem 1.5rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr)); }
.key { color: var(--faint); margin: .1rem 0; } .key span { margin-right: 1em; white-space: nowrap; }
.key i { display: inline-block; width: .75em; height: .75em; margin-right: .35em; border-radius: 2px; }
.narrow-chart { display: none !important; }
@media screen and (max-width: 700px) { .wide-chart { display: none !important; }
  .narrow-chart { display: block !important; } }
"""
PAGE_STYLE = _COLORS + _STYLE
"""What a page with charts needs beside what all pages have."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What a chart shows; `draw` makes the plot for a width in pixels."""

    name: str
    """What its identifiers begin with, unique in the page."""
    title: str
    description: str
    draw: Callable[[int], Any]
    height: int
    key: tuple[tuple[str, str], ...]
    """The names of its colours in the palette, and what each means."""
    table: Table
    is_wide: bool = False
    """Whether it takes the whole width of the page, where that is wider than a phone."""
    caption: str = ""
    """HTML below the title."""


def figure_html(figure: Figure) -> str:
    """The figure with its numbers folded away; a wide chart is drawn twice, and the page shows the one that fits."""
    sizes = ((_WIDE, "wide-chart", "-wide"), (_NARROW, "narrow-chart", "")) if figure.is_wide else ((_NARROW, "", ""),)
    drawn = "".join(
        svg_of(
            figure.draw(width), (width, figure.height), f"{figure.name}{suffix}", figure.title, figure.description
        ).replace("<svg ", f'<svg class="{class_}" ' if class_ else "<svg ", 1)
        for width, class_, suffix in sizes
    )
    return (
        f"<figure><figcaption>{escape(figure.title)}</figcaption>{figure.caption}{key_html(figure.key)}{drawn}"
        f'<details><summary>Numbers<span class="unseen"> of {escape(figure.title)}</span></summary>'
        f"{table_html(figure.table, figure.title)}</details></figure>"
    )


def key_html(key: tuple[tuple[str, str], ...]) -> str:
    """The colours and what each means, as text that wraps."""
    entries = (f'<span><i style="background:var(--{name})"></i>{escape(text)}</span>' for name, text in key)
    return f'<p class="key">{"".join(entries)}</p>' if key else ""
