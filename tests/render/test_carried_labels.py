"""The labels that each alert declares are those of its expression, and those with which it fires in its scenarios."""

from collections.abc import Iterator

import pytest

from facemon.config.alerts import BUILT_IN
from facemon.config.document import Config
from facemon.errors import ConfigError
from facemon.render.alert import Alert
from facemon.render.alert_rules import alerts_of
from facemon.render.carried_labels import CarriedLabels, every_label, only_labels
from facemon.render.drift_series import SCORE
from facemon.render.foreign_metrics import UP
from facemon.render.lint.query_reading import KnownMetric, exported_metrics, read_query
from facemon.render.recording_rules import recording_rules
from facemon.render.scenario import UNNAMED
from tests.render.configurations import CONFIGURATIONS, OBJECTIVES, OWN_NAMES, config_of

_EVERY_WAY = """
prometheus:
  store_metrics_from: {transport}
  jobs: [api, exporter, node, pushgateway, prometheus, alertmanager]
  target_labels: {{namespace: faces, team: x}}
  remote_write: [{{url: "http://archive.example/write"}}]
metrics: {{labels: {{site: north}}}}
exporter: {{probes: [{{name: labels, url: "http://labels:1/health"}}]}}
"""
WAYS = {
    transport: _EVERY_WAY.format(transport=transport) + OBJECTIVES
    for transport in ("exporter", "api", "textfile", "pushgateway")
}
TEXTS = {**CONFIGURATIONS, "own names": OWN_NAMES, **WAYS}


def declared(config: Config) -> Iterator[tuple[Alert, CarriedLabels]]:
    own = {alert.name for alert in config.alerts.custom}
    for alert in alerts_of(config):
        assert (alert.carries is None) is (alert.name in own), f"{alert.name} declares no labels"
        if alert.carries is not None:
            yield alert, alert.carries


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_declared_labels_are_those_of_the_expression(text: str) -> None:
    config = config_of(text)
    vocabulary = exported_metrics(config.metrics.labels, config.prometheus.target_labels)
    for group in recording_rules(config)["groups"]:
        for rule in group["rules"]:
            labels = read_query(rule["expr"], vocabulary).labels
            assert labels is not None
            vocabulary[rule["record"]] = KnownMetric(labels | frozenset(rule.get("labels", ())))
    for alert, carries in declared(config):
        reading = read_query(str(alert.expr), vocabulary)
        # Where one of two sides has the targets' labels, the rule sets them: they are not declared.
        assert reading.labels is not None
        assert reading.labels - set(alert.own_labels) == carries.names - set(alert.own_labels), alert.name


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_declared_labels_are_those_with_which_it_fires(text: str) -> None:
    """Promtool holds the labels of each scenario against what the rule does."""
    config = config_of(text)
    for alert, carries in declared(config):
        # The scenarios of some alerts have no series of a store with constant labels; the expression's test has them.
        besides = {UNNAMED, *config.metrics.labels, *alert.own_labels}
        fired = [set(scenario.fires.labels) - besides for scenario in alert.scenarios if scenario.fires]
        assert fired, f"{alert.name} fires in no scenario"
        assert set.intersection(*fired) == carries.always - besides, alert.name
        assert set.union(*fired) == carries.names - besides, alert.name


def test_every_built_in_alert_is_held_against_its_declaration() -> None:
    assert {alert.name for text in TEXTS.values() for alert in alerts_of(config_of(text))} >= set(BUILT_IN)


def test_the_labels_of_either_side_are_always_there_only_where_both_have_them() -> None:
    config = config_of("metrics: {labels: {site: north}}\nprometheus: {target_labels: {team: x}}")
    score, up = every_label(SCORE, config), every_label(UP, config)
    assert up.names == {"job", "instance"}
    assert score.names == {"job", "instance", "attribute", "check", "model", "site"}
    either = score | up
    assert (either.always, either.names) == (up.names, score.names)
    assert either.on_targets(config).always == {"job", "instance", "team"}
    aggregated = either | only_labels("job", "instance")
    assert aggregated.on_targets(config).always == {"job", "instance"}


@pytest.mark.parametrize("name", ["SourceUnreadable", "ServiceDown", "DriftDetected", "ModelNotLoaded"])
def test_a_label_that_tells_the_stores_apart_cannot_be_set_by_an_alert(name: str) -> None:
    alerts = f"alerts: {{{name}: {{labels: {{site: here}}}}}}"
    probes = 'exporter: {probes: [{name: labels, url: "http://labels:1/health"}]}'
    with pytest.raises(ConfigError, match=f"alerts.{name}.labels: sets 'site', which distinguishes"):
        alerts_of(config_of(f"metrics: {{labels: {{site: north}}}}\n{probes}\n{alerts}"))
    assert alerts_of(config_of(f"{probes}\n{alerts}"))
