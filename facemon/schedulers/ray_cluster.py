"""The scheduler `ray`: actors on the nodes of a cluster of Ray, or of one that is started here for the run."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from facemon import message_socket
from facemon.errors import FacemonError, UsageError
from facemon.forked_process import AnsweringProcess, ProcessEnded
from facemon.schedulers.ray_settings import HINT, refuse_no_tokens, settings_of
from facemon.schedulers.scheduler import Event, OpensShards, Placement, Workers

_REACHED_S = 10.0
"""The longest until the port of a cluster takes a connection."""
_OPENED_S, _STARTED_S = 60.0, 300.0
"""The longest until a cluster has answered, and until one has started here."""
_ANSWERED_S = 120.0
"""The longest until the process that speaks to Ray has done what takes it a moment."""
_ENDED_S = 30.0
"""The longest until it has ended by itself; then it is killed, and a cluster that it has started ends with it."""
_LONGEST_FOLDER = 40
"""Characters: Ray's sockets lie 60 further below, and their paths may have 107."""


class RayCluster:
    """Nodes that `ray start` has joined into a cluster."""

    name = "ray"

    def refuse(self, placement: Placement) -> None:
        """Refuse a machine without Ray, addresses of another form, and clusters without tokens."""
        if find_spec("ray") is None:
            raise UsageError("--engine ray needs the package ray", HINT)
        if placement.address is None:
            return
        if placement.address != "auto":
            _host_and_port(placement.address)
        refuse_no_tokens()

    @contextmanager
    def opened(self, open_shards: OpensShards, placement: Placement) -> Iterator[Workers]:
        """Speak to the cluster by a process of its own; FacemonError where it does not answer in time."""
        if placement.address not in (None, "auto"):
            _refuse_unreachable(placement.address or "")
        ours, theirs = socket.socketpair()
        folder = _short_folder()
        try:
            with (Path(folder) / "driver.err").open("wb") as errors:
                process = _started(theirs, placement, errors)
            theirs.close()
            ours.settimeout(_STARTED_S if placement.address is None else _OPENED_S)
            has_opened = False
            try:
                cluster = _Cluster(ours, (open_shards, placement, folder))
                has_opened = True
                yield cluster
            finally:
                ours.close()
                _end(process, at_once=not has_opened)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


class _Cluster:
    """The workers of a run, by the process that speaks to Ray."""

    def __init__(self, connection: socket.socket, first: tuple[OpensShards, Placement, str]) -> None:
        self._connection = connection
        self._process = AnsweringProcess(connection)
        self._where = first[1].address or "the cluster on this machine"
        # One that was started here has ended with its process.
        self._hint = None if first[1].address is None else "look whether its head runs: ray status"
        try:
            message_socket.send(connection, first)
            self.room: int = self._process.ask(("room", ()))
        except (OSError, ProcessEnded) as error:
            raise FacemonError(f"{self._where}: Ray did not answer in time", self._hint) from error

    def start(self, worker: int) -> None:
        self._ask("start", worker)

    def give(self, worker: int, shard: int) -> None:
        self._ask("give", worker, shard)

    def events(self, wait_s: float) -> Sequence[Event]:
        found: Sequence[Event] = self._ask("events", wait_s, wait_s=wait_s)
        return found

    def _ask(self, name: str, *values: object, wait_s: float = 0.0) -> Any:
        self._connection.settimeout(_ANSWERED_S + wait_s)
        try:
            return self._process.ask((name, values))
        except ProcessEnded as error:
            raise FacemonError(f"{self._where}: the connection to Ray was lost", self._hint) from error


def _started(connection: socket.socket, placement: Placement, errors: IO[bytes]) -> "subprocess.Popen[bytes]":
    number = connection.fileno()
    return subprocess.Popen(
        # Without -P a file of the current folder, such as types.py, would take the place of a module.
        [sys.executable, "-P", "-m", "facemon.schedulers.ray_driver", str(number)],
        env={**os.environ, **settings_of(placement.address)},
        pass_fds=[number],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
    )


def _end(process: "subprocess.Popen[bytes]", *, at_once: bool) -> None:
    """Let the process end, which its closed socket asks for; it is killed where it does not.

    What it has started here ends with it. It cannot end by itself while it waits for a cluster, which may take minutes.
    """
    if at_once:
        process.kill()
    try:
        process.wait(_ENDED_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _short_folder() -> str:
    """A folder for Ray's sockets and logs, whose path leaves them room."""
    folder = tempfile.mkdtemp(prefix="facemon-")
    if len(folder) <= _LONGEST_FOLDER:
        return folder
    with suppress(OSError):
        Path(folder).rmdir()
    return tempfile.mkdtemp(prefix="facemon-", dir="/tmp")


def _host_and_port(address: str) -> tuple[str, int]:
    """Read HOST:PORT; UsageError for what is none."""
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not (port.isascii() and port.isdecimal() and 0 < int(port) < 2**16):
        raise UsageError(
            f"--address {address}: is not HOST:PORT", "write auto, or the head's address, such as 10.0.0.5:6379"
        )
    return host.strip("[]"), int(port)


def _refuse_unreachable(address: str) -> None:
    """FacemonError where nothing listens: Ray itself would try for minutes."""
    try:
        socket.create_connection(_host_and_port(address), _REACHED_S).close()
    except OSError as error:
        raise FacemonError(
            f"--address {address}: no cluster of Ray is there ({(error.strerror or str(error)).lower()})",
            "start one with ray start --head, or name the address that it printed",
        ) from error
