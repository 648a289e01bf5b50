"""The defaults of facemon's own alerts: one for each, of its kind, and what is rendered without a configuration."""

from datetime import timedelta

import pytest

from facemon.config.alerts import BUILT_IN, DEFAULT_ALERTS, AgeAlertConfig, AlertsConfig
from facemon.render.alert_rules import alerts_of
from tests.render.configurations import config_of

FOLLOWS = {"AccuracyStale", "TextfileStale", "PushStale"}
"""Alerts whose threshold another key says."""
HELD_AS_OTHERS = {"DriftVerdict", "SourceDrift", "NotificationsFailing"}
EVERYTHING = """
prometheus:
  store_metrics_from: {transport}
  jobs: [api, exporter, node, pushgateway, prometheus, alertmanager]
  remote_write: [{{url: "http://archive.example/write"}}]
exporter: {{probes: [{{name: labels, url: "http://labels:1/health"}}]}}
"""


def test_every_alert_has_defaults_of_its_kind() -> None:
    assert set(DEFAULT_ALERTS) == set(BUILT_IN)
    for name, usual in DEFAULT_ALERTS.items():
        section = type(AlertsConfig().of(name))
        has_threshold = "threshold" in section.model_fields and name not in FOLLOWS
        is_age = issubclass(section, AgeAlertConfig)
        assert (usual.limit is not None, usual.oldest is not None) == (
            has_threshold and not is_age, has_threshold and is_age,
        ), name  # fmt: skip
        assert (usual.held is None) is (name in HELD_AS_OTHERS)


@pytest.mark.parametrize("transport", ["textfile", "pushgateway"])
def test_what_is_rendered_are_the_defaults(transport: str) -> None:
    for alert in alerts_of(config_of(EVERYTHING.format(transport=transport))):
        usual = DEFAULT_ALERTS[alert.name]
        assert alert.severity == usual.severity
        assert usual.held in (None, alert.for_), alert.name
        assert usual.limit in (None, alert.threshold), alert.name
        assert usual.oldest is None or usual.oldest.total_seconds() == alert.threshold, alert.name


def test_the_configuration_goes_before_the_defaults() -> None:
    changed = config_of(
        "alerts:\n  HighLatency: {threshold: 1, for: 0s, severity: none}\n  HighErrorRate: {threshold: 0}\n"
        "  DriftCheckStale: {threshold: 2d}"
    ).alerts
    assert (changed.limit("HighLatency"), changed.held("HighLatency"), changed.severity("HighLatency")) == (
        1.0, timedelta(0), "none",
    )  # fmt: skip
    assert changed.limit("HighErrorRate") == 0  # which is not "unset"
    assert changed.oldest("DriftCheckStale") == timedelta(days=2)
    assert changed.severity("HighErrorRate") == "critical"


def test_what_an_alert_does_not_have_is_refused() -> None:
    alerts = AlertsConfig()
    for ask in (alerts.limit, alerts.oldest):
        with pytest.raises(ValueError, match="Watchdog has no"):
            ask("Watchdog")
    with pytest.raises(ValueError, match="another key"):
        alerts.held("DriftVerdict")
