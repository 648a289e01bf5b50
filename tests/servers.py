"""Runs the real monitoring servers for tests: on 127.0.0.1, with all they store in the test's folder.

Each gets a free port, or the `port` that it is given: a server that is started again is found where it was.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.patience import HANG_S
from tests.serving import Sink

Sample = tuple[dict[str, str], float]
Body = dict[str, Any]

READY_WITHIN_S = HANG_S
STOPPED_WITHIN_S = HANG_S
ATTEMPTS = 3
SELDOM_COLLECTED = {"GOGC": "400"}
"""Go collects garbage for a quarter of the time that promtool needs for many tests of rules."""

# A proxy of the machine must not come between the test and its own servers.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers at `url` (no slash at the end) and writes what it says to `log`."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path


class ServerError(Exception):
    """A server that did not do what every test relies on, with the tail of its log."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def run_prometheus(
    tools: Path,
    config_file: Path,
    folder: Path,
    *,
    extra_args: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    port: int | None = None,
) -> Iterator[Server]:
    """Run Prometheus; one that is started again in the same folder finds the samples of the one before."""

    def command(port: int, storage: Path) -> list[str]:
        listen = f"--web.listen-address=127.0.0.1:{port}"
        # New targets are otherwise looked at every 5 seconds only, the first ones too.
        discovery = "--scrape.discovery-reload-interval=100ms"
        options = [f"--config.file={config_file.resolve()}", f"--storage.tsdb.path={storage}", listen, discovery]
        return [_binary(tools, "prometheus"), *options, *extra_args]

    with _running("prometheus", tools, folder, command, "/-/ready", env, port) as server:
        yield server


@contextmanager
def run_alertmanager(
    tools: Path,
    config_file: Path,
    folder: Path,
    *,
    extra_args: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    port: int | None = None,
) -> Iterator[Server]:
    """Run Alertmanager, alone unless `extra_args` give it a `--cluster.listen-address`."""

    def command(port: int, storage: Path) -> list[str]:
        listen = f"--web.listen-address=127.0.0.1:{port}"
        clustered = any(arg.startswith("--cluster.listen-address=") for arg in extra_args)
        cluster = [] if clustered else ["--cluster.listen-address="]
        options = [f"--config.file={config_file.resolve()}", f"--storage.path={storage}", listen, *cluster]
        return [_binary(tools, "prometheus-alertmanager"), *options, *extra_args]

    with _running("alertmanager", tools, folder, command, "/-/ready", env, port) as server:
        yield server


@contextmanager
def run_pushgateway(
    tools: Path, folder: Path, *, extra_args: Sequence[str] = (), port: int | None = None
) -> Iterator[Server]:
    """Run a Pushgateway."""

    def command(port: int, _storage: Path) -> list[str]:
        return [_binary(tools, "prometheus-pushgateway"), f"--web.listen-address=127.0.0.1:{port}", *extra_args]

    with _running("pushgateway", tools, folder, command, "/-/ready", port=port) as server:
        yield server


@contextmanager
def run_node_exporter(
    tools: Path, textfile_folder: Path, folder: Path, *, extra_args: Sequence[str] = (), port: int | None = None
) -> Iterator[Server]:
    """Run a node-exporter that also reads the `.prom` files in `textfile_folder`."""

    def command(port: int, _storage: Path) -> list[str]:
        listen = f"--web.listen-address=127.0.0.1:{port}"
        textfile = f"--collector.textfile.directory={textfile_folder.resolve()}"
        return [_binary(tools, "prometheus-node-exporter"), listen, textfile, *extra_args]

    with _running("node-exporter", tools, folder, command, "/metrics", port=port) as server:
        yield server


def promtool(tools: Path, *args: str | Path, patience_s: float = HANG_S) -> subprocess.CompletedProcess[str]:
    """Run promtool to its end, whatever its exit status."""
    return _run_to_end([_binary(tools, "promtool"), *map(str, args)], patience_s)


def amtool(tools: Path, *args: str | Path) -> subprocess.CompletedProcess[str]:
    """Run amtool to its end, whatever its exit status."""
    return _run_to_end([_binary(tools, "amtool"), *map(str, args)])


def query(server_url: str, promql: str) -> list[Sample]:
    """Ask Prometheus for the value now of each series; raises ValueError with its words for a bad expression."""
    parameters = urllib.parse.urlencode({"query": promql})
    try:
        with _direct.open(f"{server_url}/api/v1/query?{parameters}", timeout=HANG_S) as answer:
            data = json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        with error:
            raise ValueError(f"{promql}: {error.read().decode()}") from error
    if data["resultType"] == "scalar":
        return [({}, float(data["result"][1]))]
    if data["resultType"] != "vector":
        raise ValueError(f"{promql}: a {data['resultType']} has no value now")
    return [(series["metric"], float(series["value"][1])) for series in data["result"]]


def wait_for_query(
    server_url: str, promql: str, satisfies: Callable[[list[Sample]], bool] = bool, *, timeout_s: float = HANG_S
) -> list[Sample]:
    """Ask until the samples satisfy the predicate (default: there are any), and return them."""
    deadline = time.monotonic() + timeout_s
    while True:
        samples = query(server_url, promql)
        if satisfies(samples):
            return samples
        if time.monotonic() > deadline:
            raise TimeoutError(f"{promql}: after {timeout_s} s still {samples}")
        time.sleep(0.1)


def post_alerts(alertmanager_url: str, *alerts: Body) -> None:
    """Give alerts to an Alertmanager as Prometheus does; without `endsAt` they fire for five minutes."""
    request = urllib.request.Request(
        f"{alertmanager_url}/api/v2/alerts", json.dumps(alerts).encode(), {"Content-Type": "application/json"}
    )
    with _direct.open(request, timeout=HANG_S):
        pass


def alerts_at(alertmanager_url: str) -> list[Body]:
    """The alerts that an Alertmanager has, each with its `status`."""
    with _direct.open(f"{alertmanager_url}/api/v2/alerts", timeout=HANG_S) as answer:
        found: list[Body] = json.load(answer)
        return found


def firing_at(prometheus_url: str) -> list[Body]:
    """The alerts that fire in a Prometheus."""
    with _direct.open(f"{prometheus_url}/api/v1/alerts", timeout=HANG_S) as answer:
        return [alert for alert in json.load(answer)["data"]["alerts"] if alert["state"] == "firing"]


class WebhookReceiver(Sink[Body]):
    """A real HTTP server that keeps the JSON bodies posted to it.

    What it `answers` is 200; with another status it refuses, and keeps nothing.
    """

    def __init__(self) -> None:
        self.headers: list[Message] = []
        self.answers = 200
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        super().__init__(server)
        self.url = f"http://127.0.0.1:{server.server_port}/"

    @property
    def bodies(self) -> list[Body]:
        """What has arrived so far, oldest first."""
        return self.arrived

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                # Answered before it is recorded: a test that stops at once does not cut the sender off. The body is
                # what Alertmanager wants to hear from Slack; to others it is as good as none.
                status = receiver.answers
                self.send_response(status)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")
                if status != 200:
                    return
                receiver.headers.append(self.headers)
                receiver.keep(body)

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                """Say nothing: the bodies are the record."""

        return Handler


def _binary(tools: Path, name: str) -> str:
    return str(tools.resolve() / "usr/bin" / name)


def _run_to_end(command: list[str], patience_s: float = HANG_S) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=os.environ | SELDOM_COLLECTED,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=patience_s,
        check=False,
    )


@contextmanager
def _running(
    name: str,
    tools: Path,
    folder: Path,
    command: Callable[[int, Path], list[str]],
    ready_path: str,
    env: Mapping[str, str] | None = None,
    port: int | None = None,
) -> Iterator[Server]:
    storage = folder.resolve() / name
    storage.mkdir(parents=True, exist_ok=True)
    log = folder / f"{name}.log"
    ports = free_port if port is None else lambda: port
    server = _started(
        tools, log, ports, lambda at: command(at, storage), ready_path, os.environ | SELDOM_COLLECTED | dict(env or {})
    )
    passed = False
    try:
        yield server
        passed = True
    finally:
        _stop(server.process)
        if not passed:
            sys.stderr.write(f"--- {name}, last lines ---\n{_tail(log)}\n")


def _started(
    tools: Path,
    log: Path,
    ports: Callable[[], int],
    command: Callable[[int], list[str]],
    ready_path: str,
    env: Mapping[str, str],
) -> Server:
    for _ in range(ATTEMPTS):
        port = ports()
        with log.open("ab") as output:
            # The working directory is where the unpacked Alertmanager looks for its templates.
            process = subprocess.Popen(
                command(port), cwd=tools, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        server = Server(f"http://127.0.0.1:{port}", process, log)
        ready = False
        try:
            ready = _becomes_ready(server, ready_path)
        finally:
            if not ready:
                _stop(process)
        if ready:
            return server
        # Between free_port and the start another process may have taken the port: only that is worth another try.
        if "address already in use" not in _tail(log):
            break
    raise ServerError(f"{log.stem} (exit status {process.returncode}) was not ready:\n{_tail(log)}")


def _becomes_ready(server: Server, ready_path: str) -> bool:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline and server.process.poll() is None:
        # Refused, reset or 503: not ready yet.
        with suppress(OSError), _direct.open(server.url + ready_path, timeout=2):
            return server.process.poll() is None
        time.sleep(0.05)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOPPED_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _tail(log: Path, lines: int = 25) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
