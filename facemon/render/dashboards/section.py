"""Sections of a dashboard on its grid: a heading, what to do, and panels, one below the other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from facemon.config.document import Config
from facemon.config.prometheus import Job
from facemon.render.dashboards.panel import Panel
from facemon.render.dashboards.panel_json import panel_json
from facemon.render.our_series import OurSeries

_GRID_WIDTH, _ROW_HEIGHT, _ADVICE_HEIGHT, _NOTE_HEIGHT = 24, 1, 2, 3
_NOTE_ID = 900
_ADVICE = 1
"""The number of a section's advice is by so much higher than its own."""


@dataclass(frozen=True, slots=True)
class Section:
    """Panels under one heading; what they need where they do not say it themselves."""

    id: int
    title: str
    panels: tuple[Panel, ...]
    needs: tuple[Job, ...] = ()
    """Scrape jobs of which any brings what is asked for; none = all do."""
    advice: str = ""
    """What to do when something here is wrong, in Markdown."""
    repeat: str | None = None
    """A variable, for each of whose chosen values the section is there once."""
    is_folded: bool = False
    """Whether it is closed at first; what is closed asks for nothing."""


def laid_out(config: Config, sections: Sequence[Section]) -> Iterator[dict[str, Any]]:
    """The panels of all sections from top to bottom, with a note in place of those that would be empty."""
    y, missing = 0, dict[str, tuple[Job, ...]]()
    for section in sections:
        needs = {panel.title: panel.needs or section.needs for panel in section.panels}
        missing |= {title: jobs for title, jobs in needs.items() if jobs and not {*jobs} & {*config.prometheus.jobs}}
        shown = [panel for panel in section.panels if panel.title not in missing]
        if not shown:
            continue
        inside, below = _inside(config, section, shown, y + _ROW_HEIGHT)
        yield _row(section, y, inside if section.is_folded else [])
        if not section.is_folded:
            yield from inside
        y = y + _ROW_HEIGHT if section.is_folded else below
    if missing:
        yield _note(missing, {"h": _NOTE_HEIGHT, "w": _GRID_WIDTH, "x": 0, "y": y})


def _inside(config: Config, section: Section, panels: Sequence[Panel], y: int) -> tuple[list[dict[str, Any]], int]:
    """What is below a section's heading, from `y` on, and where the next section begins."""
    found, ours = [], OurSeries(config)
    if section.advice:
        found.append(_advice(section, {"h": _ADVICE_HEIGHT, "w": _GRID_WIDTH, "x": 0, "y": y}))
        y += _ADVICE_HEIGHT
    x = height = 0
    for panel in panels:
        if x + panel.width > _GRID_WIDTH:
            x, y, height = 0, y + height, 0
        place = {"h": panel.height, "w": panel.width, "x": x, "y": y}
        found.append(panel_json(panel.within(ours), place, config.prometheus.scrape_interval))
        x, height = x + panel.width, max(height, panel.height)
    return found, y + height


def _row(section: Section, y: int, folded: list[dict[str, Any]]) -> dict[str, Any]:
    row = {
        "id": section.id,
        "type": "row",
        "title": section.title,
        "collapsed": section.is_folded,
        "panels": folded,
        "gridPos": {"h": _ROW_HEIGHT, "w": _GRID_WIDTH, "x": 0, "y": y},
    }
    return row if section.repeat is None else {**row, "repeat": section.repeat}


def _advice(section: Section, place: Mapping[str, int]) -> dict[str, Any]:
    description = "What to do when something in this section is wrong."
    return _text(section.id + _ADVICE, "", description, f"**What to do:** {section.advice}", place, transparent=True)


def _note(missing: Mapping[str, Sequence[Job]], place: Mapping[str, int]) -> dict[str, Any]:
    """What is in place of panels that would be empty."""
    jobs = ", ".join(f"`{job}`" for job in dict.fromkeys(job for needs in missing.values() for job in needs))
    content = f"`prometheus.jobs` lacks {jobs}, so there is nothing to show in: {', '.join(missing)}."
    return _text(_NOTE_ID, "Not shown", "What is not scraped cannot be shown.", content, place)


def _text(
    number: int, title: str, description: str, content: str, place: Mapping[str, int], *, transparent: bool = False
) -> dict[str, Any]:
    return {
        "id": number,
        "type": "text",
        "title": title,
        "description": description,
        "transparent": transparent,
        "gridPos": dict(place),
        "options": {"mode": "markdown", "content": content},
    }
