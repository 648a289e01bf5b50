"""Each rule of the lint fires on a stack that is broken in its way, and none on what facemon renders."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import yaml

from facemon.render.lint import lint
from facemon.render.rendered_content import panels, rules
from facemon.render.stack import COMPOSE_FILE, FULL_COMPOSE_FILE, Part, RenderedStack
from tests.render.configurations import CONFIGURATIONS, SHORTENED, config_of, stack_of
from tests.render.everything import EVERYTHING

RICH = SHORTENED.replace("jobs: [exporter,", "jobs: [api, exporter,").replace(", import_files: true", "")
"""Without the second copy of each dashboard, which is as long as the rest."""
RULES = "monitoring/prometheus/alert_rules.yml"
RECORDED = "monitoring/prometheus/recording_rules.yml"
PROMETHEUS = "monitoring/prometheus/prometheus.yml"
ALERTMANAGER = "monitoring/alertmanager/alertmanager.yml"
ML = "monitoring/grafana/dashboards/ml_metrics.json"
API = "monitoring/grafana/dashboards/api_performance.json"


@pytest.fixture(scope="module")
def good() -> RenderedStack:
    return stack_of(RICH)


def found(stack: RenderedStack, text: str = RICH) -> list[str]:
    return [str(finding) for finding in lint(stack, config_of(text))]


def broken(stack: RenderedStack, path: str, change: Callable[[Any], object]) -> RenderedStack:
    """The stack with one file's content changed in place."""
    is_json = path.endswith(".json")
    content = json.loads(stack.files[path]) if is_json else yaml.load(stack.files[path], Loader=yaml.CSafeLoader)
    change(content)
    text = json.dumps(content) if is_json else yaml.dump(content, Dumper=yaml.CSafeDumper)
    return replace(stack, files={**stack.files, path: text})


def alert(content: Any, name: str = "DriftDetected") -> dict[str, Any]:
    return next(rule for _, rule in rules(content) if rule.get("alert") == name)


def panel(content: Any) -> dict[str, Any]:
    """A panel that is not the first and asks for the drift score of each attribute."""
    return next(
        each
        for place, each in panels(content)
        if place[-1] and any("drift_score" in target["expr"] for target in each.get("targets", ()))
    )


def variable(content: Any) -> dict[str, Any]:
    return next(each for each in content["templating"]["list"] if each["type"] == "query")


def asks(expr: str) -> Callable[[Any], object]:
    return lambda content: panel(content)["targets"][0].update(expr=expr)


def service(content: Any, name: str = "prometheus") -> dict[str, Any]:
    chosen: dict[str, Any] = content["services"][name]
    return chosen


@pytest.mark.parametrize("text", [*CONFIGURATIONS.values(), EVERYTHING], ids=[*CONFIGURATIONS, "everything"])
def test_what_facemon_renders_has_no_fault(text: str) -> None:
    assert found(stack_of(text), text) == []


@pytest.mark.parametrize(
    ("path", "change", "told"),
    [
        (RULES, lambda c: alert(c).update(expr="drift_score >"), "expr: is not PromQL: "),
        (RULES, lambda c: alert(c).update(expr="drift_scores > 1"), "asks for 'drift_scores', which no"),
        (RULES, lambda c: alert(c).update(expr='drift_score{code="x"} > 1'), "names the label code, which drift"),
        (RULES, lambda c: alert(c).update(expr="rate(drift_score[5m]) > 1"), "takes rate of drift_score, which is not"),
        (RULES, lambda c: alert(c).update(expr="drift_score > drift_threshold"), "can match nothing: > has attribute,"),
        (RULES, lambda c: alert(c).update(expr="sum by (code) (drift_score) > 1"), "code, which the input of sum"),
        (RULES, lambda c: alert(c, "Mine").update(expr="sum("), "expr: is not PromQL: "),
        (RULES, lambda c: alert(c, "TargetDown")["annotations"].update(summary="{{ $labels.attribute }}"),
         "annotations.summary: names the label attribute, which the alert lacks"),
        (RECORDED, lambda c: c["groups"][0]["rules"][0].update(expr="nothing_there"), "asks for 'nothing_there'"),
        (RECORDED, lambda c: c["groups"][0]["rules"][0].update(expr="facemon:api_requests:error_ratio"),
         "asks for 'facemon:api_requests:error_ratio', which no"),
        (ML, asks('{__name__=~"drift_score|nothing_there"}'), "asks for 'nothing_there', which no"),
        (ML, asks('{job="exporter"}'), "asks for no metric by its name"),
        (ML, asks("sum(drift_score"), "targets[0].expr: is not PromQL: "),
        (ML, asks("nothing_there"), "asks for 'nothing_there', which no"),
        (ML, asks("max by (check) (drift_score)"), "legendFormat: names the label attribute, which the query's"),
        (ML, lambda c: variable(c)["query"].update(query="label_values(drift_score, endpoint)"),
         "query: asks for the label endpoint, which its metric lacks"),
        (ML, lambda c: variable(c)["query"].update(query="all of them"), "is not a query of a variable"),
        (ML, lambda c: c["annotations"]["list"].insert(0, {"expr": "nothing_there"}),
         "annotations.list[0].expr: asks for"),
    ],
)  # fmt: skip
def test_wrong_queries(path: str, change: Callable[[Any], object], told: str, good: RenderedStack) -> None:
    faults = found(broken(good, path, change))
    assert any(told in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda c: c.update(uid="facemon-api-performance"), "uid: is missing or another dashboard's"),
        (lambda c: c.update(uid=""), "uid: is missing or another dashboard's"),
        (lambda c: c["panels"][0].update(repeat="gone"), "repeat: is the variable gone, which is not defined"),
        (lambda c: panel(c).update(description=" "), "description: is missing"),
        (lambda c: panel(c)["fieldConfig"]["defaults"].pop("unit"), "fieldConfig.defaults.unit: is missing"),
        (lambda c: panel(c).update(targets=[]), "targets: asks for nothing"),
        (lambda c: panel(c)["targets"].append(panel(c)["targets"][0]), "targets: two queries have the same refId"),
        (lambda c: panel(c).update(id=1), "id: is 1, which is not a number of its own"),
        (lambda c: panel(c).update(id=None), "id: is None, which is not a number of its own"),
        (lambda c: panel(c)["gridPos"].update(c["panels"][0]["gridPos"]), "gridPos: lies over another panel"),
        (lambda c: panel(c)["gridPos"].update(x=20), "gridPos: is missing or leaves the grid"),
        (lambda c: panel(c).pop("gridPos"), "gridPos: is missing or leaves the grid"),
        (lambda c: panel(c).update(title="of $nobody"), "title: uses the variable nobody, which is not defined"),
        (lambda c: panel(c).update(title="of ${nobody:raw}"), "title: uses the variable nobody, which is not defined"),
        (lambda c: c["links"][0].update(url="/d/gone"), "links[0].url: leads to the dashboard gone"),
        (lambda c: panel(c).update(links=[{"url": "/d/gone?x=1"}]), "links[0].url: leads to the dashboard gone"),
    ],
)
def test_wrong_dashboards(change: Callable[[Any], object], told: str, good: RenderedStack) -> None:
    faults = found(broken(good, ML, change))
    assert any(told in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda c: alert(c)["labels"].pop("severity"), "labels.severity: is missing"),
        *(
            (lambda c, name=name: alert(c)["annotations"].pop(name), f"annotations.{name}: is missing")
            for name in ("summary", "description", "runbook_url", "dashboard_url")
        ),
        (lambda c: alert(c).update(alert="TargetDown"), "alert: is TargetDown, as another alert is named"),
        (lambda c: alert(c).update(alert="New"), "alert: New has no runbook"),
        (lambda c: alert(c)["annotations"].update(dashboard_url="http://g/d/gone"), "leads to the dashboard gone"),
    ],
)
def test_alerts_that_lack_something(change: Callable[[Any], object], told: str, good: RenderedStack) -> None:
    faults = found(broken(good, RULES, change))
    assert any(told in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda c: service(c).update(image="prom/prometheus:latest"), "prom/prometheus:latest names no version"),
        (lambda c: service(c).update(image="r.example:5000/prometheus"), "r.example:5000/prometheus names no version"),
        (lambda c: service(c).pop("image"), "services.prometheus.image: is missing"),
        (lambda c: service(c).update(ports=["9090:9090"]), "ports[0]: is open on every address, and stack.listen"),
        (lambda c: service(c).update(ports=["0.0.0.0:9090:9090"]), "ports[0]: is open on 0.0.0.0"),
        (lambda c: service(c).update(ports=[{"published": 1, "target": 1}]), "ports[0]: is open on every address"),
        (lambda c: service(c).update(network_mode="host"), "network_mode: opens every port"),
        (lambda c: service(c)["secrets"].pop(0), "prometheus.secrets: does not mount /run/secrets/remote"),
        (lambda c: service(c)["secrets"][0].update(target="/elsewhere"), "does not mount /run/secrets/remote, which"),
        (lambda c: service(c)["volumes"].clear(), "does not mount the rendered file at /etc/prometheus/prometheus.yml"),
        (lambda c: service(c, "alertmanager").pop("secrets"), "does not mount /run/secrets/slack, which"),
        (lambda c: service(c, "grafana").pop("secrets"), "does not mount /run/secrets/grafana, which"),
        (lambda c: c["secrets"].pop("slack"), "mounts the secret slack, which is not defined"),
    ],
)  # fmt: skip
def test_wrong_containers(change: Callable[[Any], object], told: str, good: RenderedStack) -> None:
    faults = found(broken(good, COMPOSE_FILE, change))
    assert any(told in fault for fault in faults), faults


def test_an_image_of_a_scheduled_job_is_pinned_too() -> None:
    stack = stack_of(EVERYTHING)
    path = "schedules/kubernetes/drift-check.yaml"
    text, count = re.subn(r"image: \S+", "image: facemon:latest", stack.files[path])
    assert count == 1
    (fault,) = found(replace(stack, files={**stack.files, path: text}), EVERYTHING)
    assert fault.startswith(f"{path}: ")
    assert "image: facemon:latest names no version" in fault


def test_the_tokens_of_the_api_are_mounted_where_it_looks() -> None:
    text = f"{EVERYTHING}api: {{tokens_file: secrets/tokens}}\n"
    stack = stack_of(text)
    assert found(stack, text) == []
    lost = broken(stack, FULL_COMPOSE_FILE, lambda content: service(content, "api").pop("secrets"))
    (fault,) = found(lost, text)
    assert "services.api.secrets: does not mount " in fault
    assert "secrets/tokens, which api.tokens_file reads" in fault


def test_a_port_may_be_open_where_it_is_asked_for() -> None:
    text = RICH.replace("stack: {", "stack: {listen: 0.0.0.0, ")
    assert "0.0.0.0:9090" in stack_of(text).files[COMPOSE_FILE]
    assert found(stack_of(text), text) == []


@pytest.mark.parametrize(
    ("path", "change", "told"),
    [
        (PROMETHEUS, lambda c: c["remote_write"][0]["basic_auth"].update(password="x"), "password: holds a secret"),
        (ALERTMANAGER, lambda c: c["global"].update(smtp_auth_password="x"), "smtp_auth_password: holds a secret"),
        (ALERTMANAGER, lambda c: c["receivers"][1]["slack_configs"][0].update(api_url="x"), "api_url: holds a secret"),
        (COMPOSE_FILE, lambda c: service(c, "grafana")["environment"].update(GF_SECURITY_ADMIN_PASSWORD="x"),
         "GF_SECURITY_ADMIN_PASSWORD: holds a secret"),
        (PROMETHEUS, lambda c: c["remote_write"][0].update(url="https://u:p@remote"), "an address with a password"),
    ],
)  # fmt: skip
def test_secrets_in_the_open(path: str, change: Callable[[Any], object], told: str, good: RenderedStack) -> None:
    faults = found(broken(good, path, change))
    assert any(told in fault for fault in faults), faults
    assert not any("u:p@" in fault for fault in faults)


def test_a_secret_in_a_script_is_found(good: RenderedStack) -> None:
    script = "#!/bin/sh\nexport API_TOKEN=abc\ncurl x\n"
    assert found(replace(good, files={**good.files, "schedules/cron/run.sh": script})) == [
        "schedules/cron/run.sh: sets API_TOKEN, a secret by its name; name a file that holds it"
    ]


def test_a_part_alone_is_judged_by_itself() -> None:
    for part in Part:
        assert found(stack_of(RICH, part)) == []
