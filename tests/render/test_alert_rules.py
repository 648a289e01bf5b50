from datetime import timedelta
from typing import get_args

import pytest

from facemon.config.alerts import BUILT_IN, AlertsConfig
from facemon.config.prometheus import TRANSPORT_JOBS, Job
from facemon.errors import ConfigError
from facemon.render.alert_rules import alert_rules, alerts_of, left_out
from facemon.render.next_commands import NEXT_COMMANDS
from facemon.render.recording_rules import recording_rules, recordings
from tests.render.configurations import CONFIGURATIONS, DEFAULTS, OBJECTIVES, config_of
from tests.render.known_queries import KNOWN, metrics_in
from tests.test_docs import unknown_in


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
        assert metrics_in(rule["expr"]) <= KNOWN | {each.name for each in recordings(config)}, rule
    assert len(rules) > 10


@pytest.mark.parametrize("text", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_every_alert_says_how_bad_it_is_and_where_to_look(text: str) -> None:
    for rule in rules_of(text).values():
        assert rule["labels"]["severity"] in ("critical", "warning", "info", "none")  # type: ignore[index]
        assert {"summary", "description", "runbook_url", "dashboard_url"} <= set(rule["annotations"])  # type: ignore[call-overload]


def test_everything_of_an_alert_can_be_changed() -> None:
    rule = rules_of(CONFIGURATIONS["shortened"])["DriftDetected"]
    assert 'drift_score{job="node"} > 0.05' in str(rule["expr"])
    assert rule["for"] == "1s"
    own = {"severity": "critical", "area": "drift", "incident": "Drift"}
    assert rule["labels"] == {**own, "team": "f{{ `{{` }}ace", "where": 'a "b" \\ c'}
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
    ("alerts", "place"),
    [
        ("HighErrorRate: {threshold: 1.0}", "HighErrorRate.threshold"),
        ("HighErrorRate: {threshold: -0.1}", "HighErrorRate.threshold"),
        ("HighErrorRate: {min_requests: -1}", "HighErrorRate.min_requests"),
        ("HighLatency: {min_requests: 1.5}", "HighLatency.min_requests"),
        ("HighLatency: {min_requests: 10000000000}", "HighLatency.min_requests"),
        ("DriftDetected: {threshold: .nan}", "DriftDetected.threshold"),
        ("DriftDetected: {threshold: -0.2}", "DriftDetected.threshold"),
        ("LowModelAccuracy: {threshold: 0.0}", "LowModelAccuracy.threshold"),
        ("LowModelAccuracy: {threshold: 1.1}", "LowModelAccuracy.threshold"),
        ("HighLatency: {threshold: .inf}", "HighLatency.threshold"),
        ("HighLatency: {threshold: 0.0}", "HighLatency.threshold"),
        ("ReferenceStale: {threshold: 0s}", "ReferenceStale.threshold"),
        ("AccuracyStale: {threshold: 30}", "AccuracyStale.threshold"),
        ("Watchdog: {threshold: 1.0}", "Watchdog.threshold"),
        ("DriftVerdict: {labels: {severity: x}}", "DriftVerdict.labels"),
        ("DriftVerdict: {labels: {area: x}}", "DriftVerdict.labels"),
        ("DriftVerdict: {labels: {'': x}}", "DriftVerdict.labels"),
        ("Unknown: {enabled: true}", "Unknown"),
        ("custom: [{name: Watchdog, expr: up, summary: s}]", "custom[0].name"),
        ("custom: [{name: A, expr: up, summary: s}, {name: A, expr: up, summary: s}]", "custom[1].name"),
        ("custom: [{name: '', expr: up, summary: s}]", "custom[0].name"),
        ("custom: [{name: 'a b', expr: up, summary: s}]", "custom[0].name"),
        ("custom: [{name: A, expr: '', summary: s}]", "custom[0].expr"),
        ("custom: [{name: A, expr: up, summary: s, labels: {area: x}}]", "custom[0].labels"),
        ("objectives: [{name: A, indicator: errors, target: 0.9}], custom: [{name: ABudgetFast, expr: up, summary: s}]",
         "custom[0].name"),
        ("objectives: [{name: answers, indicator: errors, target: 0.9}]", "objectives[0].name"),
        ("objectives: [{name: A, indicator: errors, target: 0.9}, {name: A, indicator: errors, target: 0.9}]",
         "objectives[1].name"),
        ("objectives: [{name: A, indicator: errors, target: 1.0}]", "objectives[0].target"),
        ("objectives: [{name: A, indicator: errors, target: .nan}]", "objectives[0].target"),
        ("objectives: [{name: A, indicator: errors, target: 0.9, threshold: 0.5}]", "objectives[0].threshold"),
        ("objectives: [{name: A, indicator: latency, target: 0.9, threshold: -1.0}]", "objectives[0].threshold"),
        ("objectives: [{name: A, indicator: errors, target: 0.9, endpoint: ''}]", "objectives[0].endpoint"),
        ("objectives: [{name: A, indicator: errors, target: 0.9, period: 0s}]", "objectives[0].period"),
    ],
)  # fmt: skip
def test_an_alert_that_could_never_fire_or_is_unknown_is_refused(alerts: str, place: str) -> None:
    with pytest.raises(ConfigError) as error:
        config_of(f"alerts: {{{alerts}}}")
    assert f": alerts.{place}" in str(error.value)


def test_labels_that_distinguish_alerts_stay_theirs() -> None:
    with pytest.raises(
        ConfigError, match=r"alerts\.TargetDown\.labels: sets 'instance', which distinguishes alerts"
    ) as error:
        alerts_of(config_of("alerts: {TargetDown: {labels: {instance: one, team: x}}}"))
    assert error.value.hint == "use another label name"


@pytest.mark.parametrize(
    ("alerts", "message"),
    [
        (
            "TargetDown: {annotations: {summary: 'a {{ b'}}",
            "TargetDown: the template of summary has a {{ that no",
        ),
        ("TargetDown: {annotations: {extra: '{{ }}'}}", "TargetDown: the template of extra has nothing between"),
        (
            "custom: [{name: A, expr: up, summary: '{{{{'}]",
            "custom (A): the template of summary has a {{ that no",
        ),
    ],
)
def test_a_template_that_prometheus_cannot_read_is_refused(alerts: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        alerts_of(config_of(f"alerts: {{{alerts}}}"))
    assert str(error.value).startswith(f"alerts.{message}")


def test_every_alert_says_its_area() -> None:
    text = DEFAULTS + OBJECTIVES + "  custom: [{name: Mine, expr: up, summary: s, labels: {team: 'a{{b'}}]\n"
    areas = {name: rule["labels"]["area"] for name, rule in rules_of(text).items()}  # type: ignore[index]
    expected = {"HighLatency": "api", "DriftDetected": "drift", "Watchdog": "stack", "FastBudgetSlow": "objectives"}
    assert areas.items() >= {**expected, "Mine": "custom"}.items()
    own = {"severity": "warning", "area": "custom", "incident": "Mine"}
    assert rules_of(text)["Mine"]["labels"] == {**own, "team": "a{{ `{{` }}b"}


def test_alerts_of_one_cause_share_an_incident_and_come_at_the_same_time() -> None:
    """Else one trouble is several messages: Alertmanager tells again of a group that grows."""
    text = OBJECTIVES + "  DriftDetected: {for: 3m}\n  TargetDown: {labels: {incident: Network}}\n"
    rules = rules_of(text)
    incidents: dict[str, set[str]] = {}
    for name, rule in rules.items():
        incidents.setdefault(rule["labels"]["incident"], set()).add(name)  # type: ignore[index]
    shared = {incident: names for incident, names in incidents.items() if names != {incident}}
    assert shared == {
        "Drift": {"DriftDetected", "DriftVerdict", "SourceDrift"},
        "AnswersBudget": {"AnswersBudgetFast", "AnswersBudgetSlow"},
        "FastBudget": {"FastBudgetFast", "FastBudgetSlow"},
        "Network": {"TargetDown"},
    }
    assert {rules[name]["for"] for name in shared["Drift"]} == {"3m"}


def test_few_requests_count_only_when_they_are_asked_to() -> None:
    config = "alerts: {HighLatency: {min_requests: 0}, HighErrorRate: {min_requests: 25}, ignored_endpoints: []}"
    rules = rules_of(config)
    assert " and " not in str(rules["HighLatency"]["expr"])
    assert str(rules["HighErrorRate"]["expr"]).endswith(
        'and on () (sum(increase(api_requests_total{job="api", status!="rejected"}[5m])) >= 25)'
    )
    count = 'sum by (endpoint) (increase(api_request_latency_seconds_count{job="api"}[5m])) >= 3'
    assert f"and on (endpoint) ({count})" in str(rules_of("")["HighLatency"]["expr"])


def test_what_was_never_done_is_missed_when_images_were_counted_for_long() -> None:
    alerts = {alert.name: alert for alert in alerts_of(config_of("drift: {accuracy_window: 7d}"))}
    assert alerts["ReferenceStale"].threshold == timedelta(days=90).total_seconds()
    assert alerts["AccuracyStale"].threshold == timedelta(days=7).total_seconds()
    assert 'command="evaluate"' in str(alerts["AccuracyStale"].expr)
    assert 'images_processed_total{job="exporter"}[1d6h] offset 8d)' in str(alerts["ReferenceStale"].expr)
    assert 'images_processed_total{job="exporter"}[1d6h] offset 7d)' in str(alerts["AccuracyStale"].expr)
    changed = "alerts: {AccuracyStale: {threshold: 3d}, ReferenceStale: {threshold: 90s}}"
    assert str(rules_of(changed)["AccuracyStale"]["expr"]).count("> 259200") == 1
    assert str(rules_of(changed)["ReferenceStale"]["expr"]).count("> 90)") == 1


def test_a_verdict_that_is_stale_before_it_has_held_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"alerts\.DriftCheckStale\.threshold"):
        alerts_of(config_of("alerts: {DriftCheckStale: {threshold: 5m}}"))


def test_rates_need_four_scrapes() -> None:
    assert "[10m]" in str(rules_of("prometheus: {scrape_interval: 2m30s}")["HighLatency"]["expr"])
    with pytest.raises(ConfigError, match="rate_window must hold 4 scrapes"):
        config_of("prometheus: {rate_window: 30s}")


@pytest.mark.parametrize("key", ["scrape_interval", "evaluation_interval"])
def test_a_sample_must_last_until_the_next_but_one(key: str) -> None:
    with pytest.raises(ConfigError, match=rf"prometheus\.{key}: must be at most 2m30s"):
        config_of(f"prometheus: {{{key}: 5m}}")


def test_each_built_in_alert_has_its_section() -> None:
    every: set[str] = set()
    for transport in TRANSPORT_JOBS:
        jobs = f"jobs: [{', '.join(get_args(Job))}], remote_write: [{{url: 'http://r/'}}]"
        prometheus = f"prometheus: {{store_metrics_from: {transport}, {jobs}}}\n"
        text = DEFAULTS + prometheus + "exporter: {probes: [{name: a, url: 'http://a'}]}\n"
        every |= {alert.name for alert in alerts_of(config_of(text))}
    assert every == set(AlertsConfig.model_fields) - {"custom", "ignored_endpoints", "objectives"}


def test_the_next_commands_exist() -> None:
    """As a person types them: the words that tests/test_docs.py reads in documents."""
    faults = [fault for command in NEXT_COMMANDS.values() for fault in unknown_in(command.split()[1:])]
    assert faults == []
    assert set(NEXT_COMMANDS) <= set(BUILT_IN)
    assert {rule["annotations"]["next_command"] for rule in rules_of("").values()} >= {"facemon explain HighLatency"}  # type: ignore[index]
