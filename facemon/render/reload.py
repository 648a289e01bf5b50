"""Makes running servers read the rendered files again, and asks each of them what it made of the files.

A signal says nothing back: what happened is in the metrics that a server has about its own configuration.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import get_args
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from facemon.config.document import Config
from facemon.config.reload import ReloadConfig, Server
from facemon.config.web_address import origin
from facemon.errors import FacemonError, UsageError
from facemon.regular_file import read_regular
from facemon.render.published_ports import reached_at
from facemon.render.purpose import runs_containers
from facemon.render.replicas import HA_PROFILE, alertmanager_names, prometheus_names
from facemon.render.stack import COMPOSE_FILE

SERVERS: tuple[Server, ...] = get_args(Server)
_USUAL_PORTS: dict[Server, int] = {"prometheus": 9090, "alertmanager": 9093}
_ANSWER_S = 5.0
_COMMAND_S = 60.0
_EVERY_S = 0.1
_LARGEST_PAGE = 16 << 20
_BY_COMPOSE = ReloadConfig(by="compose")
_BY_HAND = "restart the server, or correct stack.reload and run facemon render-config --reload again"
_Command = list[str]


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that has read rendered files, how it is told that there are new ones, and where it says what came."""

    kind: Server
    name: str
    """The service of the compose file."""
    way: ReloadConfig
    url: str
    folder: Path
    """The configuration's, which the path of a pid file is relative to."""
    compose_file: Path

    def __str__(self) -> str:
        """The server in a message."""
        return f"{self.name.capitalize()} at {origin(self.url)}"


@dataclass(frozen=True, slots=True)
class _State:
    """What a server says of its configuration: whether it took the last one, and when it last took one."""

    is_successful: bool
    at: float


def servers_of(config: Config, out_dir: Path, kinds: Sequence[Server] = SERVERS) -> tuple[RunningServer, ...]:
    """The servers that read the files; UsageError where nothing says how an existing one is told."""
    found = tuple(server for kind in kinds for server in _servers(kind, config, out_dir))
    if not found:
        raise UsageError(
            "--reload: stack.reload does not say how the existing servers are reloaded",
            "for example: stack: {reload: {prometheus: {by: systemd, unit: prometheus.service}}}",
        )
    return found


def reload(server: RunningServer, timeout_s: float) -> None:
    """Make a server read its files again; FacemonError if it cannot be reached, or did not take them."""
    before = _state(server)
    _tell(server)
    end = time.monotonic() + timeout_s
    while (now := _state(server)).at == before.at and (now.is_successful or not before.is_successful):
        if time.monotonic() > end:
            break
        time.sleep(_EVERY_S)
    if not now.is_successful:
        raise FacemonError(
            f"{server} rejected the files and keeps using the previous ones: {_metric(server, 'successful')} is 0",
            f"its log says why: {_log_command(server)}",
        )
    if now.at == before.at:
        raise FacemonError(
            f"{server} has not read its files within {timeout_s:g} s after it was told",
            f"is it the server that stack.reload.{server.kind} tells? stack.reload.timeout gives it longer",
        )


def _servers(kind: Server, config: Config, out_dir: Path) -> Iterator[RunningServer]:
    way = config.stack.reload.prometheus if kind == "prometheus" else config.stack.reload.alertmanager
    if way is None and runs_containers(config):
        way = _BY_COMPOSE
    if way is None:
        return
    names = prometheus_names(config) if kind == "prometheus" else alertmanager_names(config)
    is_one = way.url is not None or not runs_containers(config) or way.by in ("systemd", "pid_file")
    for number, name in enumerate(names[:1] if is_one else names, start=1):
        here = reached_at(kind, number, config) if runs_containers(config) else f"http://localhost:{_USUAL_PORTS[kind]}"
        url = (way.url or here).rstrip("/")
        yield RunningServer(kind, name, way, url, config.directory, out_dir / COMPOSE_FILE)


def _metric(server: RunningServer, what: str) -> str:
    return f"{server.kind}_config_last_reload_{what}"


def _state(server: RunningServer) -> _State:
    page = _asked(server, Request(f"{server.url}/metrics"))  # noqa: S310 - the configuration takes http and https only
    figures = []
    for what in ("successful", "success_timestamp_seconds"):
        found = re.search(rf"^{_metric(server, what)} (\S+)$", page, re.MULTILINE)
        if found is None:
            raise FacemonError(
                f"{origin(server.url)} has no metric {_metric(server, what)}: it is not a {server.kind.capitalize()}",
                f"name where it listens: stack.reload.{server.kind}.url",
            )
        figures.append(float(found[1]))
    return _State(figures[0] == 1, figures[1])


def _asked(server: RunningServer, request: Request) -> str:
    # These servers are near; a proxy of the environment is for other addresses.
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(request, timeout=_ANSWER_S) as answer:
            body: bytes = answer.read(_LARGEST_PAGE)
            return body.decode("utf-8", "replace")
    except HTTPError as error:
        with error:
            said = error.read(500).decode("utf-8", "replace").strip()
        raise FacemonError(f"{server} answered {error.code} {error.reason}: {said}", _start_hint(server)) from None
    except (OSError, HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        said = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        raise FacemonError(f"{server} cannot be reached: {said.lower()}", _start_hint(server)) from None


def _start_hint(server: RunningServer) -> str:
    if server.way.by == "compose":
        return f"start it: docker compose -f {server.compose_file} up -d"
    return f"start it, or name where it listens: stack.reload.{server.kind}.url"


def _log_command(server: RunningServer) -> str:
    match server.way.by:
        case "compose":
            return f"docker compose -f {server.compose_file} logs {server.name}"
        case "systemd":
            return f"journalctl -u {server.way.unit}"
        case _:
            return "promtool check config" if server.kind == "prometheus" else "amtool check-config"


def _tell(server: RunningServer) -> None:
    """Let the server know; FacemonError where that fails."""
    match server.way.by:
        case "compose":
            profile = [] if server.name == server.kind else ["--profile", HA_PROFILE]
            _run([*_compose(), "-f", str(server.compose_file), *profile, "kill", "-s", "SIGHUP", server.name], server)
        case "systemd":
            # --kill-who is understood by every version, newer ones call it --kill-whom.
            _run(["systemctl", "kill", "--kill-who=main", "--signal=SIGHUP", server.way.unit or ""], server)
        case "pid_file":
            _signal(server, server.folder / (server.way.pid_file or ""))
        case "endpoint":
            # It answers when it has read the files, with what is wrong about them.
            _asked(server, Request(f"{server.url}/-/reload", method="POST"))  # noqa: S310 - as above


def _compose() -> _Command:
    if shutil.which("docker"):
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise FacemonError(
        "neither docker nor docker-compose is on PATH, and stack.reload is by compose",
        "run render-config --reload where the containers run, or name another way in stack.reload",
    )


def _run(command: _Command, server: RunningServer) -> None:
    shown = " ".join(command)
    try:
        outcome = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_COMMAND_S, check=False
        )
    except FileNotFoundError:
        raise FacemonError(f"{server} was not told: {command[0]} is not on PATH", "install it, or name another way in "
                           "stack.reload") from None  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FacemonError(f"{server} was not told: {shown}: {error}") from error
    if outcome.returncode != 0:
        said = (outcome.stderr or outcome.stdout).strip().splitlines()
        raise FacemonError(
            f"{server} was not told: {shown} ended with {outcome.returncode}{f': {said[-1]}' if said else ''}",
            _BY_HAND,
        )


def _signal(server: RunningServer, file: Path) -> None:
    try:
        text = read_regular(file, 64).decode("ascii", "replace").strip()
    except OSError as error:
        raise FacemonError(f"{server} was not told: {file}: {(error.strerror or str(error)).lower()}") from error
    number = int(text) if re.fullmatch(r"\d{1,9}", text) else 0
    if number < 2:
        raise FacemonError(f"{server} was not told: {file} does not hold the number of a process", _BY_HAND)
    # To most programs the signal is the order to end, and numbers of processes are used again.
    if (name := _program(number)) is not None and server.kind not in name:
        raise FacemonError(f"{server} was not told: process {number} of {file} is {name}", "the file is out of date")
    try:
        os.kill(number, signal.SIGHUP)
    except ProcessLookupError:
        raise FacemonError(f"{server} was not told: there is no process {number}, as {file} says", _BY_HAND) from None
    except PermissionError:
        raise FacemonError(
            f"{server} was not told: process {number} belongs to another user",
            "run render-config --reload as that user",
        ) from None


def _program(number: int) -> str | None:
    """The name of the program that runs as a process; None where the system does not say."""
    try:
        command = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0", 1)[0]
    except OSError:
        return None
    return Path(os.fsdecode(command)).name or None
