import pytest

from facemon.config.alerts import BUILT_IN
from facemon.domain.metric_catalogue import CATALOGUE
from facemon.errors import UsageError
from facemon.render.alert_rules import alerts_of
from facemon.render.foreign_metrics import FOREIGN
from facemon.render.glossary import ExplainedAlert, ExplainedMetric, State, explain
from facemon.render.promql import exposed_names
from facemon.render.recording_rules import RECORDED
from tests.render.configurations import CONFIGURATIONS, DEFAULTS, config_of, stack_of
from tests.render.everything import EVERYTHING


def alert(name: str, text: str) -> ExplainedAlert:
    found = explain(name, config_of(text))
    assert isinstance(found, ExplainedAlert)
    return found


def metric(name: str, text: str = DEFAULTS) -> ExplainedMetric:
    found = explain(name, config_of(text))
    assert isinstance(found, ExplainedMetric)
    return found


@pytest.mark.parametrize("text", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_each_rendered_alert_is_explained_as_it_is_rendered(text: str) -> None:
    config = config_of(text)
    files = stack_of(text).files
    for each in alerts_of(config):
        found = alert(each.name, text)
        assert (found.state, found.reason) == (State.RENDERED, None)
        assert found.alert == each
        assert found.runbook in files[f"monitoring/runbooks/{each.name}.md"]


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_alert_that_there_is_is_explained_whatever_is_scraped(name: str) -> None:
    assert alert(name, "prometheus: {jobs: [pushgateway], store_metrics_from: pushgateway}").alert.name == name


def test_the_alerts_of_an_objective_are_explained() -> None:
    assert alert("AnswersBudgetFast", EVERYTHING).state is State.RENDERED


def test_what_the_configuration_changes_is_told() -> None:
    document = alert("DriftDetected", CONFIGURATIONS["shortened"]).document()
    assert (document["threshold"], document["for"], document["severity"]) == (0.05, "1s", "critical")
    assert document["labels"]["where"] == 'a "b" \\ c'


def test_an_alert_that_is_disabled_is_explained_all_the_same() -> None:
    found = alert("MetricsAbsent", "alerts: {MetricsAbsent: {enabled: false, for: 3m}}")
    assert (found.state, found.reason) == (State.DISABLED, "alerts.MetricsAbsent.enabled is false")
    assert found.document()["for"] == "3m"


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("HighLatency", "prometheus: {jobs: [exporter]}", "prometheus.jobs has no api, which it watches"),
        ("ServiceDown", "", "exporter.probes names no service"),
        ("ServiceDown", "prometheus: {jobs: [api], store_metrics_from: api}", "neither a job nor a probe"),
    ],
)
def test_an_alert_that_is_left_out_says_what_it_lacks(name: str, text: str, reason: str) -> None:
    found = alert(name, text)
    assert found.state is State.LEFT_OUT
    assert reason in str(found.reason)


def test_a_collector_may_know_of_services() -> None:
    assert alert("ServiceDown", 'exporter: {collectors: ["own:Queue"]}').state is State.RENDERED
    assert ("System Metrics", "Sources and services") in metric(
        "external_service_status", 'exporter: {collectors: ["own:Queue"]}'
    ).panels


def test_an_alert_is_explained_where_none_is_rendered() -> None:
    disabled = ", ".join(f"{name}: {{enabled: false}}" for name in BUILT_IN)
    assert alert("Watchdog", f"alerts: {{{disabled}}}").state is State.DISABLED


@pytest.mark.parametrize("name", [*CATALOGUE, *FOREIGN, *RECORDED])
def test_each_metric_is_explained(name: str) -> None:
    found = metric(name)
    assert found.name == name
    assert found.help.endswith(".")


def test_a_histogram_is_found_by_its_parts() -> None:
    name = "api_request_latency_seconds"
    assert {metric(part).name for part in exposed_names(CATALOGUE[name])} == {name}


def test_what_asks_for_a_metric_is_told_also_by_way_of_a_recording_rule() -> None:
    latency = metric("api_request_latency_seconds")
    assert "endpoint:api_request_latency_seconds:p95" in latency.recorded_as
    assert "HighLatency" in latency.alerts
    assert any(panel == "Latency by endpoint" for _, panel in latency.panels)
    assert metric("cache_size", "prometheus: {jobs: [exporter]}").alerts == ()


def test_the_transport_is_that_of_the_configuration() -> None:
    text = "prometheus: {store_metrics_from: textfile}"
    assert (
        metric("drift_score", text).comes_from == "the store, by the job node (prometheus.store_metrics_from: textfile)"
    )


def test_an_unknown_name_is_met_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="explain DriftDetectd: no such alert, metric, column or s") as refused:
        explain("DriftDetectd", config_of(""))
    assert refused.value.hint is not None
    assert refused.value.hint.startswith("did you mean DriftDetected")
    with pytest.raises(UsageError) as refused:
        explain("", config_of(""))
    assert refused.value.hint == "facemon explain lists what there is"
