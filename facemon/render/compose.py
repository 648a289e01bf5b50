"""docker-compose.monitoring.yml: the services of the stack, pinned, on loopback, with as few rights as they need."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from facemon.config.document import Config
from facemon.config.quantities import format_duration
from facemon.config.stack import Service
from facemon.render.provisioning import DASHBOARDS_DIR
from facemon.render.secret_files import (
    GRAFANA_SECRETS_DIR,
    alertmanager_secrets,
    all_secrets,
    prometheus_secrets,
    secret_name,
)

IMAGES: dict[Service, str] = {
    "prometheus": "prom/prometheus:v3.5.0",
    "alertmanager": "prom/alertmanager:v0.28.1",
    "grafana": "grafana/grafana:12.1.1",
    "node-exporter": "prom/node-exporter:v1.9.1",
    "cadvisor": "gcr.io/cadvisor/cadvisor:v0.52.1",
}
COMPOSE_DIR = "monitoring"


def compose(config: Config, out_dir: Path) -> dict[str, Any]:
    """The compose file as it stands in `out_dir/monitoring`; the caller has seen to Grafana's password."""
    services: dict[Service, dict[str, Any]] = {
        "prometheus": _prometheus(config),
        "alertmanager": _alertmanager(config),
        "grafana": _grafana(config),
        "node-exporter": _node_exporter(config),
        "cadvisor": _cadvisor(),
    }
    content: dict[str, Any] = {
        "name": "facemon-monitoring",
        "services": {name: {**_every(name, config), **service} for name, service in services.items()},
        "volumes": {"prometheus-data": {}, "alertmanager-data": {}, "grafana-data": {}},
    }
    secrets = all_secrets(config)
    if secrets:
        content["secrets"] = {secret_name(file): {"file": _beside_compose(file, config, out_dir)} for file in secrets}
    escaped: dict[str, Any] = _escaped(content)
    return escaped


def _escaped(content: Any) -> Any:
    """The content as compose must read it: a single dollar would name a variable of the environment."""
    match content:
        case str():
            return content.replace("$", "$$")
        case dict():
            return {key: _escaped(value) for key, value in content.items()}
        case list():
            return [_escaped(item) for item in content]
        case _:
            return content


def _every(name: Service, config: Config) -> dict[str, Any]:
    return {
        "image": config.stack.images.get(name, IMAGES[name]),
        "container_name": f"mlops-{name}",
        "restart": "unless-stopped",
        "read_only": True,
        "security_opt": ["no-new-privileges:true"],
    }


def _prometheus(config: Config) -> dict[str, Any]:
    return {
        "cap_drop": ["ALL"],
        "command": [
            "--config.file=/etc/prometheus/prometheus.yml",
            "--storage.tsdb.path=/prometheus",
            f"--storage.tsdb.retention.time={format_duration(config.prometheus.retention)}",
        ],
        # For targets that run on the machine itself, as host.docker.internal.
        "extra_hosts": ["host.docker.internal:host-gateway"],
        "ports": [f"{config.stack.listen}:9090:9090"],
        "volumes": ["./prometheus:/etc/prometheus:ro", "prometheus-data:/prometheus"],
        **_secrets(prometheus_secrets(config), config.stack.secrets_dir),
        "healthcheck": _healthy("http://localhost:9090/-/ready"),
    }


def _alertmanager(config: Config) -> dict[str, Any]:
    return {
        "cap_drop": ["ALL"],
        "command": ["--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"],
        "ports": [f"{config.stack.listen}:9093:9093"],
        "volumes": ["./alertmanager:/etc/alertmanager:ro", "alertmanager-data:/alertmanager"],
        **_secrets(alertmanager_secrets(config), config.stack.secrets_dir),
        "healthcheck": _healthy("http://localhost:9093/-/ready"),
    }


def _grafana(config: Config) -> dict[str, Any]:
    password = config.grafana.admin_password_file or ""
    return {
        "cap_drop": ["ALL"],
        "depends_on": {"prometheus": {"condition": "service_healthy"}},
        "environment": {
            "GF_SECURITY_ADMIN_PASSWORD__FILE": f"{GRAFANA_SECRETS_DIR}/{secret_name(password)}",
            "GF_SERVER_ROOT_URL": config.grafana.root_url,
            "GF_USERS_ALLOW_SIGN_UP": "false",
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
        },
        "ports": [f"{config.stack.listen}:3000:3000"],
        "tmpfs": ["/tmp"],  # noqa: S108 - inside the container
        "volumes": [
            "./grafana/provisioning:/etc/grafana/provisioning:ro",
            f"./grafana/dashboards:{DASHBOARDS_DIR}:ro",
            "grafana-data:/var/lib/grafana",
        ],
        **_secrets((password,), GRAFANA_SECRETS_DIR),
        "healthcheck": _healthy("http://localhost:3000/api/health"),
    }


def _node_exporter(config: Config) -> dict[str, Any]:
    command = [
        "--path.rootfs=/host",
        "--collector.filesystem.mount-points-exclude=^/(dev|proc|sys|run|var/lib/docker/.+)($|/)",
    ]
    volumes = ["/:/host:ro,rslave"]
    if config.prometheus.store_metrics_from == "textfile":
        command.append("--collector.textfile.directory=/textfile")
        volumes.append("./textfile:/textfile:ro")
    return {
        "cap_drop": ["ALL"],
        "command": command,
        "pid": "host",
        "expose": ["9100"],
        "volumes": volumes,
        "healthcheck": _healthy("http://localhost:9100/"),
    }


def _cadvisor() -> dict[str, Any]:
    # It reads the control groups of others, which needs root, but neither privileged mode nor a writable disk.
    return {
        "devices": ["/dev/kmsg"],
        "expose": ["8080"],
        "volumes": ["/:/rootfs:ro", "/var/run:/var/run:ro", "/sys:/sys:ro", "/var/lib/docker:/var/lib/docker:ro"],
        "healthcheck": _healthy("http://localhost:8080/healthz"),
    }


def _healthy(url: str) -> dict[str, Any]:
    test = ["CMD", "wget", "--quiet", "--spider", url]
    return {"test": test, "interval": "30s", "timeout": "5s", "retries": 3, "start_period": "30s"}


def _secrets(files: Sequence[str], folder: str) -> dict[str, Any]:
    if not files:
        return {}
    names = [secret_name(file) for file in files]
    return {"secrets": [{"source": name, "target": f"{folder.rstrip('/')}/{name}"} for name in names]}


def _beside_compose(file: str, config: Config, out_dir: Path) -> str:
    """A secret's path as compose finds it: absolute if it was given so, else from the compose file's folder."""
    if Path(file).is_absolute():
        return file
    relative = os.path.relpath(config.directory / file, out_dir / COMPOSE_DIR)
    return relative if relative.startswith("..") else f"./{relative}"
