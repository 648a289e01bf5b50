import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from facemon.domain.metric_catalogue import CATALOGUE
from facemon.render.dashboards import DASHBOARDS
from facemon.render.foreign_metrics import FOREIGN
from facemon.render.provisioning import datasources
from facemon.render.recording_rules import PREDICTION_RATE
from facemon.render.rendered_content import panels as every_panel
from tests.render.configurations import CONFIGURATIONS, DEFAULTS, config_of
from tests.render.known_queries import KNOWN, metrics_in, selectors_in

PANELS = {
    "ml_metrics.json": {
        6: "Columns that drift", 7: "Undecided columns", 8: "Last drift check", 9: "Lowest accuracy", 10: "Images",
        11: "Failed images",
        4: "Drift score over time", 20: "Drift score above its threshold", 21: "Verdicts", 22: "Columns now",
        23: "p-values", 24: "Rows compared", 25: "Confidence drift", 26: "Time since the last check",
        27: "Verdicts by source", 29: "Sources now", 28: "Rows by source",
        5: "Accuracy per attribute", 17: "Last evaluation", 18: "Last reference",
        13: "Predictions per second", 14: "Images by outcome",
        15: "Confidence by attribute",
        3: "Inference latency", 16: "Inference latency by model",
        1: "Predictions by attribute: $predicted", 12: "Predicted labels over time", 2: "Confidence",
        30: "Verdicts of this source", 31: "Rows of this source",
    },
    "api_performance.json": {
        5: "Requests now", 6: "Error rate now", 7: "Slowest endpoint now", 8: "Model", 9: "Fullest instance",
        10: "Cached now",
        1: "Requests per second", 4: "Status codes",
        2: "Latency by endpoint", 11: "Latency of all requests", 12: "How long requests take",
        3: "Error rate", 13: "Refusals by reason",
        14: "Saturation", 15: "Images in flight", 16: "Cache hit share", 17: "Cache size", 18: "Models",
    },
    "system_metrics.json": {
        6: "Targets down", 7: "Alerts firing", 8: "CPU now", 9: "Memory now", 10: "Fullest disk", 11: "Open files",
        12: "Targets", 13: "Sources and services", 14: "Rules that fail", 15: "Notifications that fail",
        1: "CPU and memory", 16: "Pressure", 17: "Disk space", 18: "Disk busy", 2: "Disk I/O", 3: "Network",
        19: "File descriptors of machines", 20: "File descriptors of processes",
        4: "Containers: CPU", 5: "Containers: memory", 21: "Containers: network", 22: "Containers: disk I/O",
        23: "Containers: time since start",
    },
}  # fmt: skip
"""Numbers are never given again: addresses of single panels hold them."""
PUSHED = "prometheus: {store_metrics_from: pushgateway, jobs: [pushgateway]}"
NUMBERS = """
model:
  name: heights
  version: "1"
  networks:
    - {path: m.onnx, input: {name: x, size: [8, 8]}, attributes: [{name: height, output: h, kind: number}]}
"""
ALL = {**CONFIGURATIONS, "pushed": PUSHED, "numbers": NUMBERS}

every_dashboard = pytest.mark.parametrize("name", DASHBOARDS)
every_configuration = pytest.mark.parametrize("text", ALL.values(), ids=ALL)


def dashboard(name: str, text: str = DEFAULTS) -> dict[str, Any]:
    return DASHBOARDS[name](config_of(text))


def panels(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Those that show something, also in folded sections; headings and notes are none."""
    return [panel for _, panel in every_panel(content) if panel["type"] not in ("row", "text")]


def texts(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in content["panels"] if panel["type"] == "text"]


def variables(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [variable for variable in content["templating"]["list"] if variable["type"] == "query"]


def queries(content: Mapping[str, Any]) -> Iterator[str]:
    """Every PromQL expression in a dashboard."""
    yield from (target["expr"] for panel in panels(content) for target in panel["targets"])
    yield from (
        variable["definition"].removeprefix("label_values(").rpartition(",")[0] for variable in variables(content)
    )
    yield from (annotation["expr"] for annotation in content["annotations"]["list"])


@every_dashboard
def test_each_dashboard_has_its_panels_in_order(name: str) -> None:
    assert {panel["id"]: panel["title"] for panel in panels(dashboard(name))} == PANELS[name]
    assert [panel["title"] for panel in panels(dashboard(name))] == list(PANELS[name].values())


@every_configuration
@every_dashboard
def test_a_panel_keeps_its_number_whatever_others_there_are(name: str, text: str) -> None:
    shown = {panel["id"]: panel["title"] for panel in panels(dashboard(name, text))}
    assert shown.items() <= PANELS[name].items()


@every_configuration
@every_dashboard
def test_every_query_parses_and_asks_for_known_metrics(name: str, text: str) -> None:
    for query in queries(dashboard(name, text)):
        assert metrics_in(query) <= KNOWN, query


@every_configuration
@every_dashboard
def test_every_query_respects_each_choice_that_its_metrics_have(name: str, text: str) -> None:
    content = dashboard(name, text)
    names = [variable["name"] for variable in variables(content)]
    for query in (target["expr"] for panel in panels(content) for target in panel["targets"]):
        for metrics, matched in selectors_in(query):
            for choice in names:
                if all(choice in labels_of(metric) for metric in metrics):
                    assert matched.get(choice) in (f"${{{choice}:regex}}", f"${{{choice}:regex}}|"), query


def labels_of(metric: str) -> tuple[str, ...]:
    if metric == PREDICTION_RATE:
        return ("attribute", "value", "model")
    base = re.sub("_(bucket|count|sum)$", "", metric)
    entry = CATALOGUE.get(metric) or CATALOGUE.get(base) or FOREIGN[metric]
    return ("job", "instance", *entry.labels)


@every_configuration
@every_dashboard
def test_every_variable_that_is_used_is_defined_before(name: str, text: str) -> None:
    content = dashboard(name, text)
    defined = ["datasource"]
    for variable in variables(content):
        assert used_in(variable) <= set(defined)
        defined.append(variable["name"])
    for part in (content["panels"], content["annotations"], content["links"]):
        assert used_in(part) <= set(defined)
    assert set(defined[1:]) <= used_in(content["panels"]), "a choice that changes nothing"


def used_in(part: object) -> set[str]:
    return set(re.findall(r"\$\{?(?!__)(\w+)", str(part)))


@every_dashboard
def test_every_panel_is_explained_and_has_a_unit(name: str) -> None:
    content = dashboard(name)
    for panel in panels(content):
        field = panel["fieldConfig"]["defaults"]
        assert panel["description"].endswith(".")
        assert field["unit"]
        assert "noValue" in field
        assert all(target["legendFormat"] for target in panel["targets"])
        if panel["type"] == "timeseries":
            assert field["custom"]["spanNulls"] is False
    sections = [panel for panel in content["panels"] if panel["type"] == "row"]
    assert len({panel["title"] for panel in sections}) == len(sections) >= 4
    assert content["panels"][0]["type"] == "row"
    advised = {
        panel["id"] - 1 for panel in texts(content) if panel["options"]["content"].startswith("**What to do:** ")
    }
    assert advised == {panel["id"] for panel in sections if "repeat" not in panel}


@every_configuration
@every_dashboard
def test_panels_do_not_overlap_and_have_distinct_ids(name: str, text: str) -> None:
    content = dashboard(name, text)["panels"]
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in content)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert {y for _, y in cells} == set(range(max(y for _, y in cells) + 1)), "an empty line"
    ids = [panel["id"] for panel in content]
    assert len(ids) == len(set(ids))


def limits(name: str, text: str) -> dict[str, float]:
    steps = {
        panel["title"]: panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        for panel in panels(dashboard(name, text))
    }
    return {title: step[1]["value"] for title, step in steps.items() if len(step) > 1}


def test_limits_are_those_of_the_alerts_and_of_the_checks() -> None:
    text = CONFIGURATIONS["extremes"]
    assert limits("ml_metrics.json", text) == {
        "Columns that drift": 1, "Undecided columns": 1, "Last drift check": 93_600, "Lowest accuracy": 1.0,
        "Drift score over time": 0.0, "Drift score above its threshold": 0, "p-values": 0.001, "Rows compared": 200,
        "Rows by source": 200, "Rows of this source": 200, "Time since the last check": 93_600,
        "Accuracy per attribute": 1.0, "Last evaluation": 30 * 86_400, "Last reference": 90 * 86_400,
    }  # fmt: skip
    assert limits("api_performance.json", text) == {
        "Error rate now": 0.0, "Slowest endpoint now": 0.001, "Fullest instance": 1,
        "Latency by endpoint": 0.001, "Error rate": 0.0, "Saturation": 1,
    }  # fmt: skip


def test_an_alert_that_is_switched_off_has_no_line() -> None:
    off = "alerts: {HighLatency: {enabled: false}, DriftDetected: {enabled: false}, DriftCheckStale: {enabled: false}}"
    assert "Latency by endpoint" not in limits("api_performance.json", off)
    assert {"Drift score over time", "Time since the last check"}.isdisjoint(limits("ml_metrics.json", off))
    assert "HighLatency" not in str(dashboard("api_performance.json", off)["annotations"])


def test_links_lead_to_the_others_and_keep_time_and_data_source() -> None:
    uids = {dashboard(name)["uid"] for name in DASHBOARDS}
    assert uids == {"facemon-ml-metrics", "facemon-api-performance", "facemon-system-metrics"}
    for name in DASHBOARDS:
        content = dashboard(name)
        links = content["links"]
        assert {link["url"] for link in links} == {
            f"/d/{uid}?${{datasource:queryparam}}" for uid in uids - {content["uid"]}
        }
        assert all(link["keepTime"] for link in links)


def test_what_is_not_scraped_is_named_in_place_of_its_panels() -> None:
    notes = {name: [panel for panel in texts(dashboard(name, PUSHED)) if panel["title"]] for name in DASHBOARDS}
    assert notes["ml_metrics.json"] == []
    (api,) = dashboard("api_performance.json", PUSHED)["panels"]
    assert api["options"]["content"].startswith(
        "`prometheus.jobs` lacks `api`, so there is nothing to show in: Requests"
    )
    (system,) = notes["system_metrics.json"]
    for missing in ("`node`", "`cadvisor`", "CPU and memory", "Containers: memory"):
        assert missing in system["options"]["content"]


def test_what_is_pushed_has_no_instance_to_choose() -> None:
    assert [each["name"] for each in variables(dashboard("ml_metrics.json", PUSHED))] == [
        "job", "model", "attribute", "source", "predicted",
    ]  # fmt: skip
    names = ["job", "instance", "model", "attribute", "source", "predicted"]
    assert [each["name"] for each in variables(dashboard("ml_metrics.json"))] == names


def test_a_model_of_numbers_has_no_panels_of_labels() -> None:
    titles = [panel["title"] for panel in dashboard("ml_metrics.json", NUMBERS)["panels"]]
    assert {"Images by outcome", "Predictions"} <= set(titles)
    assert {"Attribute: $predicted", "Predicted labels over time", "Confidence"}.isdisjoint(titles)


def test_the_data_source_tells_how_often_is_scraped() -> None:
    (source,) = datasources(config_of("prometheus: {scrape_interval: 1m30s}"))["datasources"]
    assert source["jsonData"]["timeInterval"] == "90s"
    (source,) = datasources(config_of("prometheus: {scrape_interval: 1s500ms}"))["datasources"]
    assert source["jsonData"]["timeInterval"] == "1500ms"


@every_configuration
@every_dashboard
def test_between_two_points_lies_a_scrape(name: str, text: str) -> None:
    scrape = config_of(text).prometheus.scrape_interval.total_seconds()
    for panel in panels(dashboard(name, text)):
        for target in panel["targets"]:
            assert float(target["interval"].removesuffix("s")) >= scrape
