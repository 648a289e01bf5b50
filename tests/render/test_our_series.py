"""Rules and dashboards ask only for series of facemon's own jobs, also where other jobs export the same names."""

import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from facemon.config.alerts import BUILT_IN
from facemon.config.document import Config
from facemon.config.prometheus import TRANSPORT_JOBS, PrometheusConfig, Transport
from facemon.domain.metric_catalogue import CATALOGUE
from facemon.errors import ConfigError
from facemon.render.alert_labels import Values, label_space
from facemon.render.alert_rules import alert_rules, alerts_of
from facemon.render.annotation import expand
from facemon.render.dashboards import DASHBOARDS
from facemon.render.foreign_metrics import FOREIGN
from facemon.render.our_series import FOREIGN as OTHERS
from facemon.render.our_series import OurSeries
from facemon.render.prometheus_config import prometheus_config
from facemon.render.recording_rules import recording_rules, recordings
from facemon.render.rendered_content import panels
from facemon.render.runbooks import runbook
from tests.render.configurations import CONFIGURATIONS, OBJECTIVES, OWN_NAMES, config_of
from tests.render.known_queries import selectors_in

TEXTS = {**CONFIGURATIONS, "own names": OWN_NAMES, "objectives": OBJECTIVES}


def queries(config: Config) -> Iterator[str]:
    for content in (alert_rules(config), recording_rules(config)):
        for group in content["groups"]:
            yield from (rule["expr"] for rule in group["rules"] if not rule.get("alert", "").startswith("Mine"))
    for build in DASHBOARDS.values():
        dashboard: dict[str, Any] = json.loads(json.dumps(build(config)))
        for _, panel in panels(dashboard):
            yield from (target["expr"] for target in panel.get("targets", ()))
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                yield variable["definition"].removeprefix("label_values(").rpartition(", ")[0]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_selector_names_our_jobs_and_labels(text: str) -> None:
    config = config_of(text)
    settings = config.prometheus
    ours = {settings.job_name(job) for job in settings.jobs} | {settings.job_name("api")}
    checked = 0
    for query in queries(config):
        for metrics, matched in selectors_in(query):
            if set(metrics) <= {"ALERTS"} | {each.name for each in recordings(config)}:
                continue
            checked += 1
            assert settings.target_labels.items() <= matched.items(), query
            if matched["job"].startswith("${job"):
                # What is chosen is one more condition.
                assert 'job="' in query or 'job=~"' in query, query
            else:
                assert set(matched["job"].replace("\\", "").split("|")) <= ours, query
    assert checked > 50


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_each_alert_has_a_scenario_in_which_only_others_are_bad(text: str) -> None:
    config = config_of(text)
    for alert in alerts_of(config):
        if alert.group in ("objectives", "custom") or alert.name == "Watchdog":
            continue
        (of_others,) = [each for each in alert.scenarios if each.title == "only targets of others"]
        assert bool(of_others.fires) is alert.fires_without_data
        for label in ("job", *config.prometheus.target_labels):
            assert any(f'{label}="{OTHERS}-1"' in signal.series for signal in of_others.signals), alert.name


def test_jobs_have_the_names_and_targets_the_labels_that_rules_ask_for() -> None:
    config = config_of(OWN_NAMES)
    scraped = prometheus_config(config)["scrape_configs"]
    assert [each["job_name"] for each in scraped] == ["face-api", "exporter", "node.exporter"]
    assert all(each["static_configs"][0]["labels"] == {"namespace": "faces", "team": 'a"b'} for each in scraped)
    rules = {rule["alert"]: rule["expr"] for group in alert_rules(config)["groups"] for rule in group["rules"]}
    labels = 'namespace="faces", team="a\\"b"'
    assert rules["TargetDown"] == f'up{{job=~"face-api|exporter|node\\\\.exporter", {labels}}} == 0'
    assert rules["TextfileScrapeError"] == f'node_textfile_scrape_error{{job="node.exporter", {labels}}} == 1'
    down = next(alert for alert in alerts_of(config) if alert.name == "TargetDown")
    assert rules["TargetDown"] in runbook(down, config)


def test_what_was_pushed_keeps_a_job_that_the_configuration_does_not_know() -> None:
    config = config_of("prometheus: {store_metrics_from: pushgateway, jobs: [pushgateway]}")
    rules = {rule["alert"]: rule["expr"] for group in alert_rules(config)["groups"] for rule in group["rules"]}
    assert rules["SourceDrift"] == "drift_source_detected == 1"
    assert rules["TargetDown"] == 'up{job="pushgateway"} == 0'


def test_each_metric_that_a_query_may_name_has_its_jobs() -> None:
    ours = OurSeries(config_of(""))
    known = [name for name in (*CATALOGUE, *FOREIGN) if name != "ALERTS"]
    assert {name for name in known if not ours.jobs_of(name)} == {"push_time_seconds", "push_failure_time_seconds"}
    with pytest.raises(ValueError, match="mysql_up: it is not known which scrape job brings it"):
        ours.jobs_of("mysql_up")


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ("{job_names: {pushgateway: x}}", r"job_names\.pushgateway: is not a job"),
        ("{job_names: {api: exporter}}", r"job_names\.api: is the name of another job"),
        ("{job_names: {api: 'a b'}}", r"job_names\.api"),
        ("{target_labels: {job: x}}", r"target_labels\.job: is a label that"),
        ("{target_labels: {model: x}}", r"target_labels\.model: is a label that"),
        ("{target_labels: {a: b}, external_labels: {a: c}}", r"target_labels\.a: is a label that"),
        ("{target_labels: {team: ''}}", r"target_labels\.team: is empty"),
        ("{target_labels: {site: x}}\nmetrics: {labels: {site: y}}", r"target_labels\.site: is set by metrics\.labels"),
    ],
)
def test_names_and_labels_that_cannot_be_are_refused_with_their_place(settings: str, place: str) -> None:
    with pytest.raises(ConfigError, match=place):
        config_of(f"prometheus: {settings}")


def test_jobs_keep_their_names_unless_another_is_given() -> None:
    assert PrometheusConfig().job_name("api") == "api"


@pytest.mark.parametrize("transport", get_args(Transport))
def test_every_alert_has_the_labels_of_the_targets(transport: Transport) -> None:
    """An aggregation would drop them, and a route by a team's label would miss the alert."""
    jobs = ", ".join(
        dict.fromkeys(("api", "exporter", "prometheus", "alertmanager", "node", TRANSPORT_JOBS[transport]))
    )
    labels = {"namespace": "faces", "team": 'a"b {{ x }}'}
    config = config_of(
        f"{OBJECTIVES}\nprometheus: {{store_metrics_from: {transport}, jobs: [{jobs}],"
        f" target_labels: {json.dumps(labels)},"
        ' remote_write: [{url: "http://archive.example/write"}]}\nexporter: {probes: [{name: x, url: "http://x"}]}'
    )
    for alert in alerts_of(config):
        space = label_space(alert, config)
        assert all(space[name] == Values(frozenset({text})) for name, text in labels.items()), alert.name
        for scenario in alert.scenarios:
            fires = scenario.fires.labels if scenario.fires else {}
            given = {name: expand(text, fires, 0) for name, text in alert.rule_labels.items()}
            assert scenario.fires is None or labels.items() <= {**fires, **given}.items(), alert.name
    assert set(BUILT_IN) - {alert.name for alert in alerts_of(config)} <= {"ExportStale", "TextfileStale", "PushStale"}
