import re
from typing import Any

import pytest

from facemon.render.dashboards import DASHBOARDS
from tests.render.configurations import CONFIGURATIONS, DEFAULTS, config_of
from tests.render.known_queries import KNOWN, metrics_in

PANELS = {
    "ml_metrics.json": {
        "Predictions by attribute": "piechart",
        "Confidence": "heatmap",
        "Inference latency": "timeseries",
        "Drift score over time": "timeseries",
        "Accuracy per attribute": "timeseries",
    },
    "api_performance.json": {
        "Requests per second": "timeseries",
        "Latency by endpoint": "timeseries",
        "Error rate": "timeseries",
        "Status codes": "timeseries",
    },
    "system_metrics.json": {
        "CPU and memory": "timeseries",
        "Disk I/O": "timeseries",
        "Network": "timeseries",
        "Containers: CPU": "timeseries",
        "Containers: memory": "timeseries",
    },
}


def dashboard(name: str, text: str = DEFAULTS) -> dict[str, Any]:
    return DASHBOARDS[name](config_of(text))


@pytest.mark.parametrize("name", DASHBOARDS)
def test_each_dashboard_has_its_panels(name: str) -> None:
    assert {panel["title"]: panel["type"] for panel in dashboard(name)["panels"]} == PANELS[name]


@pytest.mark.parametrize("text", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_query_parses_and_asks_for_known_metrics(name: str, text: str) -> None:
    for panel in dashboard(name, text)["panels"]:
        for target in panel["targets"]:
            assert metrics_in(target["expr"]) <= KNOWN, target["expr"]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_panel_is_explained_and_has_a_unit(name: str) -> None:
    for panel in dashboard(name)["panels"]:
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert all(target["legendFormat"] for target in panel["targets"])


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_do_not_overlap_and_have_distinct_ids(name: str) -> None:
    panels = dashboard(name)["panels"]
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_variable_that_is_used_is_defined(name: str) -> None:
    content = dashboard(name)
    defined = {variable["name"] for variable in content["templating"]["list"]}
    for panel in content["panels"]:
        for target in panel["targets"]:
            used = set(re.findall(r"\$(?!__)\{?(\w+)", target["expr"] + target["datasource"]["uid"]))
            assert used <= defined


def test_limits_are_those_of_the_alerts() -> None:
    def limits(name: str) -> list[float]:
        panels = dashboard(name, CONFIGURATIONS["extremes"])["panels"]
        steps = [panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", []) for panel in panels]
        return [step["value"] for each in steps for step in each if step["value"] is not None]

    assert limits("ml_metrics.json") == [0.0, 1.0]
    assert limits("api_performance.json") == [0.001, 0.0]


def test_links_lead_to_the_others() -> None:
    uids = {dashboard(name)["uid"] for name in DASHBOARDS}
    assert uids == {"facemon-ml-metrics", "facemon-api-performance", "facemon-system-metrics"}
    for name in DASHBOARDS:
        content = dashboard(name)
        assert {link["url"].removeprefix("/d/") for link in content["links"]} == uids - {content["uid"]}
