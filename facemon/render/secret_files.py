"""Secrets are files: which ones each service reads, and the path at which it sees them. No content is ever read."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from facemon.config.document import Config
from facemon.errors import ConfigError

GRAFANA_SECRETS_DIR = "/run/secrets"


def seen_at(config: Config, secret_file: str) -> str:
    """The path of a secret's file as Prometheus and Alertmanager see it."""
    return f"{config.stack.secrets_dir.rstrip('/')}/{secret_name(secret_file)}"


def secret_name(secret_file: str) -> str:
    """The name that a secret's file keeps wherever it is mounted."""
    return PurePosixPath(secret_file).name


def prometheus_secrets(config: Config) -> tuple[str, ...]:
    """The files that Prometheus reads, as the configuration names them."""
    return tuple(dict.fromkeys(_prometheus(config)))


def alertmanager_secrets(config: Config) -> tuple[str, ...]:
    """The files that Alertmanager reads, as the configuration names them."""
    return tuple(dict.fromkeys(_alertmanager(config)))


def all_secrets(config: Config) -> tuple[str, ...]:
    """Every secret's file; ConfigError if two of them would be mounted under one name."""
    grafana = config.grafana.admin_password_file
    files = (*_prometheus(config), *_alertmanager(config), *([grafana] if grafana else []))
    seen: dict[str, str] = {}
    for file in files:
        name = secret_name(file)
        if not name or seen.setdefault(name, file) != file:
            raise ConfigError(
                f"the secrets {seen.get(name, file)!r} and {file!r} would both be mounted as {name!r}",
                hint="give the files distinct names",
            )
    return tuple(dict.fromkeys(files))


def _prometheus(config: Config) -> Iterator[str]:
    for remote in config.prometheus.remote_write:
        if remote.basic_auth is not None:
            yield remote.basic_auth.password_file
        if remote.bearer_token_file is not None:
            yield remote.bearer_token_file


def _alertmanager(config: Config) -> Iterator[str]:
    smtp = config.alertmanager.smtp
    if smtp is not None and smtp.password_file is not None:
        yield smtp.password_file
    for receiver in config.alertmanager.receivers:
        yield from (slack.api_url_file for slack in receiver.slack)
