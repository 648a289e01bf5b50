"""A panel in Grafana's classic JSON, as Grafana 10 and later read it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from facemon.render.dashboards.panel import DATASOURCE, Limit, Panel, PanelType, Query, Scale, State
from facemon.render.dashboards.panel_options import options_of

_JUDGED = (PanelType.STAT, PanelType.STATES, PanelType.TABLE)
_DECIMALS = {"sci": 1, "locale": 0}
"""Of units that Grafana writes with every digit there is."""
_NARROWEST, _LETTER, _ICON = 100, 8, 44
"""Widths in pixels of a table's column, of a letter of its heading, and of the filter beside that with its margins."""


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
        "options": options_of(panel),
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
    lowest = None if panel.downwards else panel.lowest
    decimals = _DECIMALS.get(panel.unit) if panel.decimals is None else panel.decimals
    bounds = {"min": lowest, "max": panel.highest, "decimals": decimals}
    # By name: an attribute has the same colour on every panel, whichever others are beside it.
    colour = {"mode": "thresholds" if panel.type in _JUDGED else "palette-classic-by-name"}
    field: dict[str, Any] = {"unit": panel.unit, "noValue": panel.no_value, "color": colour}
    field |= {name: number for name, number in bounds.items() if number is not None}
    mappings = _mappings(panel.states)
    if panel.type is PanelType.STAT:
        mappings.append(_unknown(panel.no_value))
    if mappings:
        field["mappings"] = mappings
    if custom := _custom(panel):
        field["custom"] = custom
    field["thresholds"] = {"mode": "absolute", "steps": _steps(panel.limit)}
    return field


def _custom(panel: Panel) -> dict[str, Any]:
    match panel.type:
        case PanelType.TIMESERIES:
            # A gap says that nothing is known; a line across it would say that nothing happened. Lines have no fill,
            # which many of them would turn to mud; only what is stacked is an area.
            custom: dict[str, Any] = {"drawStyle": "line", "fillOpacity": 0, "showPoints": "auto", "spanNulls": False}
            if panel.stacked:
                custom |= {"fillOpacity": 40, "lineWidth": 0, "stacking": {"mode": "normal", "group": "A"}}
            if panel.scale is not Scale.LINEAR:
                custom["scaleDistribution"] = {"type": str(panel.scale), "log": 10}
            if panel.limit is not None:
                custom["thresholdsStyle"] = {"mode": "line"}
            return custom
        case PanelType.STATES:
            return {"lineWidth": 0, "fillOpacity": 80, "spanNulls": False}
        case PanelType.TABLE:
            cells = {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True}
            return {**cells, "minWidth": _NARROWEST}
    return {}


def _steps(limit: Limit | None) -> list[dict[str, Any]]:
    if limit is None:
        return [{"color": "text", "value": None}]
    below, above = (limit.colour, "green") if limit.is_lowest else ("green", limit.colour)
    return [{"color": below, "value": None}, {"color": above, "value": limit.value}]


def _unknown(text: str) -> dict[str, Any]:
    """What a single number says where there is none, in no colour: Grafana would give it that of the lowest numbers."""
    return {"type": "special", "options": {"match": "null+nan", "result": {"text": text, "color": "text"}}}


def _mappings(states: Mapping[int, State]) -> list[dict[str, Any]]:
    if not states:
        return []
    options = {
        str(value): {"text": state.text, "color": state.colour, "index": index}
        for index, (value, state) in enumerate(states.items())
    }
    return [{"type": "value", "options": options}]


def _overrides(panel: Panel) -> list[dict[str, Any]]:
    overrides = [_override(name, {"displayName": shown}) for name, shown in panel.renamed.items()]
    for colour in panel.colours:
        shades = {"mode": "shades", "fixedColor": colour.name}
        overrides.append(_named_like(colour.pattern, {"color": shades}))
    if panel.downwards:
        overrides.append(_named_like(panel.downwards, {"custom.transform": "negative-Y"}))
    if panel.type is PanelType.TABLE:
        overrides += (_column(panel, query) for query in panel.queries)
    for column, link in panel.links.items():
        overrides.append(_override(column, {"links": [{"title": link.title, "url": link.url, "targetBlank": False}]}))
    return overrides


def _column(panel: Panel, query: Query) -> dict[str, Any]:
    """Columns of numbers are as wide as their headings; those of names share the rest."""
    unit = query.unit or panel.unit
    properties: dict[str, Any] = {"unit": unit, "custom.width": _LETTER * len(query.legend) + _ICON}
    if unit in _DECIMALS:
        properties["decimals"] = _DECIMALS[unit]
    if query.states:
        properties |= {"mappings": _mappings(query.states), "custom.cellOptions": {"type": "color-text"}}
    return _override(query.legend, properties)


def _named_like(pattern: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Without the slashes, Grafana holds the pattern against the whole of a name."""
    return _override(f"/{pattern}/", properties, by="byRegexp")


def _override(name: str, properties: Mapping[str, Any], *, by: str = "byName") -> dict[str, Any]:
    return {
        "matcher": {"id": by, "options": name},
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
