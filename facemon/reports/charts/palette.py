"""The colours of charts: the page names them as CSS variables, light and dark, so a chart is drawn once for both."""

import re

_NAMES = (
    "paper", "ink", "faint", "line", "reference", "current", "drift", "undecided", "ok", "not-compared",
    "series-1", "series-2", "series-3", "series-4", "series-5", "series-6", "series-7", "series-8",
)  # fmt: skip
SERIES = tuple(name for name in _NAMES if name.startswith("series-"))
"""The colours of series that have no meaning of their own, such as sources."""
STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2127; --faint: #5b6570; --line: #d9dee4;
  --reference: #8b96a3; --current: #2563eb; --drift: #b91c1c; --undecided: #92600a; --ok: #15803d;
  --not-compared: #5b6570; --series-1: #2563eb; --series-2: #c2570c; --series-3: #0f8a6d; --series-4: #9333ea;
  --series-5: #a16207; --series-6: #0e7490; --series-7: #be3a6b; --series-8: #6b7280; }
@media screen and (prefers-color-scheme: dark) { :root { --paper: #14181d; --ink: #e4e8ec; --faint: #98a2ad;
  --line: #333b44; --reference: #7d8894; --current: #6ea0ff; --drift: #ff7b72; --undecided: #e3b341; --ok: #56d364;
  --not-compared: #98a2ad; --series-1: #6ea0ff; --series-2: #f0883e; --series-3: #3fb99a; --series-4: #c297ff;
  --series-5: #d8b53a; --series-6: #58b7dd; --series-7: #f778ac; --series-8: #98a2ad; } }
"""
"""The variables; print takes the light ones, because paper is white."""

# Lets-Plot takes real colours alone: one that no chart has otherwise is drawn for each name, and replaced afterwards.
_DRAWN = re.compile(r"rgb\(1,2,(\d+)\)|#0102([0-9a-f]{2})")


def color(name: str) -> str:
    """The colour that is drawn for a name."""
    return f"#0102{_NAMES.index(name):02x}"


def with_variables(svg: str) -> str:
    """The SVG with the page's variables in the place of the colours that were drawn for names."""
    return _DRAWN.sub(lambda found: f"var(--{_NAMES[int(found[1] or found[2], 10 if found[1] else 16)]})", svg)
