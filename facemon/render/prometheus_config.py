"""prometheus.yml: what is scraped, and the one transport that the store's metrics come in by."""

from collections.abc import Mapping
from typing import Any

from facemon.config.document import Config
from facemon.config.durations import format_duration
from facemon.config.prometheus import (
    REPLICA_LABEL,
    TRANSPORT_JOBS,
    Job,
    PrometheusConfig,
    QueueConfig,
    RemoteWriteConfig,
    ScrapeLimitsConfig,
    TlsConfig,
)
from facemon.domain.metric_catalogue import CATALOGUE, MetricSource
from facemon.render.promql import exposed_names
from facemon.render.purpose import listen_of
from facemon.render.replicas import REPLICA_VARIABLE, alertmanager_names, prometheus_names
from facemon.render.secret_files import seen_at

_TARGETS: dict[Job, str] = {
    "node": "node-exporter:9100",
    "cadvisor": "cadvisor:8080",
    "prometheus": "localhost:9090",
    "alertmanager": "alertmanager:9093",
    "pushgateway": "pushgateway:9091",
}
"""Where the services that monitor listen, the first of each."""


def prometheus_config(config: Config) -> dict[str, Any]:
    """The content of `prometheus.yml`, one for all replicas; its rule files are found beside it."""
    settings = config.prometheus
    general: dict[str, Any] = {
        "scrape_interval": format_duration(settings.scrape_interval),
        "evaluation_interval": format_duration(settings.evaluation_interval or settings.scrape_interval),
    }
    if labels := _external_labels(settings):
        general["external_labels"] = labels
    content: dict[str, Any] = {"global": general, "rule_files": ["recording_rules.yml", "alert_rules.yml"]}
    alertmanagers = own_targets("alertmanager", config) if settings.alertmanagers is None else settings.alertmanagers
    if alertmanagers:
        content["alerting"] = _alerting(alertmanagers, settings)
    content["scrape_configs"] = [_scrape(job, config) for job in settings.jobs]
    if settings.remote_write:
        content["remote_write"] = [_remote_write(remote, config) for remote in settings.remote_write]
    return content


def own_targets(job: Job, config: Config) -> tuple[str, ...]:
    """Where the compose file's services of a job listen, every replica of them."""
    if job == "alertmanager":
        return tuple(f"{name}:9093" for name in alertmanager_names(config))
    if job == "prometheus" and config.prometheus.replicas > 1:
        # Every one scrapes all, itself too, by the names that the others know, so that they see the same series.
        return tuple(f"{name}:9090" for name in prometheus_names(config))
    if job in ("api", "exporter"):
        return (f"{job}:{listen_of(job, config).port}",)
    return (_TARGETS[job],)


def runs_here(job: Job, config: Config) -> bool:
    """Whether a job's server is a service of the compose files: it is scraped, and not somewhere else."""
    targets = config.prometheus.targets.get(job)
    return job in config.prometheus.jobs and (targets is None or bool({*targets} & {*own_targets(job, config)}))


def expands_labels(settings: PrometheusConfig) -> bool:
    """Whether the file is written for a Prometheus that expands variables in external labels.

    Version 3 always does; version 2 needs `--enable-feature=expand-external-labels`.
    """
    return settings.replicas > 1 or any("$" in value for value in settings.external_labels.values())


def _external_labels(settings: PrometheusConfig) -> dict[str, str]:
    labels = {name: value.replace("$", "$$") for name, value in settings.external_labels.items()}
    if settings.replicas > 1:
        labels[REPLICA_LABEL] = f"${{{REPLICA_VARIABLE}}}"
    return labels


def _alerting(alertmanagers: tuple[str, ...], settings: PrometheusConfig) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if settings.replicas > 1:
        # With the label the same alert from two servers would be two alerts, and be told twice.
        content["alert_relabel_configs"] = [{"regex": REPLICA_LABEL, "action": "labeldrop"}]
    content["alertmanagers"] = [{"static_configs": [{"targets": list(alertmanagers)}]}]
    return content


def _scrape(job: Job, config: Config) -> dict[str, Any]:
    targets = config.prometheus.targets.get(job) or own_targets(job, config)
    entry: dict[str, Any] = {"job_name": config.prometheus.job_name(job)}
    if job == "pushgateway":
        # What was pushed says itself which job and instance it is from.
        entry["honor_labels"] = True
    # Of each job, because the global ones are newer than Prometheus 2.42.
    entry |= _limits(config.prometheus.limits)
    static: dict[str, Any] = {"targets": list(targets)}
    if labels := config.prometheus.target_labels:
        static["labels"] = dict(labels)
    entry["static_configs"] = [static]
    if job != TRANSPORT_JOBS[config.prometheus.store_metrics_from]:
        entry["metric_relabel_configs"] = [_drop_store_metrics()]
    return entry


def _limits(limits: ScrapeLimitsConfig) -> dict[str, int]:
    return {
        "sample_limit": limits.samples,
        "label_limit": limits.labels,
        "label_name_length_limit": limits.label_name_length,
        "label_value_length_limit": limits.label_value_length,
    }


def _drop_store_metrics() -> dict[str, Any]:
    """The same totals from two transports would be counted twice by every sum."""
    names = [
        name for metric in CATALOGUE.values() if metric.source is MetricSource.STORE for name in exposed_names(metric)
    ]
    return {"source_labels": ["__name__"], "regex": "|".join(names), "action": "drop"}


def _remote_write(remote: RemoteWriteConfig, config: Config) -> dict[str, Any]:
    entry: dict[str, Any] = {"url": remote.url}
    if remote.name is not None:
        entry["name"] = remote.name
    if remote.basic_auth is not None:
        password_file = seen_at(config, remote.basic_auth.password_file)
        entry["basic_auth"] = {"username": remote.basic_auth.username, "password_file": password_file}
    if remote.bearer_token_file is not None:
        entry["authorization"] = {"credentials_file": seen_at(config, remote.bearer_token_file)}
    if remote.tls is not None and (tls := _tls(remote.tls, config)):
        entry["tls_config"] = tls
    if remote.keep:
        entry["write_relabel_configs"] = [_keep(remote.keep)]
    if queue := _queue(remote.queue):
        entry["queue_config"] = queue
    return entry


def _tls(tls: TlsConfig, config: Config) -> dict[str, str]:
    files = {"ca_file": tls.ca_file, "cert_file": tls.cert_file, "key_file": tls.key_file}
    content = {key: seen_at(config, file) for key, file in files.items() if file is not None}
    return content if tls.server_name is None else {**content, "server_name": tls.server_name}


def _keep(patterns: tuple[str, ...]) -> dict[str, Any]:
    # A metric's name holds nothing that an expression would read otherwise; only the star at its end stands for more.
    regex = "|".join(pattern.replace("*", ".*") for pattern in patterns)
    return {"source_labels": ["__name__"], "regex": regex, "action": "keep"}


def _queue(queue: QueueConfig) -> Mapping[str, Any]:
    numbers = {
        "capacity": queue.capacity,
        "min_shards": queue.min_shards,
        "max_shards": queue.max_shards,
        "max_samples_per_send": queue.max_samples_per_send,
    }
    durations = {
        "batch_send_deadline": queue.batch_send_deadline,
        "min_backoff": queue.min_backoff,
        "max_backoff": queue.max_backoff,
    }
    return {key: number for key, number in numbers.items() if number is not None} | {
        key: format_duration(duration) for key, duration in durations.items() if duration is not None
    }
