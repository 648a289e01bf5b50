"""`render-config --reload` on real servers: what they run on afterwards, and what is said where they do not."""

import json
import os
import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from facemon.config.loader import parse_config
from facemon.errors import ConfigError, FacemonError, UsageError
from facemon.render.reload import reload, servers_of
from tests.conftest import RunFacemon
from tests.servers import Server, run_alertmanager, run_prometheus

pytestmark = [pytest.mark.servers, pytest.mark.slow]
_STAND_IN = """\
#!/bin/sh
echo "$0 $*" >> '{folder}/asked'
if [ -e '{folder}/refuses' ]; then echo 'permission denied' >&2; exit 1; fi
kill -HUP "$(cat '{folder}/prometheus.pid')"
"""


@dataclass
class Stack:
    """Two servers that run on rendered files, and the command that renders them again."""

    facemon: RunFacemon
    folder: Path
    prometheus: Server
    alertmanager: Server

    def render(self, prometheus: str, alerts: str, *options: str) -> CompletedProcess[str]:
        """Render with another `stack.reload.prometheus` and other alerts, and have it loaded."""
        reload = (
            f"prometheus: {{{prometheus}, url: '{self.prometheus.url}'}}, "
            f"alertmanager: {{by: endpoint, url: '{self.alertmanager.url}'}}, timeout: 2s"
        )
        configure(self.folder, f"reload: {{{reload}}}", alerts)
        # A neutral environment is that of a command that needs no new interpreter.
        env = None if "pid_file" in prometheus else {"PATH": f"{self.folder}:{os.environ['PATH']}"}
        return self.facemon("render-config", "--reload", *options, cwd=self.folder, env=env)

    def threshold(self) -> str:
        """What Prometheus compares the drift score with."""
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            f"{self.prometheus.url}/api/v1/rules"
        ) as answer:
            groups = json.load(answer)["data"]["groups"]
        (rule,) = (rule for group in groups for rule in group["rules"] if rule["name"] == "DriftDetected")
        return str(re.findall(r"drift_score(?:\{[^}]*\})? > ([\d.]+)", rule["query"])[0])


def configure(folder: Path, reload: str = "", alerts: str = "{}") -> None:
    text = f"stack: {{for: existing{', ' if reload else ''}{reload}}}\nalerts: {alerts}\n"
    (folder / "facemon.yaml").write_text(text)


@contextmanager
def running(facemon: RunFacemon, servers: Path, folder: Path) -> Iterator[Stack]:
    configure(folder)
    assert facemon("render-config", cwd=folder).returncode == 0
    monitoring = folder / "monitoring"
    with (
        run_prometheus(servers, monitoring / "prometheus/prometheus.yml", folder / "p") as prometheus,
        run_alertmanager(servers, monitoring / "alertmanager/alertmanager.yml", folder / "a") as alertmanager,
    ):
        (folder / "prometheus.pid").write_text(f"{prometheus.process.pid}\n")
        for name in ("docker", "systemctl"):
            (folder / name).write_text(_STAND_IN.format(folder=folder))
            (folder / name).chmod(0o755)
        yield Stack(facemon, folder, prometheus, alertmanager)


@pytest.fixture
def stack(facemon: RunFacemon, each_generation: Path, tmp_path: Path) -> Iterator[Stack]:
    with running(facemon, each_generation, tmp_path) as found:
        yield found


@pytest.mark.long_proof
def test_servers_load_what_was_rendered_and_say_what_they_refuse(stack: Stack) -> None:
    ways = {
        "by: pid_file, pid_file: prometheus.pid": "0.3",
        "by: systemd, unit: p.service": "0.4",
        "by: compose": "0.5",
    }
    for way, threshold in ways.items():
        outcome = stack.render(way, f"{{DriftDetected: {{threshold: {threshold}}}}}")
        assert outcome.returncode == 0, outcome.stderr
        assert f"Prometheus at {stack.prometheus.url} has loaded the files" in outcome.stderr
        assert f"Alertmanager at {stack.alertmanager.url} has loaded the files" in outcome.stderr
        assert stack.threshold() == threshold
    compose = stack.folder / "monitoring/docker-compose.monitoring.yml"
    assert (stack.folder / "asked").read_text().splitlines() == [
        f"{stack.folder}/systemctl kill --kill-who=main --signal=SIGHUP p.service",
        f"{stack.folder}/docker compose -f {compose.relative_to(stack.folder)} kill -s SIGHUP prometheus",
    ]

    broken = '{custom: [{name: Own, expr: "sum(", summary: x}]}'
    # Once that the last configuration was taken, and once that it was not.
    for _ in range(2):
        outcome = stack.render("by: pid_file, pid_file: prometheus.pid", broken)
        assert outcome.returncode == 1
        assert (
            f"Prometheus at {stack.prometheus.url} rejected the files and keeps using the previous ones"
            in outcome.stderr
        )
        assert f"Alertmanager at {stack.alertmanager.url} has loaded the files" in outcome.stderr
        assert stack.threshold() == "0.5"

    routes = stack.folder / "monitoring/alertmanager/alertmanager.yml"
    routes.write_text("route: {receiver: nowhere}\n")
    outcome = stack.render("by: compose", "{}", "--only", "alertmanager")
    assert (outcome.returncode, "was kept" in outcome.stderr) == (1, True)
    assert "has loaded" not in outcome.stderr
    outcome = stack.render("by: compose", "{}", "--force")
    assert outcome.returncode == 0, outcome.stderr
    assert stack.threshold() == "0.2"
    assert "Grafana reads its data sources" not in outcome.stderr


@pytest.fixture(scope="module")
def newer_stack(facemon: RunFacemon, newer_servers: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(facemon, newer_servers, tmp_path_factory.mktemp("newer")) as found:
        yield found


@pytest.mark.parametrize(
    ("way", "pid", "said"),
    [
        # Its signal would end the test.
        ("by: pid_file, pid_file: x.pid", str(os.getpid()), "is python"),
        ("by: pid_file, pid_file: x.pid", "999999999", "there is no process 999999999"),
        ("by: pid_file, pid_file: x.pid", "1", "does not hold the number of a process"),
        ("by: pid_file, pid_file: x.pid", "-1", "does not hold the number of a process"),
        ("by: pid_file, pid_file: x.pid", None, "no such file or directory"),
        ("by: compose", None, "kill -s SIGHUP prometheus ended with 1: permission denied"),
        ("by: systemd, unit: p", None, "--signal=SIGHUP p ended with 1: permission denied"),
    ],
    # Without the process's number, by which the tests of parallel workers would differ.
    ids=["another program", "none", "the first", "negative", "missing", "compose", "systemd"],
)
def test_a_server_that_was_not_told_is_an_error(
    newer_stack: Stack, way: str, pid: str | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (newer_stack.folder / "refuses").touch()
    monkeypatch.setenv("PATH", str(newer_stack.folder), prepend=":")
    file = newer_stack.folder / "x.pid"
    file.unlink(missing_ok=True)
    if pid is not None:
        file.write_text(pid)
    url = newer_stack.prometheus.url
    fault = fault_of(f"{way}, url: '{url}'", newer_stack.folder)
    assert fault.startswith(f"Prometheus at {url} was not told: ")
    assert said in fault


def fault_of(way: str, folder: Path) -> str:
    """What is said where Prometheus is not reloaded in this way."""
    config = parse_config(f"stack: {{reload: {{prometheus: {{{way}}}}}}}", name="facemon.yaml", directory=folder)
    (server,) = servers_of(config, folder, ["prometheus"])
    with pytest.raises(FacemonError) as caught:
        reload(server, 2)
    return caught.value.message


def test_what_is_not_there_or_is_another_server_is_an_error(newer_stack: Stack) -> None:
    for url, said in (
        ("http://127.0.0.1:1", "Prometheus at http://127.0.0.1:1 cannot be reached: connection refused"),
        (newer_stack.alertmanager.url, "it is not a Prometheus"),
        (f"{newer_stack.prometheus.url}/nothing", "answered 404"),
    ):
        assert said in fault_of(f"by: systemd, unit: p, url: '{url}'", newer_stack.folder)


def test_without_docker_the_way_by_compose_says_so(newer_stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "neither docker nor docker-compose" in fault_of(
        f"by: compose, url: '{newer_stack.prometheus.url}'", newer_stack.folder
    )
    assert "systemctl is not on PATH" in fault_of(
        f"by: systemd, unit: p, url: '{newer_stack.prometheus.url}'", newer_stack.folder
    )


def test_each_replica_of_the_stack_is_told_where_it_is_open(tmp_path: Path) -> None:
    ports = "first_port: 4000, listen: 0.0.0.0, reload: {alertmanager: {by: endpoint}}"
    text = f"prometheus: {{replicas: 2}}\nalertmanager: {{replicas: 2}}\nstack: {{{ports}}}"
    config = parse_config(text, name="facemon.yaml", directory=tmp_path)
    assert [(server.name, server.url) for server in servers_of(config, tmp_path)] == [
        ("prometheus", "http://127.0.0.1:4001"),
        ("prometheus-2", "http://127.0.0.1:4008"),
        ("alertmanager", "http://127.0.0.1:4002"),
        ("alertmanager-2", "http://127.0.0.1:4009"),
    ]


def test_an_existing_server_is_not_guessed(tmp_path: Path) -> None:
    config = parse_config("stack: {for: existing}", name="facemon.yaml", directory=tmp_path)
    with pytest.raises(UsageError, match=r"stack\.reload does not say how"):
        servers_of(config, tmp_path)


@pytest.mark.parametrize(
    ("reload", "said"),
    [
        ("prometheus: {by: endpoint, url: 'http://h:9090'}", "Prometheus opens /-/quit"),
        ("alertmanager: {by: endpoint, pid_file: p}", "alertmanager.pid_file: is not read where by is endpoint"),
        ("prometheus: {by: systemd}", "prometheus.unit: is missing"),
        ("prometheus: {by: pid_file}", "prometheus.pid_file: is missing"),
        ("prometheus: {by: compose, unit: p}", "prometheus.unit: is not read where by is compose"),
        ("prometheus: {by: systemd, unit: --force}", "prometheus.unit"),
    ],
)
def test_a_way_that_lacks_something_is_refused(reload: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(f"stack: {{reload: {{{reload}}}}}", name="facemon.yaml", directory=tmp_path)
    assert said in caught.value.message
