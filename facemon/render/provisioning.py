"""What Grafana finds when it starts: the data source and where the dashboards lie."""

from typing import Any

from facemon.render.dashboards.panel import DATASOURCE_UID

DASHBOARDS_DIR = "/etc/facemon/dashboards"
"""Inside Grafana's container; outside of the provisioning folder, where a mount would hide the provider's own file."""


def datasources() -> dict[str, Any]:
    """The content of `provisioning/datasources/prometheus.yml`."""
    source = {
        "name": "Prometheus",
        "uid": DATASOURCE_UID,
        "type": "prometheus",
        "access": "proxy",
        "url": "http://prometheus:9090",
        "isDefault": True,
        "editable": False,
        "jsonData": {"httpMethod": "POST"},
    }
    return {"apiVersion": 1, "datasources": [source]}


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
