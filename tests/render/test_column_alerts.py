"""One drifted column is told of once: by its score where that is above the limit, else by the check's verdict."""

import pytest

from facemon.render.alert import Alert
from facemon.render.alert_rules import alerts_of
from facemon.render.inhibition import inhibit_rules
from facemon.render.scenario import Span
from tests.render.configurations import config_of


def column_alerts(changes: str) -> tuple[Alert, Alert]:
    by_name = {alert.name: alert for alert in alerts_of(config_of(f"alerts: {{{changes}}}"))}
    return by_name["DriftDetected"], by_name["DriftVerdict"]


@pytest.mark.parametrize(
    "changes",
    ["", "DriftDetected: {threshold: 0.05, for: 1h}", "DriftVerdict: {severity: warning, for: 1m}",
     "DriftDetected: {severity: critical}, DriftVerdict: {severity: critical}"],
)  # fmt: skip
def test_the_verdict_leaves_out_what_the_score_tells_by_the_same_expression(changes: str) -> None:
    detected, verdict = column_alerts(changes)
    assert str(verdict.expr).endswith(f" unless ({detected.expr})")
    # A generated test of each: promtool tries out that one of the two alerts has the drifted column.
    fires = {scenario.title: scenario.fires is not None for scenario in verdict.scenarios}
    for scenario in detected.scenarios:
        if scenario.span is Span.MOMENT and scenario.title != "only targets of others":
            assert fires[f"drift, and a score {scenario.title}"] is (scenario.fires is None), scenario.title


@pytest.mark.parametrize(
    "changes",
    ["DriftVerdict: {severity: critical}", "DriftDetected: {severity: none}",
     "DriftDetected: {severity: info}, DriftVerdict: {severity: warning}"],
)  # fmt: skip
def test_a_score_of_less_severity_does_not_hide_the_verdict(changes: str) -> None:
    _, verdict = column_alerts(changes)
    assert "drift_score" not in str(verdict.expr)


def test_without_the_alert_on_scores_every_verdict_is_told() -> None:
    alerts = alerts_of(config_of("alerts: {DriftDetected: {enabled: false}}"))
    (verdict,) = (alert for alert in alerts if alert.name == "DriftVerdict")
    assert "drift_score" not in str(verdict.expr)


def test_no_inhibition_keeps_the_two_apart() -> None:
    """Alertmanager may send a notification after the one has ended and before the other has."""
    config = config_of("")
    matchers = [matcher for rule in inhibit_rules(config, alerts_of(config)) for matcher in rule["target_matchers"]]
    assert not [matcher for matcher in matchers if "DriftVerdict" in matcher]
