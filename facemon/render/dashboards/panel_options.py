"""The options of each kind of panel: its legend, what it reduces, and how it is drawn."""

from typing import Any

from facemon.render.dashboards.panel import Panel, PanelType

_NEWEST = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_WIDE = 10
"""From this width on a legend has room beside the panel."""
_LONGEST, _SHARE = 280, 23
"""The width in pixels of a legend of long names, and the most of it for each unit of the panel's width: on a screen of
1,280 the lines keep more than half of the panel."""


def options_of(panel: Panel) -> dict[str, Any]:
    """The options of a panel, as its kind has them."""
    match panel.type:
        case PanelType.TIMESERIES:
            return {"legend": _legend(panel), "tooltip": {"mode": "multi", "sort": "desc"}}
        case PanelType.STAT:
            return {
                "reduceOptions": _NEWEST,
                "colorMode": "value",
                "graphMode": "none",
                "justifyMode": "auto",
                "orientation": "auto",
                "textMode": "value_and_name" if panel.is_named else "value",
            }
        case PanelType.TABLE:
            return {"cellHeight": "sm", "showHeader": True, "footer": {"show": False, "reducer": [], "fields": ""}}
        case PanelType.STATES:
            return {
                "alignValue": "left",
                "mergeValues": True,
                "rowHeight": 0.8,
                "showValue": "never",
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
                "tooltip": {"mode": "single", "sort": "none"},
            }
        case PanelType.PIE:
            return {
                "pieType": "pie",
                "displayLabels": ["percent"],
                "legend": {"displayMode": "table", "placement": "bottom", "showLegend": True, "values": ["percent"]},
                "reduceOptions": _NEWEST,
                "tooltip": {"mode": "single", "sort": "none"},
            }
        case PanelType.HEATMAP:
            return {
                "calculate": False,
                "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64},
                # The bands are of one unit, what is counted in each of another.
                "yAxis": {"axisPlacement": "left", "unit": panel.bands},
                "cellValues": {"unit": panel.unit},
                "cellGap": 1,
                "legend": {"show": True},
                "tooltip": {"mode": "single", "yHistogram": True},
            }


def _legend(panel: Panel) -> dict[str, Any]:
    """A table of names with their last value, the highest first; the tooltip has the whole of a name that is cut."""
    is_beside = panel.width >= _WIDE
    has_long_names = any(query.legend.count("{{") > 1 for query in panel.queries)
    return {
        "displayMode": "table",
        "placement": "right" if is_beside else "bottom",
        **({"width": min(_LONGEST, _SHARE * panel.width)} if is_beside and has_long_names else {}),
        "showLegend": True,
        "calcs": ["lastNotNull"],
        "sortBy": "Last *",
        "sortDesc": True,
    }
