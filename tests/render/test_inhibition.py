"""What keeps silent, asked of the real Alertmanager: the symptoms do, and what is unrelated does not."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facemon.render.alert_rules import alerts_of
from facemon.render.alertmanager_config import alertmanager_config
from facemon.render.inhibition import inhibit_rules
from facemon.render.stack_text import yaml_text
from tests.render.configurations import config_of
from tests.servers import Server, alerts_at, post_alerts, run_alertmanager

Labels = Mapping[str, str]
CONFIGURATION = """
exporter: {probes: [{name: labelling, url: "http://x"}]}
alerts:
  objectives: [{name: Answers, indicator: errors, target: 0.99}, {name: Fast, indicator: latency, target: 0.99}]
"""
ONE, TWO = {"job": "exporter", "instance": "exporter:1"}, {"job": "exporter", "instance": "exporter:2"}


def labelled(name: str, severity: str, area: str, series: Labels | None = None) -> dict[str, str]:
    return {"alertname": name, "severity": severity, "area": area, **(series or {})}


DOWN = labelled("TargetDown", "critical", "stack", ONE)
UNKNOWN_MODEL = labelled("ModelNotLoaded", "critical", "api", {"job": "api", "instance": "api:1"})
NO_MODEL = {**UNKNOWN_MODEL, "model": "faces@1"}
ERRORS = labelled("HighErrorRate", "critical", "api")
SLOW = labelled("HighLatency", "warning", "api", {"endpoint": "/predict"})
DRIFT_CRITICAL = labelled("DriftDetected", "critical", "drift", {**ONE, "attribute": "age", "check": "model"})
STORE = labelled("SourceUnreadable", "critical", "stack", {**ONE, "source": "store"})
WHOLE_DRIFTS = {**ONE, "check": "model", "model": "faces@1"}
STALE = labelled("DriftCheckStale", "critical", "drift", {**ONE, "command": "drift-check"})


def burns(objective: str, pace: str, severity: str) -> dict[str, str]:
    return labelled(f"{objective}Budget{pace}", severity, "objectives", {"objective": objective})


def wrong(attribute: str, target: Labels) -> dict[str, str]:
    return labelled("LowModelAccuracy", "warning", "drift", {**target, "attribute": attribute})


def of_source(name: str, source: str, severity: str = "warning") -> dict[str, str]:
    return labelled(name, severity, "drift", {**WHOLE_DRIFTS, "source": source})


SILENCED = {
    "errors over slowness": (ERRORS, SLOW),
    "no model over errors": (NO_MODEL, ERRORS),
    "no model over slowness": (NO_MODEL, SLOW),
    "critical over warning of the same attribute": (DRIFT_CRITICAL, wrong("age", ONE)),
    "a target over its symptoms": (DOWN, wrong("age", ONE)),
    "a target over critical symptoms": (DOWN, STORE),
    "a budget that burns fast over the same that burns slowly": (
        burns("Answers", "Fast", "critical"), burns("Answers", "Slow", "warning"),
    ),
    "no model over an objective of the API": (NO_MODEL, burns("Fast", "Fast", "critical")),
    "critical over warning of the same camera": (
        of_source("SourceSilent", "camera-6", "critical"), of_source("SourceDrift", "camera-6"),
    ),
    "a target over its cameras": (DOWN, of_source("SourceSilent", "camera-6")),
}  # fmt: skip
HEARD = {
    "another attribute": (DRIFT_CRITICAL, wrong("gender", ONE)),
    "another instance": (DRIFT_CRITICAL, wrong("age", TWO)),
    "another job": (DRIFT_CRITICAL, wrong("age", {**ONE, "job": "node"})),
    "another area": (ERRORS, labelled("DriftUndecided", "warning", "drift")),
    "no attribute": (DRIFT_CRITICAL, labelled("DriftUndecided", "warning", "drift", {**ONE, "check": "model"})),
    "critical beside critical": (ERRORS, labelled("OtherErrors", "critical", "api")),
    "unlike parts of the stack": (STORE, labelled("ServiceDown", "warning", "stack", {**ONE, "service": "labelling"})),
    "alerts of a user's own": (labelled("Full", "critical", "custom"), labelled("Long", "warning", "custom")),
    "symptoms of another target": (DOWN, wrong("age", TWO)),
    "another team's target": ({**DOWN, "area": ""}, wrong("age", ONE)),
    "another team's alert of the same target": (DOWN, {**ONE, "alertname": "HostFull", "severity": "critical"}),
    "another team's alert of the same name": (NO_MODEL, {"alertname": "HighErrorRate", "severity": "critical"}),
    "another command": (STALE, labelled("AccuracyStale", "warning", "drift", {**ONE, "command": "evaluate"})),
    "another objective": (burns("Answers", "Fast", "critical"), burns("Fast", "Slow", "warning")),
    "an alert without a target": (DOWN, ERRORS),
    "the watchdog": (DOWN, labelled("Watchdog", "none", "stack", ONE)),
    "errors while it is not known whether the model is loaded": (UNKNOWN_MODEL, ERRORS),
    "drift while there is no model": (NO_MODEL, wrong("age", ONE)),
    "a camera while a column of all drifts": (
        labelled("DriftDetected", "critical", "drift", {**WHOLE_DRIFTS, "attribute": "age"}),
        of_source("SourceSilent", "camera-6"),
    ),
    "a camera while the whole check is undecided": (
        labelled("DriftUndecided", "critical", "drift", WHOLE_DRIFTS),
        of_source("SourceSilent", "camera-6"),
    ),
    "another camera": (of_source("SourceDrift", "camera-5", "critical"), of_source("SourceSilent", "camera-6")),
}


def write(folder: Path, text: str) -> Path:
    file = folder / "alertmanager.yml"
    file.write_text(yaml_text(alertmanager_config(config_of(text))), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def alertmanager(each_generation: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("inhibition")
    with run_alertmanager(each_generation, write(folder, CONFIGURATION), folder) as server:
        yield server


def silenced(server: Server, *alerts: Labels) -> list[Labels]:
    """Those of the alerts that keep silent while all of them fire; afterwards all have ended."""
    now = datetime.now(UTC)
    begun = {"startsAt": (now - timedelta(minutes=1)).isoformat()}
    post_alerts(server.url, *({"labels": labels, **begun} for labels in alerts))
    deadline = time.monotonic() + 10
    while len(alerts_at(server.url)) < len(alerts) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.1)  # the inhibitor hears of an alert a moment after the list of them does
    found = alerts_at(server.url)
    assert len(found) == len(alerts)
    post_alerts(server.url, *({"labels": labels, **begun, "endsAt": now.isoformat()} for labels in alerts))
    while alerts_at(server.url) and time.monotonic() < deadline:
        time.sleep(0.02)
    return [alert["labels"] for alert in found if alert["status"]["inhibitedBy"]]


@pytest.mark.servers
@pytest.mark.parametrize("name", SILENCED)
def test_symptoms_keep_silent(name: str, alertmanager: Server) -> None:
    source, target = SILENCED[name]
    assert silenced(alertmanager, source, target) == [target]


@pytest.mark.servers
@pytest.mark.parametrize("name", HEARD)
def test_what_is_unrelated_is_heard(name: str, alertmanager: Server) -> None:
    assert silenced(alertmanager, *HEARD[name]) == []


@pytest.mark.servers
def test_a_target_of_little_weight_silences_nothing_that_weighs_more(servers: Path, tmp_path: Path) -> None:
    lesser = labelled("DriftVerdict", "info", "drift", {**ONE, "attribute": "age"})
    down = {**DOWN, "severity": "info"}
    file = write(tmp_path, "alerts: {TargetDown: {severity: info}}")
    with run_alertmanager(servers, file, tmp_path) as server:
        assert silenced(server, down, STORE, wrong("age", ONE), lesser) == [lesser]


def test_rules_are_of_rendered_alerts_only() -> None:
    config = config_of("prometheus: {jobs: [exporter]}\nalerts: {TargetDown: {enabled: false}}")
    assert len(inhibit_rules(config, alerts_of(config))) == 1


def test_one_of_several_apis_keeps_no_alert_on_all_of_them_silent() -> None:
    def silencing(text: str) -> set[str]:
        rules = alertmanager_config(config_of(text))["inhibit_rules"]
        return {matcher for rule in rules for matcher in rule["source_matchers"]}

    assert 'alertname="ModelNotLoaded"' in silencing('prometheus: {targets: {api: ["a:1"]}}')
    assert 'alertname="ModelNotLoaded"' not in silencing('prometheus: {targets: {api: ["a:1", "b:1"]}}')
