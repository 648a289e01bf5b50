"""docker-compose.full.yml: what monitors, and what is monitored, the ML API and the exporter."""

import os
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any

from facemon.config.document import Config
from facemon.render.container import (
    PROJECT,
    Limits,
    Variable,
    beside,
    container,
    defined,
    escaped,
    healthy,
    published,
)
from facemon.render.secret_files import api_secrets, monitoring_secrets, secret_name

FOLDER = "/srv/faces"
"""Where a container finds facemon.yaml; what that file names relative to itself lies around it as it does outside."""
_USER = Variable("${FACEMON_USER:-10001:10001}")
"""The user and group who may write to the store; the default is the image's own."""
_SOURCE = Variable("${FACEMON_SOURCE:-.}")
"""The folder of facemon's source, whose Dockerfile makes the image."""
_CORES = 2
_ASK = (
    "import http.client as http, sys; server = http.HTTPConnection('127.0.0.1', {port}, timeout=4); "
    "server.request('GET', '/ready'); sys.exit(server.getresponse().status != 200)"
)


def full_compose(config: Config, out_dir: Path, monitoring_file: str) -> dict[str, Any]:
    """The compose file as it stands in `out_dir`; what it includes defines all secrets but the API's own."""
    own_secrets = [file for file in api_secrets(config) if file not in monitoring_secrets(config)]
    content: dict[str, Any] = {
        "name": PROJECT,
        "include": [monitoring_file],
        "services": {"api": _api(config, out_dir), "exporter": _exporter(config, out_dir)},
        **defined(own_secrets, config, out_dir),
    }
    rendered: dict[str, Any] = escaped(content)
    return rendered


def _api(config: Config, out_dir: Path) -> dict[str, Any]:
    # A process for each core; those of the machine are not all the container's.
    cores = config.api.workers or _CORES
    command = ["serve", "--listen", "0.0.0.0:8000", "--workers", str(cores)]
    limits = Limits(memory=f"{1024 + 512 * cores}M", cores=cores, processes=1024)
    secrets = [{"source": secret_name(file), "target": _inside(file)} for file in api_secrets(config)]
    return {
        **_facemon("api", command, config, out_dir, limits),
        # Part of the name under which the API counts its requests: a container's own changes with each new one.
        "hostname": "api",
        "ports": published(config, config.api.listen.port or 8000, 8000),
        **({"secrets": secrets} if secrets else {}),
        # What has begun may take its time before the engine kills.
        "stop_grace_period": f"{round(config.api.timeout.total_seconds()) + 10}s",
        "healthcheck": healthy("python", "-c", _ASK.format(port=8000)),
    }


def _exporter(config: Config, out_dir: Path) -> dict[str, Any]:
    command = ["serve-metrics", "--listen", "0.0.0.0:8001"]
    return {
        **_facemon("exporter", command, config, out_dir, Limits(memory="512M")),
        # For services to probe that run on the machine itself.
        "extra_hosts": ["host.docker.internal:host-gateway"],
        "ports": published(config, config.exporter.listen.port or 8001, 8001),
        "healthcheck": healthy("python", "-c", _ASK.format(port=8001)),
    }


def _facemon(name: str, command: list[str], config: Config, out_dir: Path, limits: Limits) -> dict[str, Any]:
    content: dict[str, Any] = {
        **container(name, "facemon", config, limits),
        "user": _USER,
        # It starts processes of its own, and the first one of a container has to bury those that end.
        "init": True,
        "working_dir": FOLDER,
        "command": ["--config", f"{FOLDER}/{config.file_name}", *command],
        "environment": {"HOME": "/tmp"},  # noqa: S108 - inside the container
        "tmpfs": ["/tmp"],  # noqa: S108 - inside the container
        "volumes": [
            # SQLite's log is written by whoever reads, so the exporter too may write to the store.
            _bound(_as_written(config.store.path, config), config, out_dir),
            *(_bound(file, config, out_dir, read_only=True) for file in _files(config)),
        ],
    }
    if "facemon" not in config.stack.images:
        content["build"] = {"context": _SOURCE}
    return content


def _files(config: Config) -> list[str]:
    """What both read: the configuration, and the networks that are not in a package of the image."""
    networks = [network.path for network in config.model.networks if network.package is None]
    if config.model.faces.weights is not None:
        networks.append(config.model.faces.weights)
    folders = [_with_its_weights(_as_written(path, config), config) for path in networks]
    return list(dict.fromkeys([str(config.file_name), *folders]))


def _as_written(path: Path, config: Config) -> str:
    """A path of the configuration as the file has it: one that is relative means another place in a container."""
    return str(path) if path in config.absolute_paths else os.path.relpath(path, config.directory)


def _with_its_weights(network: str, config: Config) -> str:
    """A network's folder, in which its weights may lie in files of their own.

    Only the network itself where that folder holds facemon.yaml too, at whatever depth: it may hold secrets.
    """
    folder = normpath(str((config.directory / network).parent))
    return network if config.directory.is_relative_to(folder) else str(PurePosixPath(network).parent)


def _bound(path: str, config: Config, out_dir: Path, *, read_only: bool = False) -> dict[str, Any]:
    mount: dict[str, Any] = {
        "type": "bind",
        "source": beside(path, config, out_dir),
        "target": _inside(path),
        # What is missing is an error, and no empty folder of root's in its place.
        "bind": {"create_host_path": False},
    }
    return {**mount, "read_only": True} if read_only else mount


def _inside(path: str) -> str:
    """Where a container looks for a path of the configuration."""
    return normpath(str(PurePosixPath(FOLDER) / path))
