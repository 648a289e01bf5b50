"""docker-compose.monitoring.yml: the services of the stack, pinned, on loopback, with as few rights as they need."""

from pathlib import Path
from typing import Any

from facemon.config.document import Config
from facemon.render import compose_services
from facemon.render.compose_services import DATABASE_NETWORK, has_own_database
from facemon.render.container import PROJECT, defined, escaped
from facemon.render.replicas import alertmanager_names, grafana_names, prometheus_names
from facemon.render.secret_files import monitoring_secrets

COMPOSE_DIR = "monitoring"
_REPLICATED = (
    (compose_services.prometheus, prometheus_names),
    (compose_services.alertmanager, alertmanager_names),
    (compose_services.grafana, grafana_names),
)


def compose(config: Config, out_dir: Path) -> dict[str, Any]:
    """The compose file as it stands in `out_dir/monitoring`; the caller has seen to Grafana's password."""
    services = _services(config)
    volumes = [str(mount).split(":", 1)[0] for service in services.values() for mount in service.get("volumes", ())]
    content: dict[str, Any] = {
        "name": PROJECT,
        "services": services,
        "volumes": {volume: {} for volume in volumes if volume.endswith("-data")},
    }
    if has_own_database(config):
        content["networks"] = {"default": {}, DATABASE_NETWORK: {"internal": True}}
    content |= defined(monitoring_secrets(config), config, out_dir / COMPOSE_DIR)
    rendered: dict[str, Any] = escaped(content)
    return rendered


def _services(config: Config) -> dict[str, dict[str, Any]]:
    services = {
        name: service(number, config)
        for service, names in _REPLICATED
        for number, name in enumerate(names(config), start=1)
    }
    services["node-exporter"] = compose_services.node_exporter(config)
    services["cadvisor"] = compose_services.cadvisor(config)
    if "pushgateway" in config.prometheus.jobs and "pushgateway" not in config.prometheus.targets:
        services["pushgateway"] = compose_services.pushgateway(config)
    if config.grafana.database is not None and has_own_database(config):
        services["postgres"] = compose_services.postgres(config.grafana.database, config)
    return services
