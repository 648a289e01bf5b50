from datetime import timedelta

import pytest

from facemon.config.alerts import BUILT_IN, AlertsConfig
from facemon.errors import ConfigError
from facemon.render.alert_rules import alert_rules, alerts_of, left_out
from facemon.render.recording_rules import recording_rules
from tests.render.configurations import CONFIGURATIONS, DEFAULTS, config_of
from tests.render.known_queries import KNOWN, metrics_in


def rules_of(text: str) -> dict[str, dict[str, object]]:
    groups = alert_rules(config_of(text))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def test_the_five_alerts_have_the_thresholds_that_were_promised() -> None:
    found = {
        alert.name: (alert.threshold, alert.for_)
        for alert in alerts_of(config_of(""))
        if alert.name in ("HighLatency", "HighErrorRate", "ModelNotLoaded", "DriftDetected", "LowModelAccuracy")
    }
    assert found == {
        "HighLatency": (0.5, timedelta(minutes=5)),
        "HighErrorRate": (0.05, timedelta(minutes=5)),
        "ModelNotLoaded": (None, timedelta(minutes=1)),
        "DriftDetected": (0.2, timedelta(minutes=10)),
        "LowModelAccuracy": (0.7, timedelta(minutes=15)),
    }


@pytest.mark.parametrize("text", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_every_query_parses_and_asks_for_known_metrics(text: str) -> None:
    config = config_of(text)
    rules = [rule for group in alert_rules(config)["groups"] for rule in group["rules"]]
    rules += [rule for group in recording_rules(config)["groups"] for rule in group["rules"]]
    for rule in rules:
        assert metrics_in(rule["expr"]) <= KNOWN, rule
    assert len(rules) > 10


@pytest.mark.parametrize("text", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_every_alert_says_how_bad_it_is_and_where_to_look(text: str) -> None:
    for rule in rules_of(text).values():
        assert rule["labels"]["severity"] in ("critical", "warning", "info", "none")  # type: ignore[index]
        assert {"summary", "description", "runbook_url", "dashboard_url"} <= set(rule["annotations"])  # type: ignore[call-overload]


def test_everything_of_an_alert_can_be_changed() -> None:
    rule = rules_of(CONFIGURATIONS["shortened"])["DriftDetected"]
    assert "drift_score > 0.05" in str(rule["expr"])
    assert rule["for"] == "1s"
    assert rule["labels"] == {"severity": "critical", "team": "f{{ `{{` }}ace", "where": 'a "b" \\ c'}
    annotations = rule["annotations"]
    assert isinstance(annotations, dict)
    assert annotations["extra"] == 'ü "q"'
    assert annotations["runbook_url"] == "https://r.example/books/DriftDetected.md"
    assert annotations["dashboard_url"] == "https://g.example/x/d/facemon-ml-metrics"


def test_alerts_without_their_job_are_left_out_and_named() -> None:
    config = config_of("prometheus: {jobs: [exporter]}")
    names = {alert.name for alert in alerts_of(config)}
    assert "ModelNotLoaded" not in names
    assert set(left_out(config)) == set(BUILT_IN) - names


def test_no_alert_at_all_is_an_error() -> None:
    disabled = ", ".join(f"{name}: {{enabled: false}}" for name in BUILT_IN)
    with pytest.raises(ConfigError, match="every alert is disabled"):
        alerts_of(config_of(f"alerts: {{{disabled}}}"))


@pytest.mark.parametrize(
    ("threshold", "neighbours"), [("0.3", "use 0.25 or 0.5"), ("10.0", "use 5"), ("0.0001", "use 0.001")]
)
def test_a_latency_between_the_edges_names_its_neighbours(threshold: str, neighbours: str) -> None:
    with pytest.raises(ConfigError, match=r"alerts\.HighLatency\.threshold") as error:
        alerts_of(config_of(f"alerts: {{HighLatency: {{threshold: {threshold}}}}}"))
    assert error.value.hint == neighbours


@pytest.mark.parametrize(
    "alerts",
    [
        "HighErrorRate: {threshold: 1.0}",
        "HighErrorRate: {threshold: -0.1}",
        "DriftDetected: {threshold: .nan}",
        "LowModelAccuracy: {threshold: 0.0}",
        "HighLatency: {threshold: .inf}",
        "Watchdog: {threshold: 1.0}",
        "DriftVerdict: {labels: {severity: x}}",
        "Unknown: {enabled: true}",
        "custom: [{name: Watchdog, expr: up, summary: s}]",
        "custom: [{name: A, expr: up, summary: s}, {name: A, expr: up, summary: s}]",
    ],
)
def test_an_alert_that_could_never_fire_or_is_unknown_is_refused(alerts: str) -> None:
    with pytest.raises(ConfigError):
        config_of(f"alerts: {{{alerts}}}")


def test_a_verdict_that_is_stale_before_it_has_held_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"alerts\.DriftCheckStale\.threshold"):
        alerts_of(config_of("alerts: {DriftCheckStale: {threshold: 5m}}"))


def test_rates_need_four_scrapes() -> None:
    assert "[20m]" in str(rules_of("prometheus: {scrape_interval: 5m}")["HighLatency"]["expr"])
    with pytest.raises(ConfigError, match="rate_window must hold 4 scrapes"):
        config_of("prometheus: {rate_window: 30s}")


def test_each_built_in_alert_has_its_section() -> None:
    everything = config_of(DEFAULTS + "exporter: {probes: [{name: a, url: 'http://a'}]}\n")
    assert {alert.name for alert in alerts_of(everything)} == set(AlertsConfig.model_fields) - {"custom", "objectives"}
