"""What Grafana finds when it starts: the data source and where the dashboards lie."""

from typing import Any

from facemon.config.document import Config
from facemon.render.dashboards.panel import DATASOURCE_UID
from facemon.render.dashboards.panel_json import interval_text
from facemon.render.replicas import prometheus_names

DASHBOARDS_DIR = "/etc/facemon/dashboards"
"""Inside Grafana's container; outside of the provisioning folder, where a mount would hide the provider's own file."""


def datasources(config: Config) -> dict[str, Any]:
    """The content of `provisioning/datasources/prometheus.yml`: every Prometheus, the first by default."""
    return {"apiVersion": 1, "datasources": [_datasource(name, config) for name in prometheus_names(config)]}


def _datasource(service: str, config: Config) -> dict[str, Any]:
    number = service.removeprefix("prometheus")
    return {
        "name": f"Prometheus{number.replace('-', ' ')}",
        "uid": f"{DATASOURCE_UID}{number}",
        "type": "prometheus",
        "access": "proxy",
        "url": f"http://{service}:9090",
        "isDefault": not number,
        "editable": False,
        # What $__rate_interval follows from; without it Grafana takes 15 seconds, and slower scrapes give no rates.
        "jsonData": {"httpMethod": "POST", "timeInterval": interval_text(config.prometheus.scrape_interval)},
    }


def dashboard_provider() -> dict[str, Any]:
    """The content of `provisioning/dashboards/facemon.yml`."""
    provider = {
        "name": "facemon",
        "folder": "facemon",
        "type": "file",
        "allowUiUpdates": False,
        "disableDeletion": True,
        "updateIntervalSeconds": 30,
        "options": {"path": DASHBOARDS_DIR},
    }
    return {"apiVersion": 1, "providers": [provider]}
