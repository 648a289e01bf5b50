"""A dashboard for import by hand: Grafana asks which data source it is to show, and then lets people change it."""

from collections.abc import Iterator
from typing import Any

from facemon.render.rendered_content import panels

_INPUT = "DS_PROMETHEUS"
"""What Grafana replaces by the data source that is chosen when the file is imported, wherever it is in the file."""
_NAMES = {
    "timeseries": "Time series", "stat": "Stat", "table": "Table", "state-timeline": "State timeline",
    "piechart": "Pie chart", "heatmap": "Heatmap", "text": "Text",
}  # fmt: skip
_OLDEST_GRAFANA = "10.0.0"


def importable(dashboard: dict[str, Any]) -> dict[str, Any]:
    """The same dashboard with `__inputs`; its uid stays, so that links and the addresses in alerts lead to it."""
    variables = [_asked(variable) for variable in dashboard["templating"]["list"]]
    return {
        "__inputs": [
            {
                "name": _INPUT,
                "label": "Prometheus",
                "description": "The Prometheus that scrapes facemon's targets and evaluates its rules.",
                "type": "datasource",
                "pluginId": "prometheus",
                "pluginName": "Prometheus",
            }
        ],
        "__requires": list(_requires(dashboard)),
        **dashboard,
        "id": None,
        "editable": True,
        "templating": {"list": variables},
    }


def _asked(variable: dict[str, Any]) -> dict[str, Any]:
    """The choice of the data source, at first the one that was given at the import; other choices as they are."""
    if variable["type"] != "datasource":
        return variable
    chosen = f"${{{_INPUT}}}"
    return {**variable, "current": {"text": chosen, "value": chosen}}


def _requires(dashboard: dict[str, Any]) -> Iterator[dict[str, str]]:
    """What Grafana must have: its version, the plugin of the data source, and those of the panels."""
    yield {"type": "grafana", "id": "grafana", "name": "Grafana", "version": _OLDEST_GRAFANA}
    yield {"type": "datasource", "id": "prometheus", "name": "Prometheus", "version": "1.0.0"}
    for kind in sorted({panel["type"] for _, panel in panels(dashboard)} - {"row"}):
        yield {"type": "panel", "id": kind, "name": _NAMES[kind], "version": ""}
