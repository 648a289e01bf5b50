"""A panel in Grafana's classic JSON, as Grafana 10 and later read it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from facemon.render.dashboards.panel import DATASOURCE, Limit, Panel, PanelType, Query, Scale, State


def panel_json(panel: Panel, place: Mapping[str, int], scrape_interval: timedelta) -> dict[str, Any]:
    """The panel at its place on the grid; between two of its points lies at least one scrape."""
    step = max(panel.min_step, scrape_interval)
    content = {
        "id": panel.id,
        "type": str(panel.type),
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "gridPos": dict(place),
        "fieldConfig": {"defaults": _field(panel), "overrides": _overrides(panel)},
        "options": _options(panel),
        "targets": [_target(panel, query, _letter(index), step) for index, query in enumerate(panel.queries)],
    }
    if panel.type is PanelType.TABLE:
        content["transformations"] = _one_table(panel)
    return content


def interval_text(step: timedelta) -> str:
    """A duration as Grafana reads it: in one unit, some versions take no other."""
    milliseconds = round(step.total_seconds() * 1000)
    return f"{milliseconds}ms" if milliseconds % 1000 else f"{milliseconds // 1000}s"


def _letter(index: int) -> str:
    return chr(ord("A") + index)


def _target(panel: Panel, query: Query, letter: str, step: timedelta) -> dict[str, Any]:
    formats = {PanelType.HEATMAP: "heatmap", PanelType.TABLE: "table"}
    return {
        "refId": letter,
        "datasource": DATASOURCE,
        "expr": str(query.expr),
        "legendFormat": query.legend,
        "format": formats.get(panel.type, "time_series"),
        "instant": panel.is_instant,
        "range": not panel.is_instant,
        # Grafana takes $__rate_interval from it, whatever scrape interval the data source tells.
        "interval": interval_text(step),
        "editorMode": "code",
    }


def _field(panel: Panel) -> dict[str, Any]:
    bounds = {"min": panel.lowest, "max": panel.highest, "decimals": panel.decimals}
    judged = panel.type in (PanelType.STAT, PanelType.STATES, PanelType.TABLE)
    colour = {"mode": "thresholds" if judged else "palette-classic"}
    field: dict[str, Any] = {"unit": panel.unit, "noValue": panel.no_value, "color": colour}
    field |= {name: number for name, number in bounds.items() if number is not None}
    if panel.states:
        field["mappings"] = _mappings(panel.states)
    custom: dict[str, Any] = {}
    match panel.type:
        case PanelType.TIMESERIES:
            # A gap says that nothing is known; a line across it would say that nothing happened.
            custom = {"drawStyle": "line", "fillOpacity": 10, "showPoints": "auto", "spanNulls": False}
            if panel.stacked:
                custom |= {"fillOpacity": 40, "stacking": {"mode": "normal", "group": "A"}}
            if panel.scale is not Scale.LINEAR:
                custom["scaleDistribution"] = {"type": str(panel.scale), "log": 10, "linearThreshold": 1e-6}
            if panel.limit is not None:
                custom["thresholdsStyle"] = {"mode": "line"}
        case PanelType.STATES:
            custom = {"lineWidth": 0, "fillOpacity": 80, "spanNulls": False}
        case PanelType.TABLE:
            custom = {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True}
    if custom:
        field["custom"] = custom
    field["thresholds"] = {"mode": "absolute", "steps": _steps(panel.limit)}
    return field


def _steps(limit: Limit | None) -> list[dict[str, Any]]:
    if limit is None:
        return [{"color": "text", "value": None}]
    below, above = (limit.colour, "green") if limit.is_lowest else ("green", limit.colour)
    return [{"color": below, "value": None}, {"color": above, "value": limit.value}]


def _mappings(states: Mapping[int, State]) -> list[dict[str, Any]]:
    options = {
        str(value): {"text": state.text, "color": state.colour, "index": index}
        for index, (value, state) in enumerate(states.items())
    }
    return [{"type": "value", "options": options}]


def _overrides(panel: Panel) -> list[dict[str, Any]]:
    overrides = [_override(name, {"displayName": shown}) for name, shown in panel.renamed.items()]
    if panel.type is PanelType.TABLE:
        for query in panel.queries:
            properties: dict[str, Any] = {"unit": query.unit or panel.unit}
            if query.states:
                cell = {"type": "color-text"}
                properties |= {"mappings": _mappings(query.states), "custom.cellOptions": cell}
            overrides.append(_override(query.legend, properties))
    return overrides


def _override(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }


def _one_table(panel: Panel) -> list[dict[str, Any]]:
    """One row for each set of labels, one column for each query, the times left out."""
    names = {f"Value #{_letter(index)}": query.legend for index, query in enumerate(panel.queries)}
    return [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {"excludeByName": {"Time": True}, "indexByName": {}, "renameByName": names}},
        {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": panel.queries[0].legend, "desc": True}]}},
    ]


def _options(panel: Panel) -> dict[str, Any]:
    newest = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    legend = {"displayMode": "list", "placement": "bottom", "showLegend": True}
    match panel.type:
        case PanelType.TIMESERIES:
            return {"legend": {**legend, "calcs": []}, "tooltip": {"mode": "multi", "sort": "desc"}}
        case PanelType.STAT:
            return {
                "reduceOptions": newest,
                "colorMode": "value",
                "graphMode": "none",
                "justifyMode": "auto",
                "orientation": "auto",
                "textMode": "auto",
            }
        case PanelType.TABLE:
            return {"cellHeight": "sm", "showHeader": True, "footer": {"show": False, "reducer": [], "fields": ""}}
        case PanelType.STATES:
            return {
                "alignValue": "left",
                "mergeValues": True,
                "rowHeight": 0.8,
                "showValue": "never",
                "legend": legend,
                "tooltip": {"mode": "single", "sort": "none"},
            }
        case PanelType.PIE:
            return {
                "pieType": "pie",
                "displayLabels": ["name", "percent"],
                "legend": {"displayMode": "table", "placement": "right", "showLegend": True, "values": ["value"]},
                "reduceOptions": newest,
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
