"""Asks docker-compose itself, which merges and checks compose files without an engine."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from facemon.render.local_files import make_local_files
from facemon.render.purpose import runs_containers
from facemon.render.stack import COMPOSE_FILE, FULL_COMPOSE_FILE, Part
from tests.render.configurations import CONFIGURATIONS, DEFAULTS, REPLICATED, config_of, stack_of
from tests.render.random_configurations import sampled

pytestmark = pytest.mark.servers
VARIABLES = ("FACEMON_USER", "FACEMON_SOURCE")


def understood(servers: Path, folder: Path, file: str, *options: str) -> dict[str, Any]:
    """What docker-compose makes of a file, as it would hand it to the engine."""
    program = servers / "usr/libexec/docker/cli-plugins/docker-compose"
    command = [str(program), "-f", file, *options, "config", "--format", "json"]
    neutral = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    outcome = subprocess.run(command, cwd=folder, env=neutral, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stderr == ""
    content: dict[str, Any] = json.loads(outcome.stdout)
    return content


def written(text: str, folder: Path) -> Path:
    for path, content in stack_of(text, Part.COMPOSE).files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(content)
    make_local_files(config_of(text), folder)
    return folder


@pytest.mark.parametrize("text", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_it_accepts_both_files(text: str, newer_servers: Path, tmp_path: Path) -> None:
    folder = written(text, tmp_path)
    monitoring = understood(newer_servers, folder, COMPOSE_FILE)
    if not (folder / FULL_COMPOSE_FILE).exists():
        return
    full = understood(newer_servers, folder, FULL_COMPOSE_FILE)
    assert set(full["services"]) == {*monitoring["services"], "api", "exporter"}
    # Going from one file to the other keeps containers and what they stored.
    assert full["name"] == monitoring["name"]
    assert full["volumes"] == monitoring["volumes"]


def with_containers(count: int) -> list[str]:
    """The first random configurations for which containers are rendered, which is so of most."""
    found = [text for text in sampled(4 * count, seed=6) if runs_containers(config_of(text))]
    return found[:count]


@pytest.mark.parametrize("number", range(6))
def test_it_accepts_both_files_of_any_configuration(number: int, newer_servers: Path, tmp_path: Path) -> None:
    folder = written(with_containers(6)[number], tmp_path)
    for file in (path for path in (COMPOSE_FILE, FULL_COMPOSE_FILE) if (folder / path).exists()):
        understood(newer_servers, folder, file, "--profile", "ha")


def test_the_profile_starts_the_second_servers(newer_servers: Path, tmp_path: Path) -> None:
    folder = written(REPLICATED, tmp_path)
    alone = understood(newer_servers, folder, COMPOSE_FILE)["services"]
    together = understood(newer_servers, folder, COMPOSE_FILE, "--profile", "ha")["services"]
    assert set(together) - set(alone) == {"prometheus-2", "alertmanager-2", "alertmanager-3", "grafana-2"}


def test_names_of_containers_are_the_machines_own_only_where_these_do_not_run(
    newer_servers: Path, tmp_path: Path
) -> None:
    folder = written(DEFAULTS, tmp_path)
    hosts = {
        file: {
            host.split("=")[0]
            for host in understood(newer_servers, folder, file)["services"]["prometheus"]["extra_hosts"]
        }
        for file in (COMPOSE_FILE, FULL_COMPOSE_FILE)
    }
    assert {"api", "exporter", "host.docker.internal"} == hosts[COMPOSE_FILE]
    assert "host.docker.internal" in hosts[FULL_COMPOSE_FILE]
    assert not {"api", "exporter"} & hosts[FULL_COMPOSE_FILE]


def test_it_reads_texts_limits_and_variables_as_they_are_meant(newer_servers: Path, tmp_path: Path) -> None:
    folder = written(DEFAULTS.replace("}", ", root_url: 'http://g.example/$HOME'}"), tmp_path)
    services = understood(newer_servers, folder, FULL_COMPOSE_FILE)["services"]
    # Escaped still, because what is printed is a compose file again.
    assert services["grafana"]["environment"]["GF_SERVER_ROOT_URL"] == "http://g.example/$$HOME"
    assert services["api"]["user"] == "10001:10001"
    assert services["api"]["build"]["context"] == str(folder)
    assert services["prometheus"]["deploy"]["resources"]["limits"] == {"cpus": 1, "memory": str(2 << 30), "pids": 256}
    assert services["prometheus"]["ports"][0]["host_ip"] == "127.0.0.1"


def test_paths_of_both_files_are_found_from_where_each_lies(newer_servers: Path, tmp_path: Path) -> None:
    content = understood(newer_servers, written(REPLICATED, tmp_path), FULL_COMPOSE_FILE)
    mounts = {mount["target"]: mount["source"] for mount in content["services"]["prometheus"]["volumes"]}
    assert mounts["/etc/prometheus"] == str(tmp_path / "monitoring/prometheus")
    api = {mount["target"]: mount["source"] for mount in content["services"]["api"]["volumes"]}
    assert api["/srv/faces/facemon.yaml"] == str(tmp_path / "facemon.yaml")
    assert content["secrets"]["api_tokens"]["file"] == str(tmp_path / "secrets/api_tokens")
    assert content["secrets"]["the-key.pem"]["file"] == str(tmp_path / "secrets/the key.pem")
