"""What every container of the stack is given: its image, as few rights as it needs, limits, and how it is checked."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facemon.config.document import Config
from facemon.config.stack import Service
from facemon.errors import ConfigError
from facemon.render.secret_files import secret_name
from facemon.version import __version__

_PROJECT = "facemon-monitoring"
FILES_LABEL = "facemon.files"
"""What changes with the files that a server reads when it starts: compose recreates the container then."""
SECRETS_LABEL = "facemon.secrets"
"""The same for secrets, of which nothing is in the compose file: the value comes from `monitoring/.env`."""
_IMAGES: Mapping[Service, str] = {
    "prometheus": "prom/prometheus:v3.5.0",
    "alertmanager": "prom/alertmanager:v0.28.1",
    "grafana": "grafana/grafana:12.1.1",
    "node-exporter": "prom/node-exporter:v1.9.1",
    "cadvisor": "gcr.io/cadvisor/cadvisor:v0.52.1",
    "pushgateway": "prom/pushgateway:v1.11.1",
    "postgres": "postgres:17.6-alpine",
    "facemon": f"facemon:{__version__}",
}


class Variable(str):
    """A text that compose fills in from its environment; in every other one a dollar is a dollar."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a container may take; the engine refuses more cores than the machine has."""

    memory: str
    cores: int = 1
    processes: int = 256


def project(config: Config) -> str:
    """The compose project of both files, so that their containers and volumes are the same."""
    return config.stack.named(_PROJECT)


def container(name: str, image: Service, config: Config, limits: Limits) -> dict[str, Any]:
    """What a container has whatever runs in it."""
    return {
        "image": image_of(image, config),
        "container_name": "-".join(filter(None, ("mlops", config.stack.name, name))),
        "restart": "unless-stopped",
        "read_only": True,
        "security_opt": ["no-new-privileges:true"],
        "cap_drop": ["ALL"],
        "deploy": {
            "resources": {
                "limits": {"cpus": str(limits.cores), "memory": limits.memory, "pids": limits.processes},
            }
        },
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
    }


def image_of(service: Service, config: Config) -> str:
    """The image of a service: the configured one, else facemon's choice."""
    return config.stack.images.get(service, _IMAGES[service])


def published(config: Config, host_port: int, port: int) -> list[str]:
    """The port of a container, open on the one address of the machine that `stack.listen` names."""
    host = f"[{config.stack.listen}]" if ":" in config.stack.listen else config.stack.listen
    return [f"{host}:{host_port}:{port}"]


def require_distinct_ports(services: Mapping[str, Mapping[str, Any]]) -> None:
    """ConfigError where two services would be open on one port of the machine."""
    taken: dict[str, str] = {}
    for name, service in services.items():
        for port in (published.split(":")[-2] for published in service.get("ports", ())):
            if (other := taken.setdefault(port, name)) != name:
                raise ConfigError(
                    f"{other} and {name} would both be open on port {port}",
                    hint="give api.listen or exporter.listen another port",
                )


def healthy(*command: str) -> dict[str, Any]:
    """A check by a command inside the container, without a shell."""
    return {"test": ["CMD", *command], "interval": "30s", "timeout": "5s", "retries": 3, "start_period": "30s"}


def answers(url: str) -> dict[str, Any]:
    """A check that an address inside the container answers with success, where the image has a wget."""
    return healthy("wget", "--quiet", "--spider", url)


def with_secrets(service: dict[str, Any], targets: Mapping[str, str], config: Config, folder: Path) -> dict[str, Any]:
    """A service that sees each of these secrets' files at its target; the compose file is in `folder`."""
    if not targets:
        return service
    if config.stack.selinux:
        # Compose gives no label of SELinux to the files of secrets, so that these are bound like any other file.
        binds = [bound(beside(file, config, folder), target, config) for file, target in targets.items()]
        return {**service, "volumes": [*service.get("volumes", ()), *binds]}
    secrets = [{"source": secret_name(file), "target": target} for file, target in targets.items()]
    return {**service, "secrets": secrets}


def folder_bound(source: str, target: str, config: Config) -> str:
    """A folder beside the compose file that a container reads."""
    return f"{source}:{target}:ro{',z' if config.stack.selinux else ''}"


def bound(source: str, target: str, config: Config, *, read_only: bool = True) -> dict[str, Any]:
    """A file or folder of the machine; where it is missing that is an error, not an empty folder of root's."""
    bind: dict[str, Any] = {"create_host_path": False}
    if config.stack.selinux:
        bind["selinux"] = "z"
    mount = {"type": "bind", "source": source, "target": target, "bind": bind}
    return {**mount, "read_only": True} if read_only else mount


def defined(files: Sequence[str], config: Config, folder: Path) -> dict[str, Any]:
    """The secrets that a compose file in `folder` defines."""
    if config.stack.selinux:
        return {}
    secrets = {secret_name(file): {"file": beside(file, config, folder)} for file in files}
    return {"secrets": secrets} if secrets else {}


def beside(file: str | Path, config: Config, folder: Path) -> str:
    """A path of the configuration as a compose file in `folder` finds it: absolute if it was given so, else relative.

    Files that move together stay together, and no file tells on which machine it was rendered.
    """
    if Path(file).is_absolute():
        return str(file)
    relative = os.path.relpath(config.directory / file, folder)
    return relative if relative.startswith("..") else f"./{relative}"


def escaped(content: Any) -> Any:
    """The content as compose must read it: a single dollar would name a variable of the environment."""
    match content:
        case Variable():
            return str(content)
        case str():
            return content.replace("$", "$$")
        case dict():
            return {key: escaped(value) for key, value in content.items()}
        case list():
            return [escaped(item) for item in content]
        case _:
            return content
