"""prometheus.yml: what is scraped, and the one door that the store's metrics come in by."""

from typing import Any

from facemon.config.document import Config
from facemon.config.prometheus import DOOR_JOBS, Job, RemoteWriteConfig
from facemon.config.quantities import format_duration
from facemon.render.promql import exposed_names
from facemon.render.secret_files import seen_at
from facemon.values.metric_catalogue import CATALOGUE, MetricSource

DEFAULT_TARGETS: dict[Job, str] = {
    "api": "api:8000",
    "exporter": "exporter:8001",
    "node": "node-exporter:9100",
    "cadvisor": "cadvisor:8080",
    "prometheus": "localhost:9090",
    "alertmanager": "alertmanager:9093",
    "pushgateway": "pushgateway:9091",
}
"""Where the services of the compose files listen."""


def prometheus_config(config: Config) -> dict[str, Any]:
    """The content of `prometheus.yml`; its rule files are found beside it."""
    settings = config.prometheus
    general: dict[str, Any] = {
        "scrape_interval": format_duration(settings.scrape_interval),
        "evaluation_interval": format_duration(settings.evaluation_interval or settings.scrape_interval),
    }
    if settings.external_labels:
        general["external_labels"] = dict(settings.external_labels)
    content: dict[str, Any] = {"global": general, "rule_files": ["recording_rules.yml", "alert_rules.yml"]}
    alertmanagers = (DEFAULT_TARGETS["alertmanager"],) if settings.alertmanagers is None else settings.alertmanagers
    if alertmanagers:
        content["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": list(alertmanagers)}]}]}
    content["scrape_configs"] = [_scrape(job, config) for job in settings.jobs]
    if settings.remote_write:
        content["remote_write"] = [_remote_write(remote, config) for remote in settings.remote_write]
    return content


def _scrape(job: Job, config: Config) -> dict[str, Any]:
    targets = config.prometheus.targets.get(job, (DEFAULT_TARGETS[job],))
    entry: dict[str, Any] = {"job_name": job}
    if job == "pushgateway":
        # What was pushed says itself which job and instance it is from.
        entry["honor_labels"] = True
    entry["static_configs"] = [{"targets": list(targets)}]
    if job != DOOR_JOBS[config.prometheus.store_metrics_from]:
        entry["metric_relabel_configs"] = [_drop_store_metrics()]
    return entry


def _drop_store_metrics() -> dict[str, Any]:
    """The same totals from two doors would be counted twice by every sum."""
    names = [
        name for metric in CATALOGUE.values() if metric.source is MetricSource.STORE for name in exposed_names(metric)
    ]
    return {"source_labels": ["__name__"], "regex": "|".join(names), "action": "drop"}


def _remote_write(remote: RemoteWriteConfig, config: Config) -> dict[str, Any]:
    entry: dict[str, Any] = {"url": remote.url}
    if remote.basic_auth is not None:
        password_file = seen_at(config, remote.basic_auth.password_file)
        entry["basic_auth"] = {"username": remote.basic_auth.username, "password_file": password_file}
    if remote.bearer_token_file is not None:
        entry["authorization"] = {"credentials_file": seen_at(config, remote.bearer_token_file)}
    return entry
