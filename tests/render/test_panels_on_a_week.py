"""Every query of every panel, variable and annotation, on a real Prometheus that holds a simulated week."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from facemon.config.document import Config
from facemon.render.dashboards import DASHBOARDS
from tests.render.configurations import CONFIGURATIONS, DEFAULTS, config_of
from tests.render.grafana_queries import Asked, Choices, Grafana
from tests.render.random_configurations import sampled
from tests.render.real_expositions import Expositions, expositions
from tests.render.seen_dashboards import faults_of, look
from tests.render.simulated_series import ODD_COLUMN, ODD_SOURCE
from tests.render.simulated_week import grafana_on_the_week

pytestmark = [pytest.mark.servers, pytest.mark.slow]
PUSHED = """
prometheus: {store_metrics_from: pushgateway, jobs: [pushgateway, cadvisor], scrape_interval: 2m30s}
drift: {columns: {age: {threshold: 0.25}, 'a"b\\c$job': {threshold: 0}, gender: {threshold: 0.25}}}
"""
SITES = ({"site": "north"}, {"site": "south"})
"""Grouping keys that the configuration does not know of."""
RANDOM = dict(zip(("random 1", "random 2"), sampled(2, seed=6), strict=True))
WEEKS = {**CONFIGURATIONS, "pushed": PUSHED, **RANDOM}


@dataclass(frozen=True, slots=True)
class Week:
    """A configuration, and somebody who looks at its week."""

    config: Config
    grafana: Grafana

    def asked(self, name: str, panel: str, choices: Choices) -> list[Asked]:
        """What a panel of a dashboard asks for; what is not chosen is All."""
        dashboard: dict[str, Any] = DASHBOARDS[name](self.config)
        everything = dict.fromkeys(self.grafana.options(dashboard))
        dashboard["panels"] = [each for each in dashboard["panels"] if each["title"] == panel]
        return list(self.grafana.panels(dashboard, {**everything, **choices}))


@pytest.fixture(scope="module")
def said(servers: Path, tmp_path_factory: pytest.TempPathFactory) -> Expositions:
    return expositions(servers, tmp_path_factory.mktemp("said"), config_of(DEFAULTS))


@pytest.fixture(scope="module")
def week(said: Expositions, servers: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Week]:
    """One with columns that have thresholds of their own, whose metrics two stores push with a `--grouping` each."""
    config = config_of(PUSHED)
    with grafana_on_the_week(config, said, servers, tmp_path_factory.mktemp("week"), SITES) as grafana:
        yield Week(config, grafana)


# The others differ in what the panels of the defaults and the extremes show already; PART=panels has more random ones.
IN_SHORT = ("defaults", "extremes", "pushed")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text, id=name, marks=() if name in IN_SHORT else pytest.mark.only_at_length)
        for name, text in WEEKS.items()
    ],
)
def test_no_panel_is_empty(text: str, said: Expositions, servers: Path, tmp_path: Path) -> None:
    config = config_of(text)
    with grafana_on_the_week(config, said, servers, tmp_path) as grafana:
        assert look(grafana, config).faults == ()


def test_stores_that_the_configuration_does_not_know_are_kept_apart(week: Week) -> None:
    """No panel fails with many-to-many, none shows the two as one where it shows columns or sources."""
    dashboard = DASHBOARDS["ml_metrics.json"](week.config)
    apart = set()
    for asked in week.grafana.panels(dashboard, dict.fromkeys(week.grafana.options(dashboard))):
        if asked.panel in ("Columns now", "Sources now", "Verdicts", "Verdicts by source", "Time since the last check"):
            sites = [labels["site"] for labels, _ in asked.series]
            assert sites.count("north") == sites.count("south") > 0, asked.query
            apart.add(asked.panel)
    assert len(apart) == 5


def test_a_metric_that_nobody_exports_is_noticed(week: Week) -> None:
    dashboard = DASHBOARDS["system_metrics.json"](week.config)
    (panel,) = [panel for panel in dashboard["panels"] if panel["title"] == "Containers: memory"]
    panel["targets"][0]["expr"] = panel["targets"][0]["expr"].replace("working_set_bytes", "working_set")
    dashboard["panels"] = [panel]
    (asked,) = week.grafana.panels(dashboard, dict.fromkeys(week.grafana.options(dashboard)))
    assert [fault.partition(":")[0] for fault in faults_of(asked)] == ["Containers"]
    assert "is empty" in next(faults_of(asked))


def test_a_legend_without_its_label_is_noticed(week: Week) -> None:
    (asked,) = week.asked("system_metrics.json", "Containers: memory", {})
    wrong = replace(asked, target={**asked.target, "legendFormat": "{{container}}"})
    assert len(list(faults_of(wrong))) == 1


@pytest.mark.parametrize("column", [ODD_COLUMN, 'a"b\\c$job', "age"])
def test_a_column_with_any_letters_can_be_chosen(week: Week, column: str) -> None:
    for panel in ("Drift score over time", "Drift score above its threshold", "Verdicts", "Columns now"):
        for asked in week.asked("ml_metrics.json", panel, {"attribute": [column]}):
            if "confidence" not in asked.query or column == "age":
                assert {labels["attribute"] for labels, _ in asked.series} == {column}, asked.query


def test_each_column_is_held_against_its_own_threshold(week: Week) -> None:
    found = {}
    for asked in week.asked("ml_metrics.json", "Columns now", {}):
        if asked.target["legendFormat"] == "Threshold":
            found = {(labels["check"], labels["attribute"]): values[0] for labels, values in asked.series}
    assert found == {
        ("model", "age"): 0.25,
        ("model", "gender"): 0.25,
        ("data", 'a"b\\c$job'): 0,
        ("data", "image_brightness"): 0.1,
        ("data", ODD_COLUMN): 0.1,
    }
    # Of one model, because no more than ten lines are shown.
    (above,) = week.asked("ml_metrics.json", "Drift score above its threshold", {"model": [week.config.model.id]})
    assert {labels["attribute"]: values[-1] for labels, values in above.series} == pytest.approx(
        {attribute: 1 - threshold for (_, attribute), threshold in found.items()}
    )


@pytest.mark.parametrize("source", [ODD_SOURCE, "(no source)", "camera-6"])
def test_a_source_with_any_letters_can_be_chosen(week: Week, source: str) -> None:
    for panel in ("Verdicts by source", "Rows by source"):
        (asked,) = week.asked("ml_metrics.json", panel, {"source": [source]})
        assert {labels["source"] for labels, _ in asked.series} == {source}, asked.query


def test_a_source_is_silent_or_judged_or_undecided(week: Week) -> None:
    """Each source is in one state at a time: 0 ok, 1 drift, 2 undecided, 3 silent."""
    (asked,) = week.asked("ml_metrics.json", "Verdicts by source", {})
    found = [(labels["source"], values[0], values[-1]) for labels, values in asked.series]
    assert set(found) == {("camera-6", 0, 1), (ODD_SOURCE, 2, 3), ("(no source)", 2, 2)}
    assert len(found) == 3 * len({(labels["check"], labels["model"], labels["site"]) for labels, _ in asked.series})
