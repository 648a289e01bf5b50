"""What `stack.for` chooses where the configuration names nothing: scrape jobs, targets, the password's file."""

import os
from collections.abc import Mapping
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import Any

from facemon.config.document import Config
from facemon.config.prometheus import TRANSPORT_JOBS, Job, Transport, default_jobs
from facemon.config.quantities import Listen
from facemon.config.stack import Purpose
from facemon.errors import ConfigError
from facemon.render.published_ports import first_port, published_port

HOST = "host.docker.internal"
"""The machine itself, as compose lets a container find it."""
MADE_PASSWORD = "monitoring/secrets/grafana_admin_password"  # noqa: S105 - a path
"""Grafana's password below the output folder, where the configuration names no file."""
_TRANSPORTS: Mapping[Purpose, Transport] = {"textfile": "textfile", "pushgateway": "pushgateway"}
_BATCH_JOBS: tuple[Job, ...] = ("node", "cadvisor", "prometheus", "alertmanager")
_LOCAL_PORTS: Mapping[Job, int] = {
    "node": 9100, "cadvisor": 8080, "prometheus": 9090, "alertmanager": 9093, "pushgateway": 9091,
}  # fmt: skip
"""Where servers listen that are not the rendered stack's."""


def fitted(config: Config, out_dir: Path, purpose: Purpose | None = None) -> Config:
    """The configuration with all that follows from `stack.for`, or from `purpose` instead of it.

    What the file names stays as it is. The same object comes back where nothing follows. ConfigError where a key
    contradicts the purpose.
    """
    if purpose is not None and purpose != config.stack.for_:
        config = _changed(config, stack={"for_": purpose})
    return _changed(config, prometheus=_prometheus(config), grafana=_grafana(config, out_dir))


def listen_of(job: Job, config: Config) -> Listen:
    """Where the API or the exporter listens, here as in its container; port 0, which is any, is the usual one."""
    listen = config.api.listen if job == "api" else config.exporter.listen
    return listen if listen.port else Listen(listen.host, 8000 if job == "api" else 8001)


def address_for_containers(job: Job, config: Config) -> str | None:
    """The IPv4 address by which containers reach a program that listens on one address of the machine."""
    try:
        address = ip_address(listen_of(job, config).host.strip("[]"))
    except ValueError:
        return None
    is_reached = isinstance(address, IPv4Address) and not (address.is_loopback or address.is_unspecified)
    return str(address) if is_reached else None


def runs_containers(config: Config) -> bool:
    """Whether compose starts the monitoring."""
    return config.stack.for_ != "existing"


def _changed(config: Config, **sections: Mapping[str, Any]) -> Config:
    changes = {
        name: getattr(config, name).model_copy(update=dict(values)) for name, values in sections.items() if values
    }
    return config.model_copy(update=changes) if changes else config


def _prometheus(config: Config) -> dict[str, Any]:
    settings, purpose = config.prometheus, config.stack.for_
    transport = _TRANSPORTS.get(purpose, settings.store_metrics_from)
    if transport != settings.store_metrics_from and "store_metrics_from" in settings.model_fields_set:
        raise ConfigError(
            f"prometheus.store_metrics_from is {settings.store_metrics_from}, and the stack is for {purpose}",
            f"leave out store_metrics_from, or take another of full, monitoring and existing for {purpose}",
        )
    jobs = settings.jobs if "jobs" in settings.model_fields_set else _jobs(config, transport)
    if TRANSPORT_JOBS[transport] not in jobs:
        raise ConfigError(
            f"prometheus.jobs lacks {TRANSPORT_JOBS[transport]}, and the stack is for {purpose}", "name it there"
        )
    found = {job: target for job in jobs if job not in settings.targets and (target := _target(job, config))}
    changes: dict[str, Any] = {"store_metrics_from": transport, "jobs": jobs}
    if found:
        changes["targets"] = {**settings.targets, **{job: (target,) for job, target in found.items()}}
    if purpose == "existing" and settings.alertmanagers is None:
        changes["alertmanagers"] = (f"localhost:{_LOCAL_PORTS['alertmanager']}",)
    return {key: value for key, value in changes.items() if value != getattr(settings, key)}


def _jobs(config: Config, transport: Transport) -> tuple[Job, ...]:
    """What is scraped by default; what has targets is scraped too."""
    match config.stack.for_:
        case "textfile" | "pushgateway":
            jobs: tuple[Job, ...] = (*_BATCH_JOBS, TRANSPORT_JOBS[transport])
        case "existing":
            # The rest has jobs of its own there; batches leave their metrics to another server.
            jobs = (
                ("api", TRANSPORT_JOBS[transport]) if transport in ("exporter", "api") else (TRANSPORT_JOBS[transport],)
            )
        case _:
            jobs = default_jobs(transport)
    return tuple(dict.fromkeys((*jobs, *config.prometheus.targets)))


def _target(job: Job, config: Config) -> str | None:
    """Where a job's server listens; None = where compose starts it."""
    purpose = config.stack.for_
    if job not in ("api", "exporter"):
        return f"localhost:{_LOCAL_PORTS[job]}" if purpose == "existing" else None
    if purpose == "full":
        return None
    here = "localhost" if purpose == "existing" else HOST
    return f"{address_for_containers(job, config) or here}:{listen_of(job, config).port}"


def _grafana(config: Config, out_dir: Path) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if first_port(config) is not None and "root_url" not in config.grafana.model_fields_set:
        changes["root_url"] = f"http://localhost:{published_port('grafana', 1, config)}"
    if config.grafana.admin_password_file is None and runs_containers(config):
        # Relative, as the configuration would name it: the folders may move together.
        file = os.path.relpath(out_dir.absolute() / MADE_PASSWORD, config.directory.absolute())
        changes["admin_password_file"] = file
    return changes
