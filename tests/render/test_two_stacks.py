"""Two stacks on one machine: whatever the engine or Grafana knows by a name or a number, only one of them has."""

import json
import re
from itertools import combinations
from typing import Any

import pytest

from facemon.config.stack import PORTS_OF_A_STACK
from facemon.render.lint import lint
from facemon.render.published_ports import first_port, published_port
from facemon.render.purpose import fitted
from facemon.render.stack import COMPOSE_FILE, FULL_COMPOSE_FILE, render_stack
from tests.read_yaml import read_yaml
from tests.render.configurations import DIRECTORY, config_of, stack_of

EVERY_SERVICE = """\
prometheus: {replicas: 9, jobs: [api, exporter, node, cadvisor, prometheus, alertmanager, pushgateway]}
alertmanager: {replicas: 9}
grafana: {database: {password_file: secrets/database}}
"""
STACKS = ("", "stack: {name: a}", "stack: {name: b}", "stack: {name: north-1, first_port: 4000}")


def known_to_the_machine(stack: str) -> set[str]:
    files = stack_of(EVERY_SERVICE + stack).files
    monitoring, full = (read_yaml(files[path]) for path in (COMPOSE_FILE, FULL_COMPOSE_FILE))
    assert monitoring["name"] == full["name"]
    services: dict[str, Any] = {**monitoring["services"], **full["services"]}
    names = [f"container {service['container_name']}" for service in services.values()]
    ports = [f"port {port.split(':')[1]}" for service in services.values() for port in service.get("ports", ())]
    # Compose puts the project before the names of volumes and networks.
    volumes = [f"volume {monitoring['name']}_{volume}" for volume in monitoring["volumes"]]
    uids = [f"uid {json.loads(text)['uid']}" for path, text in files.items() if path.endswith(".json")]
    sources = read_yaml(files["monitoring/grafana/provisioning/datasources/prometheus.yml"])["datasources"]
    uids += [f"uid {source['uid']}" for source in sources]
    found = [*names, *ports, *volumes, *uids, f"project {monitoring['name']}"]
    assert len(set(found)) == len(found)
    assert len(ports) == 9 + 9 + 2 + 3
    return set(found)


def test_two_stacks_share_no_name_port_volume_or_uid() -> None:
    known = {stack: known_to_the_machine(stack) for stack in STACKS}
    for first, second in combinations(STACKS, 2):
        assert known[first] & known[second] == set(), (first, second)


def test_a_block_holds_every_port_of_a_stack() -> None:
    config = config_of("stack: {first_port: 4000}")
    ports = {
        published_port(service, number, config)
        for service, most in (("prometheus", 9), ("alertmanager", 9), ("grafana", 2), ("api", 1), ("exporter", 1))
        for number in range(1, most + 1)
    }
    assert ports <= set(range(4000, 4000 + PORTS_OF_A_STACK))
    assert len(ports) == 22


def test_blocks_of_names_do_not_overlap() -> None:
    found = {first_port(config_of(f"stack: {{name: s{number}}}")) for number in range(60)}
    assert len(found) > 50
    for first, second in combinations(sorted(port for port in found if port), 2):
        assert second - first >= PORTS_OF_A_STACK
    assert all(port and 10_000 <= port <= 32_000 for port in found)


def test_links_of_a_named_stack_lead_to_its_own_grafana_and_dashboards() -> None:
    config = fitted(config_of("stack: {name: north}\nprometheus: {jobs: [exporter]}"), DIRECTORY)
    stack = render_stack(config)
    assert lint(stack, config) == ()
    own = {json.loads(text)["uid"] for path, text in stack.files.items() if path.endswith(".json")}
    assert own == {"facemon-ml-metrics-north", "facemon-system-metrics-north"}
    rules = stack.files["monitoring/prometheus/alert_rules.yml"]
    assert set(re.findall(r"dashboard_url: (\S+)/d/(\S+)", rules)) == {(config.grafana.root_url, uid) for uid in own}
    assert config.grafana.root_url == f"http://localhost:{first_port(config)}"
    assert any(str(first_port(config)) in note for note in stack.notes)


def test_ports_that_the_configuration_names_stay() -> None:
    text = 'stack: {name: a}\napi: {listen: "127.0.0.1:8123"}\ngrafana: {root_url: "https://g.example"}'
    files = stack_of(text).files
    assert read_yaml(files[FULL_COMPOSE_FILE])["services"]["api"]["ports"] == ["127.0.0.1:8123:8123"]
    assert "https://g.example/d/" in files["monitoring/prometheus/alert_rules.yml"]


@pytest.mark.parametrize("name", ["North", "a_b", "-a", "a-", "x" * 17, "", "a.b"])
def test_a_name_that_compose_or_grafana_would_not_take_is_refused(name: str) -> None:
    with pytest.raises(Exception, match=r"stack\.name"):
        config_of(f"stack: {{name: '{name}'}}")


def test_selinux_labels_what_is_mounted_and_never_the_machines_own_files() -> None:
    files = stack_of("stack: {selinux: true}\napi: {tokens_file: secrets/t}").files
    for path in (COMPOSE_FILE, FULL_COMPOSE_FILE):
        content = read_yaml(files[path])
        assert "secrets" not in content
        for service in content["services"].values():
            assert "secrets" not in service
            sees_the_machine = any(str(mount).startswith("/:") for mount in service["volumes"])
            assert ("label:disable" in service["security_opt"]) == sees_the_machine
            for mount in service["volumes"]:
                if isinstance(mount, dict):
                    assert mount["bind"]["selinux"] == "z"
                else:
                    is_ours = mount.startswith("./")
                    assert mount.endswith(",z") == is_ours, mount
