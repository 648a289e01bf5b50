"""What render-config tells beside the files: what was left out, where Prometheus looks, what is still to be done."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from facemon.config.document import Config
from facemon.render.alert_rules import alerts_of, left_out
from facemon.render.compose_full import own_services
from facemon.render.objectives import objective_notes
from facemon.render.prometheus_config import expands_labels
from facemon.render.provisioning import dashboards_dir
from facemon.render.published_ports import first_port, reached_at
from facemon.render.purpose import HOST, listen_of, runs_containers
from facemon.render.replicas import HA_PROFILE, further_names
from facemon.render.routes import unproven_routes
from facemon.render.routing import unrouted
from facemon.render.schedules.schedule_files import schedule_notes

_BRIDGE = "172.17.0.1"
"""The machine's address on docker0 unless it is configured otherwise; only containers reach it."""


def stack_notes(
    config: Config, compose: bool, prometheus: bool, alertmanager: bool, grafana: bool, schedules: bool
) -> Iterator[str]:
    """The notes about those parts that were rendered."""
    if compose and runs_containers(config):
        yield from _compose_notes(config)
    if prometheus:
        yield from _prometheus_notes(config)
    if grafana and not runs_containers(config):
        yield f"the existing Grafana reads dashboards from {dashboards_dir(config)}: link monitoring/grafana/dashboards"
    if schedules:
        yield from schedule_notes(config)
    if alertmanager and (names := unrouted(config.alertmanager)):
        yield f"receivers that no route names get no notifications: {', '.join(names)}"
    if alertmanager:
        yield from unproven_routes(config, alerts_of(config))
    if alertmanager and not config.alertmanager.receivers:
        yield "alertmanager.receivers is empty: Prometheus and Alertmanager show alerts, but no receiver is notified"


def _prometheus_notes(config: Config) -> Iterator[str]:
    if names := left_out(config):
        yield f"alerts that have nothing to watch here were left out: {', '.join(names)}"
    yield from objective_notes(config)
    yield from _target_notes(config)
    if expands_labels(config.prometheus):
        yield (
            "prometheus.yml expands variables in external labels: a Prometheus 2 of your own needs "
            "--enable-feature=expand-external-labels, which compose gives it"
        )
    if config.alerts.custom:
        yield "custom alerts have no generated tests: what makes them fire is known to you only"


def _target_notes(config: Config) -> Iterator[str]:
    """Where Prometheus looks for what facemon runs."""
    targets = config.prometheus.targets
    if not runs_containers(config):
        known = [target for job in config.prometheus.jobs for target in targets[job]]
        if guessed := ", ".join(target for target in known if target.startswith("localhost:")):
            yield f"scrape jobs are for a Prometheus of this machine ({guessed}), else name prometheus.targets"
        return
    if own := own_services(config):
        names = " and ".join(f"{job}:{listen_of(job, config).port}" for job in own)
        yield (
            f"Prometheus scrapes {names}: containers of docker-compose.full.yml, or this machine's own ports where "
            "docker-compose.monitoring.yml is started alone"
        )
    near = [job for job in ("api", "exporter") if any(HOST in target for target in targets.get(job, ()))]
    looped = [job for job in ("api", "exporter") if job in (*near, *own) and listen_of(job, config).is_loopback]
    if looped:
        keys = " and ".join(f'{job}.listen: "{_BRIDGE}:{listen_of(job, config).port}"' for job in looped)
        yield (
            f"containers cannot reach what listens on 127.0.0.1 of this machine: with {keys} (docker0's address) they "
            "reach it, and other machines do not"
        )


def _compose_notes(config: Config) -> Iterator[str]:
    yield "secrets are mounted as they are: each file must be readable by the user of the container that reads it"
    if first_port(config) is not None:
        ports = ", ".join(
            f"{name.capitalize()} {reached_at(name, 1, config)}" for name in ("grafana", "prometheus", "alertmanager")
        )
        yield f"ports of this stack: {ports}; stack.first_port chooses others"
    folder = PurePosixPath(config.stack.secrets_dir)
    if folder.is_relative_to("/etc/prometheus") or folder.is_relative_to("/etc/alertmanager"):
        yield "stack.secrets_dir lies in a folder that compose mounts read-only, where it cannot mount the secrets"
    if config.prometheus.store_metrics_from == "textfile":
        yield "node-exporter reads monitoring/textfile: write to it by facemon export-metrics --textfile"
    if names := further_names(config):
        yield f"{', '.join(names)}: started by docker compose --profile {HA_PROFILE} up"
    if config.exporter.collectors and "facemon" not in config.stack.images:
        yield "exporter.collectors are found in the image only: set stack.images.facemon to one that has them"
