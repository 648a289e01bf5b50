"""What a person reads off a panel without thinking: whose it is, in which unit, in which colour, and where to click."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from facemon.render.dashboards import DASHBOARDS
from facemon.render.dashboards.expressions import MOST_LINES
from tests.render.configurations import CONFIGURATIONS, DEFAULTS
from tests.render.test_dashboards import dashboard, panels

every_dashboard = pytest.mark.parametrize("name", DASHBOARDS)
MANY = 40
HALF_A_SCREEN = 600
"""Pixels of half a screen of 1,280, beside Grafana's margins."""
BAD_WORDS = ("drift", "down", "not loaded", "failed", "errors", "5..")
GOOD_WORDS = ("ok", "up", "loaded", "no", "[123]..")


def forty_attributes() -> str:
    outputs = ", ".join(
        f"{{name: a{number}, output: o, index: {number}, kind: binary, labels: [n, y], activation: sigmoid}}"
        for number in range(MANY)
    )
    network = f"{{path: m.onnx, input: {{name: x, size: [8, 8]}}, attributes: [{outputs}]}}"
    return f"model: {{name: m, version: '1', networks: [{network}]}}\n"


def panel(name: str, number: int, text: str = DEFAULTS) -> dict[str, Any]:
    (found,) = (panel for panel in panels(dashboard(name, text)) if panel["id"] == number)
    return found


@every_dashboard
def test_lines_have_no_fill_and_a_legend_with_the_last_value_the_highest_first(name: str) -> None:
    for each in panels(dashboard(name)):
        if each["type"] == "timeseries":
            legend, custom = each["options"]["legend"], each["fieldConfig"]["defaults"]["custom"]
            assert (legend["displayMode"], legend["calcs"]) == ("table", ["lastNotNull"])
            assert (legend["sortBy"], legend["sortDesc"]) == ("Last *", True)
            assert ("stacking" in custom) == (custom["fillOpacity"] > 0)
            assert each["fieldConfig"]["defaults"]["color"]["mode"] == "palette-classic-by-name"


@every_dashboard
def test_a_worst_number_says_whose_it_is(name: str) -> None:
    worst = 0
    for each in panels(dashboard(name)):
        if each["type"] == "stat":
            (target,) = each["targets"]
            is_of_one = target["expr"].startswith(("topk(1, ", "bottomk(1, "))
            assert (each["options"]["textMode"] == "value_and_name") == is_of_one
            assert ("{{" in target["legendFormat"]) == is_of_one
            worst += is_of_one
    assert worst >= 2


def test_lowest_accuracy_names_its_attribute() -> None:
    assert panel("ml_metrics.json", 9)["targets"][0]["legendFormat"] == "{{attribute}} ({{model}})"


@pytest.mark.parametrize(
    ("name", "number", "bands", "cells"),
    [("api_performance.json", 12, "s", "reqps"), ("ml_metrics.json", 2, "percentunit", "short")],
)
def test_a_heatmap_has_the_unit_of_its_buckets_on_its_axis(name: str, number: int, bands: str, cells: str) -> None:
    options = panel(name, number)["options"]
    assert (options["yAxis"]["unit"], options["cellValues"]["unit"]) == (bands, cells)


@every_dashboard
def test_a_number_that_is_not_known_has_no_verdict_s_colour(name: str) -> None:
    for each in panels(dashboard(name)):
        if each["type"] == "stat":
            field = each["fieldConfig"]["defaults"]
            (unknown,) = (mapping for mapping in field["mappings"] if mapping["type"] == "special")
            assert unknown["options"]["match"] == "null+nan"
            assert unknown["options"]["result"] == {"text": field["noValue"], "color": "text"}


@every_dashboard
def test_lines_have_more_room_than_long_names_beside_them(name: str) -> None:
    for each in panels(dashboard(name)):
        if each["type"] == "timeseries":
            legend = each["options"]["legend"]
            is_long = any(target["legendFormat"].count("{{") > 1 for target in each["targets"])
            is_beside = legend["placement"] == "right"
            assert legend.get("width", 0) < HALF_A_SCREEN * each["gridPos"]["w"] / 12 / 2
            assert ("width" in legend) == (is_long and is_beside)


def test_tables_fit_a_small_screen() -> None:
    for number, labels in ((22, 3), (29, 3)):
        found = panel("ml_metrics.json", number)
        custom = found["fieldConfig"]["defaults"]["custom"]
        properties = [{p["id"]: p["value"] for p in over["properties"]} for over in found["fieldConfig"]["overrides"]]
        widths = [each["custom.width"] for each in properties if "custom.width" in each]
        assert len(widths) == len(found["targets"])
        assert sum(widths) + labels * custom["minWidth"] <= HALF_A_SCREEN * found["gridPos"]["w"] / 12


@every_dashboard
def test_no_number_is_written_with_every_digit_it_has(name: str) -> None:
    for each in panels(dashboard(name)):
        field = each["fieldConfig"]
        properties = [{p["id"]: p["value"] for p in over["properties"]} for over in field["overrides"]]
        for said in (field["defaults"], *properties):
            assert said.get("unit") not in ("sci", "locale") or "decimals" in said


def test_the_axis_of_p_values_has_a_lowest_number() -> None:
    found = panel("ml_metrics.json", 23)
    field = found["fieldConfig"]["defaults"]
    assert field["custom"]["scaleDistribution"] == {"type": "log", "log": 10}
    assert field["min"] == 1e-6
    assert found["targets"][0]["expr"].startswith("clamp_min(")
    assert found["targets"][0]["expr"].endswith(", 1e-06)")


def colours_of(each: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is said in a colour: words of states, and patterns of names of series."""
    field = each["fieldConfig"]
    named = [field["defaults"], *({p["id"]: p["value"] for p in over["properties"]} for over in field["overrides"])]
    for properties in named:
        for mapping in properties.get("mappings", ()):
            if mapping["type"] == "value":
                yield from ((state["text"], state["color"]) for state in mapping["options"].values())
    for over in field["overrides"]:
        for each_property in over["properties"]:
            if each_property["id"] == "color":
                pattern = re.sub(r"[/\^$]", "", over["matcher"]["options"])
                word = f"{pattern}.." if pattern in ("[123]", "4", "5") else pattern
                yield word, each_property["value"]["fixedColor"]


def test_one_colour_has_one_meaning() -> None:
    said: dict[str, set[str]] = {}
    for name in DASHBOARDS:
        for each in panels(dashboard(name)):
            for word, colour in colours_of(each):
                said.setdefault(word, set()).add(colour)
    yes = said.pop("yes")
    assert yes == {"red", "orange"}, "of drift, and of what is undecided"
    assert {word: colours for word, colours in said.items() if len(colours) != 1} == {}
    assert set().union(*(said[word] for word in BAD_WORDS)) == {"red"}
    assert set().union(*(said[word] for word in GOOD_WORDS)) == {"green"}


def said_of(each: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What overrides by regular expressions say of a series, as Grafana's matchers read them."""
    said = dict[str, Any]()
    for over in each["fieldConfig"]["overrides"]:
        pattern = over["matcher"]["options"]
        regexp = pattern[1:-1] if pattern.startswith("/") else f"^{pattern}$"
        if over["matcher"]["id"] == "byRegexp" and re.search(regexp, name):
            said |= {p["id"]: p["value"] for p in over["properties"]}
    return said


@pytest.mark.parametrize(
    ("name", "title", "series", "colour"),
    [
        ("api_performance.json", "Status codes", "200", "green"),
        ("api_performance.json", "Status codes", "404", "orange"),
        ("api_performance.json", "Status codes", "503", "red"),
        ("api_performance.json", "Images in flight", "limit of api:8000", "red"),
        ("ml_metrics.json", "Images by outcome", "failed", "red"),
        ("ml_metrics.json", "Inference latency", "P95", "blue"),
    ],
)
def test_a_series_that_means_something_has_its_colour(name: str, title: str, series: str, colour: str) -> None:
    (found,) = (each for each in panels(dashboard(name)) if each["title"] == title)
    assert said_of(found, series)["color"]["fixedColor"] == colour


@pytest.mark.parametrize("title", ["Disk I/O", "Network", "Containers: network", "Containers: disk I/O"])
def test_what_goes_out_is_drawn_below_the_axis(title: str) -> None:
    (found,) = (each for each in panels(dashboard("system_metrics.json")) if each["title"] == title)
    words = [target["legendFormat"].split()[0] for target in found["targets"]]
    drawn_below = [
        word for word in words if said_of(found, f"{word} node:9100").get("custom.transform") == "negative-Y"
    ]
    assert drawn_below == words[1:] == [words[-1]]


def test_the_cells_of_tables_lead_to_what_they_name() -> None:
    leads = {}
    for each in panels(dashboard("ml_metrics.json")):
        for over in each["fieldConfig"]["overrides"]:
            for link in (p["value"] for p in over["properties"] if p["id"] == "links"):
                leads[each["title"]] = (over["matcher"]["options"], link[0]["url"])
    assert leads.keys() == {"Columns now", "Sources now"}
    for column, url in leads.values():
        assert f"&var-{column}=${{__value.raw:percentencode}}&" in url
        assert url.startswith("/d/facemon-ml-metrics?${datasource:queryparam}&")


def test_what_happened_is_marked() -> None:
    marks = {name: [each["name"] for each in dashboard(name)["annotations"]["list"]] for name in DASHBOARDS}
    assert marks == {
        "ml_metrics.json": ["Alerts", "References", "Checks", "Models"],
        "api_performance.json": ["Alerts", "Models"],
        "system_metrics.json": ["Alerts"],
    }


@every_dashboard
def test_it_is_refreshed_as_often_as_there_is_something_new_to_see(name: str) -> None:
    content = dashboard(name)
    assert (content["time"]["from"], content["refresh"]) in (("now-24h", "1m"), ("now-7d", "5m"))


def test_each_attribute_and_each_source_has_a_section_of_its_own() -> None:
    for text, is_folded in ((DEFAULTS, False), (forty_attributes(), True)):
        content = dashboard("ml_metrics.json", text)
        rows = {row["repeat"]: row for row in content["panels"] if "repeat" in row}
        assert {name: row["collapsed"] for name, row in rows.items()} == {"predicted": is_folded, "source": True}
        (variable,) = (each for each in content["templating"]["list"] if each["name"] == "predicted")
        assert variable["hide"] == 2
        (pie,) = (each for each in panels(content) if each["type"] == "piechart")
        assert "attribute=~`${predicted:regex}`" in pie["targets"][0]["expr"]


def test_forty_columns_fit() -> None:
    content = dashboard("ml_metrics.json", forty_attributes())
    for each in panels(content):
        query = each["targets"][0]["expr"]
        by_column = re.search(r"\{\{attribute\}\}", each["targets"][0]["legendFormat"])
        if each["title"] == "Verdicts":
            assert 38 * (each["gridPos"]["h"] - 4) / (MANY + 9) >= 20, "pixels for each line"
        elif each["type"] == "timeseries" and by_column and "drift_" in query:
            assert f"topk({MOST_LINES}, " in query or f"bottomk({MOST_LINES}, " in query
            assert "@ end()" in query


@pytest.mark.parametrize("text", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_no_query_matches_series_by_labels_that_stores_may_lack(text: str) -> None:
    """`on` of raw series finds many on both sides once stores differ in a label that is not listed."""
    for name in DASHBOARDS:
        for each in panels(dashboard(name, text)):
            for target in each["targets"]:
                for found in re.finditer(r" on \(([^)]*)\) group_left", target["expr"]):
                    assert "job" not in found[1], target["expr"]
