"""A server that runs while it is measured: started, waited for, put under load, stopped with all its processes."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from benchmarks.command import FACEMON
from benchmarks.http_connection import body_of
from benchmarks.load_generator import Load, Outcome
from benchmarks.process_tree import cpu_seconds_of_tree, tree

_ROOT = Path(__file__).resolve().parent.parent
_START_S, _LOADING_S, _STOP_S = 60, 10, 30
_LOOK_AROUND_S = 1
_REST = 0.1
"""The share of a core that a server may use while nothing is asked of it."""
_WORKERS_OPTION = "--workers"


@dataclass(frozen=True, slots=True)
class Server:
    """How a server is started; `{port}` in its command and its environment is where it is to listen."""

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str]
    field: str | None = None
    """The field of a form that it takes images as; none = as the body."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers."""

    process: int
    port: int
    field: str | None

    def load(
        self,
        images: Path,
        count: int,
        connections: int,
        *,
        rate: float | None = None,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> Outcome:
        """Put it under load from a process of its own; `meanwhile` is called every second until that ends."""
        plan = json.dumps(asdict(Load(self.port, self.process, str(images), count, connections, rate, self.field)))
        command = [sys.executable, "-m", "benchmarks.load_generator", plan]
        with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as generator:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    answer, _ = generator.communicate(timeout=_LOOK_AROUND_S)
                    break
                meanwhile()
        if generator.returncode:
            raise RuntimeError(f"the load generator ended with {generator.returncode}")
        return Outcome(**json.loads(answer))

    def answer(self, image: bytes) -> Any:
        """What it says of an image."""
        kind, body = body_of(image, self.field)
        request = Request(f"http://127.0.0.1:{self.port}/predict", body, {"Content-Type": kind})
        with urlopen(request, timeout=_START_S) as response:  # noqa: S310 - ours, and http
            return json.load(response)


def facemon_servers() -> list[Server]:
    """`facemon serve` as it comes, or with one worker and with two where it has that option."""
    serve: list[str | Path] = [FACEMON, "serve", "--listen", "127.0.0.1:{port}"]
    described = subprocess.run([FACEMON, "serve", "--help"], capture_output=True, text=True, check=True).stdout
    choices: list[list[str]] = [[]]
    if _WORKERS_OPTION in described:
        choices = [[_WORKERS_OPTION, "1"], [_WORKERS_OPTION, "2"]]
    return [Server(" ".join(["facemon serve", *more]), [*serve, *more], os.environ) for more in choices]


def with_workers(count: int, configuration: Path | None = None) -> Server:
    """`facemon serve` with so many workers, by another configuration than the folder's if one is named."""
    chosen: list[str | Path] = ["-c", configuration] if configuration else []
    options = ["--listen", "127.0.0.1:{port}", _WORKERS_OPTION, str(count)]
    return Server(f"facemon serve {_WORKERS_OPTION} {count}", [FACEMON, *chosen, "serve", *options], os.environ)


@contextmanager
def running(server: Server, folder: Path) -> Iterator[Running]:
    """Start a server in a folder; RuntimeError where it does not answer. What it says goes to `server.log` there."""
    port = _free_port()
    command = [str(part).format(port=port) for part in server.command]
    environment = {name: value.replace("{port}", str(port)) for name, value in server.environment.items()}
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait_until_it_answers(process, port, server.name, folder / "server.log")
        _wait_until_it_rests(process)
        yield Running(process.pid, port, server.field)
    finally:
        _stop(process)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, name: str, log: Path) -> None:
    """Any answer will do, since not all have the same path for it."""
    deadline = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < deadline:
        connection = HTTPConnection("127.0.0.1", port, timeout=_START_S)
        with suppress(OSError, HTTPException):
            connection.request("GET", "/health")
            connection.getresponse().read()
            return
        connection.close()
        time.sleep(0.1)
    raise RuntimeError(f"{name} does not answer: {log.read_text()[-1000:]}")


def _wait_until_it_rests(process: subprocess.Popen[bytes]) -> None:
    """The first worker answers while others still load, which is no request's cost; some servers never rest."""
    deadline = time.monotonic() + _LOADING_S
    before = cpu_seconds_of_tree(process.pid)
    while time.monotonic() < deadline:
        time.sleep(_LOOK_AROUND_S)
        now = cpu_seconds_of_tree(process.pid)
        if now - before < _REST * _LOOK_AROUND_S:
            return
        before = now


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, and end what of it is left."""
    family = list(tree(process.pid))
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_S)
    for each in reversed(family):
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    process.wait()
