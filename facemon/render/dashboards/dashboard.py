"""A whole dashboard: sections that a person reads from top to bottom, choices, links and annotations."""

from collections.abc import Sequence
from typing import Any

from facemon.config.document import Config
from facemon.render.alert import Dashboard
from facemon.render.dashboards.annotations import Annotation, annotation_json, firing_alerts
from facemon.render.dashboards.section import Section, laid_out
from facemon.render.dashboards.variable import Variable, datasource_json, variable_json
from facemon.render.our_series import OurSeries

_SCHEMA_VERSION = 39
_TITLES = {
    Dashboard.ML_METRICS: "ML Model Metrics",
    Dashboard.API_PERFORMANCE: "API Performance",
    Dashboard.SYSTEM_METRICS: "System Metrics",
}
_REFRESH = {"now-24h": "1m", "now-7d": "5m"}
"""About as often as there is another point to draw."""


def dashboard(
    config: Config,
    which: Dashboard,
    sections: Sequence[Section],
    variables: Sequence[Variable],
    *,
    since: str,
    annotations: Sequence[Annotation] = (),
) -> dict[str, Any]:
    """The dashboard, which at first shows the time from `since` to now; alerts are always among its annotations."""
    ours = OurSeries(config)
    marks = (*firing_alerts(config, which, variables), *annotations)
    return {
        "uid": str(which),
        "title": _TITLES[which],
        "tags": ["facemon"],
        "schemaVersion": _SCHEMA_VERSION,
        "version": 1,
        "editable": False,
        "timezone": "utc",
        "refresh": _REFRESH[since],
        "time": {"from": since, "to": "now"},
        "graphTooltip": 1,
        "links": [_link(title, other) for other, title in _TITLES.items() if other is not which],
        "templating": {"list": [datasource_json(), *(variable_json(each.within(ours)) for each in variables)]},
        "annotations": {"list": [annotation_json(each.within(ours)) for each in marks]},
        "panels": list(laid_out(config, sections)),
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
