"""docker-compose.full.yml: what monitors, and what is monitored, the ML API and the exporter."""

import os
from hashlib import sha256
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any, Literal

from facemon.config.document import Config
from facemon.config.prometheus import Job
from facemon.render.compose_services import DOUBLE_JOBS, name_variable
from facemon.render.container import (
    FILES_LABEL,
    Limits,
    Variable,
    beside,
    bound,
    container,
    defined,
    escaped,
    healthy,
    project,
    published,
    with_secrets,
)
from facemon.render.prometheus_config import runs_here
from facemon.render.published_ports import published_port
from facemon.render.purpose import listen_of
from facemon.render.secret_files import monitoring_secrets, secrets_of

FOLDER = "/srv/faces"
"""Where a container finds facemon.yaml; what that file names relative to itself lies around it as it does outside."""
VARIABLES = "monitoring/.env"
"""What compose is told of this machine: the owner of Grafana's password, and that secrets were replaced."""
API_VARIABLES = "monitoring/api.env"
NAMES = "monitoring/full.env"
_USER = Variable("${FACEMON_USER:-10001:10001}")
"""The user and group who may write to the store; the default is the image's own."""
_SOURCE = Variable("${FACEMON_SOURCE:-.}")
"""The folder of facemon's source, whose Dockerfile makes the image."""
_CORES = 2
_READ_BY_FACEMON = ("model", "store", "predict", "metrics", "api", "exporter")
"""The sections of which a change takes a new container: the others are for what monitors."""
_ASK = (
    "import http.client as http, sys; server = http.HTTPConnection('127.0.0.1', {port}, timeout=4); "
    "server.request('GET', '/ready'); sys.exit(server.getresponse().status != 200)"
)


def full_compose(config: Config, out_dir: Path, monitoring_file: str) -> dict[str, Any]:
    """The compose file as it is written to `out_dir`; what it includes defines all secrets but the API's own."""
    own_secrets = [file for file in secrets_of("api", config) if file not in monitoring_secrets(config)]
    builders = {"api": _api, "exporter": _exporter}
    content: dict[str, Any] = {
        "name": project(config),
        "include": [{"path": monitoring_file, "env_file": [VARIABLES, NAMES]}],
        "services": {job: builders[job](config, out_dir) for job in own_services(config)},
        **defined(own_secrets, config, out_dir),
    }
    rendered: dict[str, Any] = escaped(content)
    return rendered


def own_services(config: Config) -> tuple[Job, ...]:
    """What is monitored and runs in a container; nothing where all of it runs elsewhere."""
    return tuple(job for job in DOUBLE_JOBS if config.stack.for_ == "full" and runs_here(job, config))


def names_elsewhere(config: Config) -> str:
    """The variables that free the names of what runs in a container, for the file that monitors."""
    lines = (f"{name_variable(job)}={job}.this-machine" for job in own_services(config))
    return "".join(f"{line}\n" for line in lines)


def _api(config: Config, out_dir: Path) -> dict[str, Any]:
    # A process for each core; those of the machine are not all the container's.
    cores = config.api.workers or _CORES
    port = listen_of("api", config).port
    command = ["serve", "--listen", f"0.0.0.0:{port}", "--workers", str(cores)]
    limits = Limits(memory=f"{1024 + 512 * cores}M", cores=cores, processes=1024)
    secrets = secrets_of("api", config)
    content = {
        **_facemon("api", command, config, out_dir, limits),
        # Part of the name under which the API counts its requests: a container's own changes with each new one.
        "hostname": "api",
        "ports": _published("api", config),
        # What has begun may take its time before the engine kills.
        "stop_grace_period": f"{round(config.api.timeout.total_seconds()) + 10}s",
        "healthcheck": healthy("python", "-c", _ASK.format(port=port)),
        # Has another content once a secret's file was replaced, which takes a new container to be seen.
        **({"env_file": [API_VARIABLES]} if secrets else {}),
    }
    return with_secrets(content, {file: _inside(file) for file in secrets}, config, out_dir)


def _exporter(config: Config, out_dir: Path) -> dict[str, Any]:
    port = listen_of("exporter", config).port
    command = ["serve-metrics", "--listen", f"0.0.0.0:{port}"]
    return {
        **_facemon("exporter", command, config, out_dir, Limits(memory="512M")),
        # For services to probe that run on the machine itself.
        "extra_hosts": ["host.docker.internal:host-gateway"],
        "ports": _published("exporter", config),
        "healthcheck": healthy("python", "-c", _ASK.format(port=port)),
    }


def _published(job: Literal["api", "exporter"], config: Config) -> list[str]:
    """The port that the configuration names, which is the container's too; else the stack's own."""
    port = listen_of(job, config).port
    section = config.api if job == "api" else config.exporter
    return published(config, port if "listen" in section.model_fields_set else published_port(job, 1, config), port)


def _facemon(name: Job, command: list[str], config: Config, out_dir: Path, limits: Limits) -> dict[str, Any]:
    content: dict[str, Any] = {
        **container(name, "facemon", config, limits),
        "user": _USER,
        # It starts processes of its own, and the first one of a container has to bury those that end.
        "init": True,
        "working_dir": FOLDER,
        "command": ["--config", f"{FOLDER}/{config.file_name.name}", *command],
        "environment": {"HOME": "/tmp"},  # noqa: S108 - inside the container
        "tmpfs": ["/tmp"],  # noqa: S108 - inside the container
        "labels": {FILES_LABEL: _digest(config)},
        "volumes": [
            # SQLite's readers write to its shared memory, so the exporter too may write to the store.
            _bound(_as_written(config.store.path, config), config, out_dir, read_only=False),
            *(_bound(file, config, out_dir) for file in _files(config)),
        ],
    }
    if "facemon" not in config.stack.images:
        content["build"] = {"context": _SOURCE}
    return content


def _digest(config: Config) -> str:
    """Of what the API and the exporter read of the configuration, wherever its folder is."""
    text = config.model_dump_json(include={*_READ_BY_FACEMON}, exclude_defaults=True, warnings=False)
    return sha256(text.replace(str(config.directory), ".").encode()).hexdigest()[:12]


def model_files(config: Config) -> tuple[Path, ...]:
    """The networks, and the weights of the finder of faces, that are not in a package of the image."""
    networks = [network.path for network in config.model.networks if network.package is None]
    weights = config.model.faces.weights
    return tuple(dict.fromkeys([*networks, *([] if weights is None else [weights])]))


def in_container(path: Path, config: Config) -> str:
    """Where a container looks for a path of the configuration."""
    return _inside(_as_written(path, config))


def _files(config: Config) -> list[str]:
    """What both read: the configuration, and what the model needs."""
    folders = [_with_its_weights(_as_written(path, config), config) for path in model_files(config)]
    return list(dict.fromkeys([config.file_name.name, *folders]))


def _as_written(path: Path, config: Config) -> str:
    """A path of the configuration as the file has it: one that is relative means another place in a container."""
    return str(path) if path in config.absolute_paths else os.path.relpath(path, config.directory)


def _with_its_weights(network: str, config: Config) -> str:
    """A network's folder, in which its weights may lie in files of their own.

    Only the network itself where that folder holds facemon.yaml too, at whatever depth: it may hold secrets.
    """
    folder = normpath(str((config.directory / network).parent))
    return network if config.directory.is_relative_to(folder) else str(PurePosixPath(network).parent)


def _bound(path: str, config: Config, out_dir: Path, *, read_only: bool = True) -> dict[str, Any]:
    return bound(beside(path, config, out_dir), _inside(path), config, read_only=read_only)


def _inside(path: str) -> str:
    """Where a container looks for a path of the configuration."""
    return normpath(str(PurePosixPath(FOLDER) / path))
