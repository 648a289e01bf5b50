"""docker-compose.monitoring.yml: the services of the stack, pinned, on loopback, with as few rights as they need."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from facemon.config.document import Config
from facemon.render import compose_services
from facemon.render.compose_services import DATABASE_NETWORK, has_own_database
from facemon.render.container import FILES_LABEL, SECRETS_LABEL, Variable, defined, escaped, project, with_secrets
from facemon.render.prometheus_config import runs_here
from facemon.render.replicas import alertmanager_names, grafana_names, prometheus_names
from facemon.render.secret_files import RUN_SECRETS, monitoring_secrets, secret_name, secrets_of, secrets_variable

_COMPOSE_DIR = "monitoring"
_Build = Callable[[int, Config], dict[str, Any]]
_REPLICATED: Mapping[str, tuple[_Build, Callable[[Config], tuple[str, ...]]]] = {
    "prometheus": (compose_services.prometheus, prometheus_names),
    "alertmanager": (compose_services.alertmanager, alertmanager_names),
    "grafana": (compose_services.grafana, grafana_names),
}


def compose(config: Config, out_dir: Path, digests: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The compose file as it is written to `out_dir/monitoring`; the caller has seen to Grafana's password.

    `digests` are of the files that each kind of service reads when it starts.
    """
    services = _services(config, out_dir, digests or {})
    mounts = [mount for service in services.values() for mount in service.get("volumes", ()) if isinstance(mount, str)]
    volumes = [mount.split(":", 1)[0] for mount in mounts]
    content: dict[str, Any] = {
        "name": project(config),
        "services": services,
        "volumes": {volume: {} for volume in volumes if volume.endswith("-data")},
    }
    if has_own_database(config):
        content["networks"] = {"default": {}, DATABASE_NETWORK: {"internal": True}}
    content |= defined(monitoring_secrets(config), config, out_dir / _COMPOSE_DIR)
    rendered: dict[str, Any] = escaped(content)
    return rendered


def _services(config: Config, out_dir: Path, digests: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = {}

    def add(name: str, kind: str, content: dict[str, Any]) -> None:
        labels: dict[str, str] = {FILES_LABEL: digests[kind]} if kind in digests else {}
        folder = RUN_SECRETS if kind in ("grafana", "postgres") else config.stack.secrets_dir.rstrip("/")
        targets = {file: f"{folder}/{secret_name(file)}" for file in secrets_of(kind, config)}
        if targets:
            labels[SECRETS_LABEL] = Variable(f"${{{secrets_variable(kind)}:-}}")
        if labels:
            content["labels"] = labels
        services[name] = with_secrets(content, targets, config, out_dir / _COMPOSE_DIR)

    for kind, (build, names) in _REPLICATED.items():
        for number, name in enumerate(names(config), start=1):
            add(name, kind, build(number, config))
    if runs_here("node", config):
        add("node-exporter", "node-exporter", compose_services.node_exporter(config))
    if runs_here("cadvisor", config):
        add("cadvisor", "cadvisor", compose_services.cadvisor(config))
    if runs_here("pushgateway", config):
        add("pushgateway", "pushgateway", compose_services.pushgateway(config))
    if config.grafana.database is not None and has_own_database(config):
        add("postgres", "postgres", compose_services.postgres(config.grafana.database, config))
    return services
