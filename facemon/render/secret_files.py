"""Secrets are files: which ones each service reads, and the path at which it sees them. No content is ever read."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from facemon.config.document import Config
from facemon.config.section import Section
from facemon.errors import ConfigError

RUN_SECRETS = "/run/secrets"
"""Where Grafana and its database see theirs, whatever `stack.secrets_dir` is for the others."""
_SECRET_KEY = "_file"  # noqa: S105 - the ending of keys, not a secret
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]")
"""Compose takes no other characters in a secret's name."""


def seen_at(config: Config, secret_file: str) -> str:
    """The path of a secret's file as Prometheus and Alertmanager see it."""
    return f"{config.stack.secrets_dir.rstrip('/')}/{secret_name(secret_file)}"


def secret_name(secret_file: str) -> str:
    """The name that a secret's file has wherever it is mounted: its own, as far as compose allows."""
    return _NOT_IN_NAMES.sub("-", PurePosixPath(secret_file).name)


def secrets_of(kind: str, config: Config) -> tuple[str, ...]:
    """The files that a kind of service reads, as the configuration names them."""
    match kind:
        case "prometheus":
            return _distinct(config.prometheus)
        case "alertmanager":
            return _distinct(config.alertmanager)
        case "grafana":
            return _distinct(config.grafana)
        case "postgres" if config.grafana.database is not None:
            return (config.grafana.database.password_file,)
        case "api":
            return _distinct(config.api)
        case _:
            return ()


def secrets_variable(kind: str) -> str:
    """The variable that has another value once a secret's file of these services was replaced."""
    return f"FACEMON_{kind.upper()}_SECRETS"


def monitoring_secrets(config: Config) -> tuple[str, ...]:
    """Every secret's file of the services that monitor."""
    return _distinct(config.prometheus, config.alertmanager, config.grafana)


def all_secrets(config: Config) -> tuple[str, ...]:
    """Every secret's file; ConfigError if one has no name, or two would be mounted under one."""
    files = _distinct(config.prometheus, config.alertmanager, config.grafana, config.api)
    seen: dict[str, str] = {}
    for file in files:
        name = secret_name(file)
        if name in ("", ".."):
            raise ConfigError(f"the secret {file!r} names no file", hint="name the file that holds it")
        if seen.setdefault(name, file) != file:
            raise ConfigError(
                f"the secrets {seen[name]!r} and {file!r} would both be mounted as {name!r}",
                hint="give the files distinct names",
            )
    return files


def _distinct(*sections: Section) -> tuple[str, ...]:
    return tuple(dict.fromkeys(file for section in sections for file in _files_in(section)))


def _files_in(value: Any) -> Iterator[str]:
    """What every key of a section that ends in `_file` names, however deep it stands."""
    match value:
        case Section():
            for key in type(value).model_fields:
                inner = getattr(value, key)
                if key.endswith(_SECRET_KEY) and isinstance(inner, str):
                    yield inner
                else:
                    yield from _files_in(inner)
        case tuple():
            for item in value:
                yield from _files_in(item)
