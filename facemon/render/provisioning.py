"""What Grafana finds when it starts: the data source and where the dashboards lie."""

from typing import Any

from facemon.config.document import Config
from facemon.render.dashboards.panel import DATASOURCE_UID
from facemon.render.dashboards.panel_json import interval_text
from facemon.render.purpose import runs_containers
from facemon.render.replicas import prometheus_names

DASHBOARDS_DIR = "/etc/facemon/dashboards"
"""Inside Grafana's container; outside of the provisioning folder, where a mount would hide the provider's own file."""


def datasource_uid(config: Config) -> str:
    """The uid of the first data source, which dashboards show unless another is chosen."""
    return config.grafana.datasource.uid or config.stack.named(DATASOURCE_UID)


def datasource_name(config: Config) -> str:
    """The name of the first data source."""
    usual = "Prometheus" if runs_containers(config) else "facemon"
    return config.grafana.datasource.name or config.stack.named(usual, " ")


def has_datasource_of_its_own(config: Config) -> bool:
    """Whether a data source is rendered: not for an existing Grafana whose own one is named by its uid alone."""
    settings = config.grafana.datasource
    return runs_containers(config) or settings.uid is None or settings.url is not None


def datasources(config: Config) -> dict[str, Any]:
    """The content of `provisioning/datasources/prometheus.yml`: every Prometheus, the first by default."""
    names = prometheus_names(config) if runs_containers(config) else prometheus_names(config)[:1]
    return {"apiVersion": 1, "datasources": [_datasource(name, config) for name in names]}


def _datasource(service: str, config: Config) -> dict[str, Any]:
    settings, number = config.grafana.datasource, service.removeprefix("prometheus")
    url = f"http://{service if runs_containers(config) else 'localhost'}:9090"
    # Grafana does not start with two that are the default, and an existing one may have another.
    default = runs_containers(config) if settings.default is None else settings.default
    return {
        "name": f"{datasource_name(config)}{number.replace('-', ' ')}",
        "uid": f"{datasource_uid(config)}{number}",
        "type": "prometheus",
        "access": "proxy",
        "url": url if number or settings.url is None else settings.url,
        "isDefault": default and not number,
        "editable": False,
        # What $__rate_interval follows from; without it Grafana takes 15 seconds, and slower scrapes give no rates.
        "jsonData": {"httpMethod": "POST", "timeInterval": interval_text(config.prometheus.scrape_interval)},
    }


def dashboard_provider(config: Config) -> dict[str, Any]:
    """The content of `provisioning/dashboards/facemon.yml`."""
    provider = {
        "name": config.stack.named("facemon"),
        "folder": config.grafana.folder or config.stack.named("facemon", " "),
        "type": "file",
        "allowUiUpdates": False,
        "disableDeletion": True,
        "updateIntervalSeconds": 30,
        "options": {"path": dashboards_dir(config)},
    }
    return {"apiVersion": 1, "providers": [provider]}


def dashboards_dir(config: Config) -> str:
    """Where Grafana looks for the dashboards; an existing one may have those of several stacks."""
    is_shared = config.stack.name is not None and not runs_containers(config)
    return f"/etc/facemon/{config.stack.name}/dashboards" if is_shared else DASHBOARDS_DIR
