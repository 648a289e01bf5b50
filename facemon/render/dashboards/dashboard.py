"""A whole dashboard: sections that a person reads from top to bottom, choices, links, and alerts as annotations."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from facemon.config.document import Config
from facemon.config.prometheus import Job
from facemon.render import promql
from facemon.render.alert import Dashboard
from facemon.render.alert_rules import alerts_of
from facemon.render.dashboards.panel import DATASOURCE, Panel
from facemon.render.dashboards.panel_json import panel_json
from facemon.render.dashboards.variable import Variable, datasource_json, variable_json
from facemon.render.foreign_metrics import ALERTS
from facemon.render.our_series import OurSeries

_SCHEMA_VERSION = 39
_GRID_WIDTH, _ROW_HEIGHT, _NOTE_HEIGHT = 24, 1, 3
_NOTE_ID = 900
_TITLES = {
    Dashboard.ML_METRICS: "ML Model Metrics",
    Dashboard.API_PERFORMANCE: "API Performance",
    Dashboard.SYSTEM_METRICS: "System Metrics",
}


@dataclass(frozen=True, slots=True)
class Section:
    """Panels under one heading; what they need where they do not say it themselves."""

    id: int
    title: str
    panels: tuple[Panel, ...]
    needs: tuple[Job, ...] = ()
    """Scrape jobs of which any brings what is asked for; none = all do."""


def dashboard(
    config: Config, which: Dashboard, sections: Sequence[Section], variables: Sequence[Variable], *, since: str
) -> dict[str, Any]:
    """The dashboard, which at first shows the time from `since` to now."""
    ours = OurSeries(config)
    return {
        "uid": str(which),
        "title": _TITLES[which],
        "tags": ["facemon"],
        "schemaVersion": _SCHEMA_VERSION,
        "version": 1,
        "editable": False,
        "timezone": "utc",
        "refresh": "30s",
        "time": {"from": since, "to": "now"},
        "graphTooltip": 1,
        "links": [_link(title, other) for other, title in _TITLES.items() if other is not which],
        "templating": {"list": [datasource_json(), *(variable_json(each.within(ours)) for each in variables)]},
        "annotations": {"list": _annotations(config, which, variables)},
        "panels": list(_laid_out(config, sections)),
    }


def _link(title: str, uid: Dashboard) -> dict[str, Any]:
    # Jobs and instances are others on each dashboard: a choice that was taken along would leave the next one empty.
    return {
        "type": "link",
        "title": title,
        "url": f"/d/{uid}?${{datasource:queryparam}}",
        "keepTime": True,
        "includeVars": False,
    }


def _annotations(config: Config, which: Dashboard, variables: Sequence[Variable]) -> list[dict[str, Any]]:
    names = [alert.name for alert in alerts_of(config) if alert.dashboard is which and alert.severity != "none"]
    if not names:
        return []
    constant = config.metrics.labels
    chosen = [
        promql.chosen_or_none(each.name, on_any_series=each.name in constant)
        for each in variables
        if each.name in ALERTS.labels or each.name in constant
    ]
    firing = promql.equals("alertstate", "firing")
    annotation = {
        "name": "Alerts",
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": "red",
        "expr": str(promql.select(ALERTS, firing, promql.one_of("alertname", names), *chosen)),
        "step": "60s",
        "titleFormat": "{{alertname}}",
        "textFormat": "{{attribute}} {{source}} {{endpoint}} {{job}} {{instance}}",
        "tagKeys": "severity",
        "useValueForTime": False,
    }
    return [annotation]


def _laid_out(config: Config, sections: Sequence[Section]) -> Iterable[dict[str, Any]]:
    ours = OurSeries(config)
    y, missing = 0, dict[str, tuple[Job, ...]]()
    for section in sections:
        needs = {panel.title: panel.needs or section.needs for panel in section.panels}
        missing |= {title: jobs for title, jobs in needs.items() if jobs and not {*jobs} & {*config.prometheus.jobs}}
        shown = [panel for panel in section.panels if panel.title not in missing]
        if shown:
            yield _row(section, y)
            y += _ROW_HEIGHT
        x = height = 0
        for panel in shown:
            if x + panel.width > _GRID_WIDTH:
                x, y, height = 0, y + height, 0
            place = {"h": panel.height, "w": panel.width, "x": x, "y": y}
            yield panel_json(panel.within(ours), place, config.prometheus.scrape_interval)
            x, height = x + panel.width, max(height, panel.height)
        y += height
    if missing:
        yield _note(missing, {"h": _NOTE_HEIGHT, "w": _GRID_WIDTH, "x": 0, "y": y})


def _row(section: Section, y: int) -> dict[str, Any]:
    return {
        "id": section.id,
        "type": "row",
        "title": section.title,
        "collapsed": False,
        "panels": [],
        "gridPos": {"h": _ROW_HEIGHT, "w": _GRID_WIDTH, "x": 0, "y": y},
    }


def _note(missing: Mapping[str, Sequence[Job]], place: Mapping[str, int]) -> dict[str, Any]:
    """What stands in place of panels that would be empty."""
    jobs = ", ".join(f"`{job}`" for job in dict.fromkeys(job for needs in missing.values() for job in needs))
    content = f"`prometheus.jobs` lacks {jobs}, so there is nothing to show in: {', '.join(missing)}."
    return {
        "id": _NOTE_ID,
        "type": "text",
        "title": "Not shown",
        "description": "What is not scraped cannot be shown.",
        "gridPos": dict(place),
        "options": {"mode": "markdown", "content": content},
    }
