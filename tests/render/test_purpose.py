"""What `stack.for` chooses where the configuration says nothing, and what it leaves as the configuration says."""

from typing import Any

import pytest

from facemon.errors import ConfigError, UsageError
from facemon.render.purpose import fitted
from facemon.render.stack import COMPOSE_FILE, FULL_COMPOSE_FILE, Part
from tests.read_yaml import read_yaml
from tests.render.configurations import DIRECTORY, config_of, stack_of

API_DASHBOARD = "monitoring/grafana/dashboards/api_performance.json"
DATASOURCES = "monitoring/grafana/provisioning/datasources/prometheus.yml"
OWN = {"node": "node-exporter:9100", "cadvisor": "cadvisor:8080", "prometheus": "localhost:9090",
       "alertmanager": "alertmanager:9093"}  # fmt: skip
TARGETS = {
    "full": {"api": "api:8000", "exporter": "exporter:8001", **OWN},
    "monitoring": {"api": "host.docker.internal:8000", "exporter": "host.docker.internal:8001", **OWN},
    "textfile": OWN,
    "pushgateway": {**OWN, "pushgateway": "pushgateway:9091"},
    "existing": {"api": "localhost:8000", "exporter": "localhost:8001"},
}
MONITORING = {"prometheus", "alertmanager", "grafana"}
SERVICES = {
    "full": {*MONITORING, "node-exporter", "cadvisor"},
    "monitoring": {*MONITORING, "node-exporter", "cadvisor"},
    "textfile": {*MONITORING, "node-exporter", "cadvisor"},
    "pushgateway": {*MONITORING, "node-exporter", "cadvisor", "pushgateway"},
    "existing": set(),
}


def rendered(text: str) -> dict[str, str]:
    return dict(stack_of(text).files)


def targets(files: dict[str, str]) -> dict[str, str]:
    scrapes = read_yaml(files["monitoring/prometheus/prometheus.yml"])["scrape_configs"]
    return {scrape["job_name"]: ",".join(scrape["static_configs"][0]["targets"]) for scrape in scrapes}


def services(files: dict[str, str], path: str = COMPOSE_FILE) -> dict[str, Any]:
    found: dict[str, Any] = read_yaml(files.get(path, "services: {}"))["services"]
    return found


@pytest.mark.parametrize("purpose", TARGETS)
def test_targets_containers_and_dashboards_fit(purpose: str) -> None:
    files = rendered(f"stack: {{for: {purpose}}}")
    assert targets(files) == TARGETS[purpose]
    assert set(services(files)) == SERVICES[purpose]
    assert (FULL_COMPOSE_FILE in files) == (purpose == "full")
    assert (API_DASHBOARD in files) == ("api" in TARGETS[purpose])
    for service in services(files).values():
        known = {host.split(":")[0] for host in service.get("extra_hosts", ())}
        assert "host.docker.internal" in known or service["container_name"] != "mlops-prometheus"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prometheus: {jobs: [exporter]}", {"exporter": "host.docker.internal:8001"}),
        ('prometheus: {jobs: [exporter], targets: {exporter: ["h:1"]}}', {"exporter": "h:1"}),
        ('prometheus: {jobs: [exporter]}\nexporter: {listen: "10.0.0.7:9001"}', {"exporter": "10.0.0.7:9001"}),
        ('prometheus: {jobs: [exporter]}\nexporter: {listen: "0.0.0.0:91"}', {"exporter": "host.docker.internal:91"}),
        ('prometheus: {jobs: [exporter]}\nexporter: {listen: "[::1]:0"}', {"exporter": "host.docker.internal:8001"}),
    ],
)  # fmt: skip
def test_what_the_configuration_names_stays(text: str, expected: dict[str, str]) -> None:
    assert targets(rendered(f"{text}\nstack: {{for: monitoring}}")) == expected


def test_an_existing_prometheus_gets_the_jobs_of_the_transport_and_what_has_targets() -> None:
    for text, jobs in (
        ("{store_metrics_from: textfile}", {"node": "localhost:9100"}),
        ("{store_metrics_from: pushgateway}", {"pushgateway": "localhost:9091"}),
        ("{store_metrics_from: api}", {"api": "localhost:8000"}),
        (
            '{targets: {node: ["n:1"]}}',
            {"api": "localhost:8000", "exporter": "localhost:8001", "node": "n:1"},
        ),
    ):
        assert targets(rendered(f"prometheus: {text}\nstack: {{for: existing}}")) == jobs


@pytest.mark.parametrize(
    ("prometheus", "purpose"), [("store_metrics_from: exporter", "textfile"), ("jobs: [exporter]", "pushgateway")]
)
def test_what_contradicts_the_purpose_is_refused(prometheus: str, purpose: str) -> None:
    with pytest.raises(ConfigError, match=f"the stack is for {purpose}"):
        rendered(f"prometheus: {{{prometheus}}}\nstack: {{for: {purpose}}}")


def test_fitting_twice_changes_nothing() -> None:
    for purpose in TARGETS:
        once = fitted(config_of(f"stack: {{for: {purpose}, name: n}}"), DIRECTORY)
        assert fitted(once, DIRECTORY) is once


def test_no_container_is_asked_for_beside_an_existing_stack() -> None:
    with pytest.raises(UsageError, match="compose starts nothing"):
        stack_of("stack: {for: existing}", Part.COMPOSE)


def test_what_nothing_scrapes_is_not_started() -> None:
    files = rendered('prometheus: {jobs: [api, exporter, node], targets: {node: ["elsewhere:9100"], api: ["ml:80"]}}')
    assert set(services(files)) == MONITORING
    assert set(services(files, FULL_COMPOSE_FILE)) == {"exporter"}


def test_started_alone_the_names_of_containers_are_those_of_the_machine() -> None:
    """The variables of docker-compose.full.yml free the names, because a host's name goes before a container's."""
    files = rendered("exporter: {listen: '10.0.0.7:8001'}")
    hosts = services(files)["prometheus"]["extra_hosts"]
    assert hosts[1:] == ["${FACEMON_API_NAME:-api}:host-gateway", "${FACEMON_EXPORTER_NAME:-exporter}:10.0.0.7"]
    variables = dict(line.split("=") for line in files["monitoring/full.env"].splitlines()[1:])
    assert set(variables) == {"FACEMON_API_NAME", "FACEMON_EXPORTER_NAME"}
    assert not {"api", "exporter"} & set(variables.values())


def test_it_is_said_where_a_container_cannot_reach_what_is_scraped() -> None:
    for text, is_said in (
        ("stack: {for: monitoring}", True),
        ("", True),
        ("stack: {for: existing}", False),
        ('exporter: {listen: "172.17.0.1:8001"}\napi: {listen: "172.17.0.1:8000"}\nstack: {for: monitoring}', False),
    ):
        notes = " ".join(stack_of(text).notes)
        assert ("containers cannot reach what listens on 127.0.0.1" in notes) == is_said, text


def test_the_data_source_of_an_existing_grafana_is_not_replaced() -> None:
    (source,) = read_yaml(rendered("stack: {for: existing}")[DATASOURCES])["datasources"]
    assert (source["name"], source["isDefault"], source["url"]) == ("facemon", False, "http://localhost:9090")
    grafana = "grafana: {folder: Faces, datasource: {uid: theirs%s}}\nstack: {for: existing}"
    files = rendered(grafana % "")
    assert DATASOURCES not in files
    assert '"value": "theirs"' in files[API_DASHBOARD]
    provider = read_yaml(files["monitoring/grafana/provisioning/dashboards/facemon.yml"])["providers"][0]
    assert provider["folder"] == "Faces"
    (source,) = read_yaml(rendered(grafana % ", name: N, url: 'http://p:1', default: true")[DATASOURCES])["datasources"]
    assert [source[key] for key in ("uid", "name", "url", "isDefault")] == ["theirs", "N", "http://p:1", True]
