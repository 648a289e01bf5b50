"""Shapes of a picture as SVG text: pure functions, system fonts, colours for light and dark."""

from collections.abc import Iterable, Sequence
from html import escape
from math import hypot, log10

_LIGHT = {
    "page": "#ffffff",
    "ink": "#1f2328",
    "quiet": "#59636e",
    "grid": "#d1d9e0",
    "blue": "#0969da",
    "orange": "#bc4c00",
    "green": "#1a7f37",
    "wash": "#ddf4ff",
}
_DARK = {
    "page": "#0d1117",
    "ink": "#f0f6fc",
    "quiet": "#9198a1",
    "grid": "#3d444d",
    "blue": "#4493f8",
    "orange": "#f0883e",
    "green": "#3fb950",
    "wash": "#12263f",
}
_FONT = 'font-family:system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif'

Point = tuple[float, float]


def linear(low: float, high: float, start: float, end: float, value: float) -> float:
    """Map a value between `low` and `high` to a place between `start` and `end`."""
    return start + (value - low) / (high - low) * (end - start)


def logarithmic(low: float, high: float, start: float, end: float, value: float) -> float:
    """Map a positive value to its place on a logarithmic axis."""
    return linear(log10(low), log10(high), start, end, log10(value))


def text(at: Point, words: str, look: str = "", *, anchor: str = "start") -> str:
    """Write words whose baseline begins, is centred or ends at a point; `look` names classes."""
    x, y = at
    classes = f' class="{look}"' if look else ""
    align = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{_number(x)}" y="{_number(y)}"{classes}{align}>{escape(words)}</text>'


def line(start: Point, end: Point, look: str) -> str:
    """Draw a straight line."""
    (x1, y1), (x2, y2) = start, end
    return f'<line x1="{_number(x1)}" y1="{_number(y1)}" x2="{_number(x2)}" y2="{_number(y2)}" class="{look}"/>'


def curve(points: Iterable[Point], look: str) -> str:
    """Draw a line through points."""
    joined = " ".join(f"{_number(x)},{_number(y)}" for x, y in points)
    return f'<polyline points="{joined}" class="{look}"/>'


def arrow(start: Point, end: Point, look: str) -> str:
    """Draw a straight line with an arrowhead at its end."""
    (x1, y1), (x2, y2) = start, end
    length = hypot(x2 - x1, y2 - y1)
    along, across = ((x2 - x1) / length * 7, (y2 - y1) / length * 7), ((y1 - y2) / length * 4, (x2 - x1) / length * 4)
    sides = [(x2 - along[0] + sign * across[0], y2 - along[1] + sign * across[1]) for sign in (1, -1)]
    solid = " ".join(part for part in look.split() if part not in ("dash", "dots"))
    return line(start, end, look) + curve([sides[0], end, sides[1]], solid)


def box(at: Point, width: float, height: float, look: str) -> str:
    """Draw a rectangle from its upper left corner."""
    x, y = at
    return (
        f'<rect x="{_number(x)}" y="{_number(y)}" width="{_number(width)}" height="{_number(height)}" class="{look}"/>'
    )


def disc(at: Point, radius: float, look: str) -> str:
    """Draw a circle."""
    x, y = at
    return f'<circle cx="{_number(x)}" cy="{_number(y)}" r="{_number(radius)}" class="{look}"/>'


def picture(width: int, height: int, title: str, description: str, shapes: Sequence[str]) -> str:
    """Put shapes on a page that is light or dark as its reader's screen is."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'role="img" aria-labelledby="title description">'
    )
    return "\n".join(
        (
            head,
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(description)}</desc>',
            "<style>",
            f"text{{{_FONT};font-size:13px}}",
            ".small{font-size:12px}",
            ".strong{font-weight:600}",
            ".large{font-size:16px;font-weight:600}",
            ".halo{paint-order:stroke;stroke-width:4px;stroke-linejoin:round}",
            ".thin{stroke-width:1}",
            ".thick{stroke-width:2.5}",
            ".dash{stroke-dasharray:6 4}",
            ".dots{stroke-dasharray:2 4}",
            "polyline{fill:none}",
            _colours(_LIGHT),
            "@media (prefers-color-scheme:dark){",
            _colours(_DARK),
            "}",
            "</style>",
            box((0, 0), width, height, "page"),
            *shapes,
            "</svg>\n",
        )
    )


def _colours(of: dict[str, str]) -> str:
    """Style fills, lines and texts by the names of colours."""
    return "\n".join(
        (
            f"text{{fill:{of['ink']}}}",
            f"text.quiet{{fill:{of['quiet']}}}",
            f".halo{{stroke:{of['page']}}}",
            *(f"text.{name}{{fill:{of[name]}}}" for name in ("blue", "orange", "green")),
            *(f"rect.{name},circle.{name}{{fill:{of[name]}}}" for name in of),
            *(f"line.{name},polyline.{name}{{stroke:{of[name]}}}" for name in of),
            f"rect.open{{fill:none;stroke:{of['quiet']};stroke-width:1;stroke-dasharray:4 3}}",
        )
    )


def _number(value: float) -> str:
    return f"{round(value, 1):g}"
