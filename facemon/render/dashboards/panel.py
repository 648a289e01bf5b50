"""Panels and dashboards in Grafana's classic JSON: what a panel asks, how it looks, and where it lies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from facemon.render.alert import Dashboard
from facemon.render.promql import Expr

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
DATASOURCE_UID = "facemon-prometheus"
_SCHEMA_VERSION = 39
_GRID_WIDTH, _PANEL_HEIGHT = 24, 8
_TITLES = {
    Dashboard.ML_METRICS: "ML Model Metrics",
    Dashboard.API_PERFORMANCE: "API Performance",
    Dashboard.SYSTEM_METRICS: "System Metrics",
}


class PanelType(StrEnum):
    """The kinds of panel in use, as Grafana names them."""

    TIMESERIES = "timeseries"
    PIE = "piechart"
    HEATMAP = "heatmap"


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel and the legend of its series."""

    expr: Expr
    legend: str
    instant: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel; `unit` is Grafana's name of it, `limit` is drawn as a line, red on its bad side."""

    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    type: PanelType = PanelType.TIMESERIES
    limit: float | None = None
    limit_below: bool = False
    lowest: float | None = 0
    highest: float | None = None
    stacked: bool = False
    width: int = 12


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the top of a dashboard: the values of a label."""

    name: str
    label: str
    metric: str


def dashboard(which: Dashboard, panels: Sequence[Panel], variables: Sequence[Variable] = ()) -> dict[str, Any]:
    """A whole dashboard; panels flow from left to right, their ids are their positions."""
    return {
        "uid": str(which),
        "title": _TITLES[which],
        "tags": ["facemon"],
        "schemaVersion": _SCHEMA_VERSION,
        "version": 1,
        "editable": False,
        "timezone": "utc",
        "refresh": "30s",
        "time": {"from": "now-24h", "to": "now"},
        "graphTooltip": 1,
        "links": [
            {"type": "link", "title": title, "url": f"/d/{other}", "keepTime": True, "includeVars": False}
            for other, title in _TITLES.items()
            if other is not which
        ],
        "templating": {"list": [_datasource_variable(), *(_variable(each) for each in variables)]},
        "annotations": {"list": []},
        "panels": [
            _panel(panel, number, place)
            for number, (panel, place) in enumerate(zip(panels, _places(panels), strict=True), 1)
        ],
    }


def _places(panels: Sequence[Panel]) -> list[dict[str, int]]:
    places, x, y = [], 0, 0
    for panel in panels:
        if x + panel.width > _GRID_WIDTH:
            x, y = 0, y + _PANEL_HEIGHT
        places.append({"h": _PANEL_HEIGHT, "w": panel.width, "x": x, "y": y})
        x += panel.width
    return places


def _panel(panel: Panel, number: int, place: Mapping[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": str(panel.type),
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "gridPos": dict(place),
        "fieldConfig": {"defaults": _field(panel), "overrides": []},
        "options": _options(panel),
        "targets": [_target(panel, query, chr(ord("A") + index)) for index, query in enumerate(panel.queries)],
    }


def _field(panel: Panel) -> dict[str, Any]:
    field: dict[str, Any] = {"unit": panel.unit}
    if panel.lowest is not None:
        field["min"] = panel.lowest
    if panel.highest is not None:
        field["max"] = panel.highest
    if panel.type is PanelType.TIMESERIES:
        # A gap says that nothing is known; a line across it would say that nothing happened.
        field["custom"] = {"drawStyle": "line", "fillOpacity": 10, "showPoints": "auto", "spanNulls": False}
        if panel.stacked:
            field["custom"]["stacking"] = {"mode": "normal", "group": "A"}
    if panel.limit is not None:
        field["custom"]["thresholdsStyle"] = {"mode": "line"}
        below, above = ("red", "green") if panel.limit_below else ("green", "red")
        steps = [{"color": below, "value": None}, {"color": above, "value": panel.limit}]
        field["thresholds"] = {"mode": "absolute", "steps": steps}
    return field


def _options(panel: Panel) -> dict[str, Any]:
    match panel.type:
        case PanelType.PIE:
            return {
                "pieType": "pie",
                "displayLabels": ["name", "percent"],
                "legend": {"displayMode": "table", "placement": "right", "showLegend": True, "values": ["value"]},
                "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            }
        case PanelType.HEATMAP:
            return {
                "calculate": False,
                "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64},
                "yAxis": {"axisPlacement": "left", "unit": panel.unit},
                "cellGap": 1,
                "legend": {"show": True},
                "tooltip": {"mode": "single", "yHistogram": True},
            }
        case PanelType.TIMESERIES:
            return {
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }


def _target(panel: Panel, query: Query, letter: str) -> dict[str, Any]:
    return {
        "refId": letter,
        "datasource": DATASOURCE,
        "expr": str(query.expr),
        "legendFormat": query.legend,
        "format": "heatmap" if panel.type is PanelType.HEATMAP else "time_series",
        "instant": query.instant,
        "range": not query.instant,
        "editorMode": "code",
    }


def _datasource_variable() -> dict[str, Any]:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "current": {"text": "Prometheus", "value": DATASOURCE_UID},
        "hide": 0,
        "refresh": 1,
    }


def _variable(variable: Variable) -> dict[str, Any]:
    query = f"label_values({variable.metric}, {variable.label})"
    return {
        "name": variable.name,
        "label": variable.name.capitalize(),
        "type": "query",
        "datasource": DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": f"variable-{variable.name}"},
        "current": {"text": ["All"], "value": ["$__all"]},
        "includeAll": True,
        # Also series that lack the label.
        "allValue": ".*",
        "multi": True,
        "hide": 0,
        "refresh": 2,
        "sort": 1,
    }
