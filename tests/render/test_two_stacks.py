"""Two stacks on one machine: whatever the engine, Grafana or a scheduler knows by a name or a number, only one has."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import PurePosixPath
from typing import Any

import pytest

from facemon.config.stack import PORTS_OF_A_STACK
from facemon.render.lint import lint
from facemon.render.published_ports import first_port, published_port
from facemon.render.purpose import fitted
from facemon.render.stack import COMPOSE_FILE, FULL_COMPOSE_FILE, Part, part_of, render_stack
from tests.read_yaml import read_all_yaml, read_yaml
from tests.render.configurations import DIRECTORY, config_of, stack_of

EVERY_SERVICE = """\
prometheus: {replicas: 9, jobs: [api, exporter, node, cadvisor, prometheus, alertmanager, pushgateway]}
alertmanager: {replicas: 9}
grafana: {database: {password_file: secrets/database}}
"""
STACKS = ("", "stack: {name: a}", "stack: {name: b}", "stack: {name: north-1, first_port: 4000}")
LONGEST = "stack: {name: abcdefgh-1234567}"
EVERY_SCHEDULE = """\
schedule:
  targets: [cron, systemd, github, airflow, kubernetes]
  directory: /srv/faces
  export: {textfile: /var/lib/node_exporter/faces.prom}
  shards: {manifest: /manifests/m.parquet, claim: manifests, number: 4, deliver: "s3://logs/m/"}
"""
WORKFLOWS = ".github/workflows/"
OF_ONE_JOB = "facemon-drift"
"""A folder below the one that the runner empties for each job of a workflow."""


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


def scheduled(stack: str) -> dict[str, str]:
    files = render_stack(config_of(EVERY_SCHEDULE + stack), only=[Part.SCHEDULES]).files
    assert all(part_of(path) is Part.SCHEDULES for path in files)
    return dict(files)


def known_to_schedulers(stack: str) -> set[str]:
    """What cron, systemd, GitHub, Airflow and Kubernetes know of a stack: each kind of thing and its name."""
    files = scheduled(stack)
    found = [f"file {path}" for path in files if not path.startswith("schedules/kubernetes/")]
    cron = "".join(text for path, text in files.items() if path.startswith("schedules/cron/"))
    found += [f"tag {tag}" for tag in re.findall(r"logger --tag ([\w-]+)", cron)]
    found += [f"file {path}" for path in re.findall(r"Copy this file to (/etc/cron.d/[\w-]+)", cron)]
    (workflow,) = (read_yaml(text) for path, text in files.items() if path.startswith(WORKFLOWS))
    _, tell, keep = workflow["jobs"]["drift-check"]["steps"]
    found += [f"workflow {workflow['name']}", f"group {workflow['concurrency']['group']}"]
    found += [f"label {tell['env']['LABEL']}", f"title {tell['env']['TITLE']}", f"artifact {keep['with']['name']}"]
    (dag,) = (text for path, text in files.items() if path.startswith("schedules/airflow/"))
    found += [f"DAG {name}" for name in re.findall(r'dag_id="(\w+)"', dag)]
    found += {name for path in files if path.startswith("schedules/kubernetes/") for name in objects(files[path])}
    assert len(found) == len(set(found)) == 7 + 3 + 5 + 1 + 4
    return set(found)


def objects(text: str) -> Iterator[str]:
    """The objects that a file of Kubernetes makes, and the ConfigMap that a person makes for it."""
    (config_map,) = re.findall(r"kubectl create configmap (\S+)", text)
    yield f"ConfigMap {config_map}"
    claims = set()
    for document in read_all_yaml(text):
        yield f"{document['kind']} {document['metadata']['name']}"
        if document["kind"] == "PersistentVolumeClaim":
            claims.add(document["metadata"]["name"])
            continue
        job = document["spec"].get("jobTemplate", document)["spec"]
        volumes = {each["name"]: each for each in job["template"]["spec"]["volumes"]}
        assert volumes["configuration"]["configMap"]["name"] == config_map
        # The claim of a manifest has the name that the configuration gives it.
        assert volumes.get("manifest") or {volumes["store"]["persistentVolumeClaim"]["claimName"]} == claims


def test_two_stacks_share_no_unit_object_dag_or_file_of_a_schedule() -> None:
    known = {stack: known_to_schedulers(stack) for stack in (*STACKS, LONGEST)}
    for first, second in combinations(known, 2):
        assert known[first] & known[second] == set(), (first, second)


def test_no_word_of_ours_in_one_schedule_is_in_another_ones() -> None:
    """Also of names that the test above does not know of: all begin with facemon, and go on with what they are for."""
    words = {
        stack: {word for text in scheduled(stack).values() for word in re.findall(r"facemon[-_][\w-]+", text)}
        for stack in STACKS
    }
    for first, second in combinations(STACKS, 2):
        assert words[first] & words[second] == {OF_ONE_JOB}, (first, second)


def test_labels_tell_the_pods_of_named_stacks_apart() -> None:
    for stack, instance in (("", None), ("stack: {name: a}", "a")):
        files = scheduled(stack)
        for path in ("schedules/kubernetes/drift-check.yaml", "schedules/kubernetes/predict-shards.yaml"):
            for document in read_all_yaml(files[path]):
                pods = document["spec"].get("jobTemplate", document)["spec"].get("template", document)
                for each in (document, pods):
                    assert each["metadata"]["labels"].get("app.kubernetes.io/instance") == instance, path


@pytest.mark.parametrize("stack", [*STACKS, LONGEST])
def test_each_scheduler_takes_the_names(stack: str) -> None:
    patterns = {
        "file": r"[A-Za-z0-9_.:/-]{1,255}",
        # Longer tags are cut.
        "tag": r"[a-z0-9-]{1,48}",
        "workflow": r"[a-z0-9 -]+",
        "group": r"[a-z0-9-]+",
        "label": r"[a-z0-9-]{1,50}",
        "title": r".{1,256}",
        "artifact": r"[a-z0-9-]+",
        "DAG": r"[a-z_][a-z0-9_]{0,249}",
        # A CronJob's Jobs add eleven characters to its name, and pods of an Indexed Job their index and six characters.
        "CronJob": r"[a-z0-9]([a-z0-9-]{0,50}[a-z0-9])?",
        "Job": r"[a-z0-9]([a-z0-9-]{0,49}[a-z0-9])?",
        "ConfigMap": r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
        "PersistentVolumeClaim": r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
    }
    found = known_to_schedulers(stack)
    assert {each.partition(" ")[0] for each in found} == set(patterns)
    for each in found:
        kind, _, name = each.partition(" ")
        assert re.fullmatch(patterns[kind], name), each
    for path in scheduled(stack):
        name = PurePosixPath(path).name
        if path.startswith("schedules/cron/"):
            # Debian's cron takes no file of /etc/cron.d with another character in its name.
            assert re.fullmatch(r"[A-Za-z0-9_-]+", name)
        if path.startswith("schedules/airflow/"):
            assert PurePosixPath(path).stem.isidentifier()
