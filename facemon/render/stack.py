"""The whole monitoring stack as one value: every file's path and text, and what was left out."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

from facemon.config.document import Config
from facemon.errors import ConfigError, UsageError
from facemon.render.alert import runbook_path
from facemon.render.alert_rules import alert_rules, alerts_of, left_out
from facemon.render.alertmanager_config import alertmanager_config
from facemon.render.compose import compose
from facemon.render.compose_full import full_compose
from facemon.render.container import require_distinct_ports
from facemon.render.dashboards import DASHBOARDS
from facemon.render.objectives import objective_notes
from facemon.render.prometheus_config import DEFAULT_TARGETS, expands_labels, prometheus_config
from facemon.render.provisioning import dashboard_provider, datasources
from facemon.render.recording_rules import recording_rules
from facemon.render.replicas import HA_PROFILE, further_names
from facemon.render.route_tests import route_tests
from facemon.render.routes import unproven_routes
from facemon.render.routing import unrouted
from facemon.render.rule_tests import rule_tests
from facemon.render.runbooks import runbook
from facemon.render.schedules.schedule_files import is_schedule, require_targets, schedule_files, schedule_notes
from facemon.render.secret_files import all_secrets
from facemon.render.stack_text import commented_text, json_text, markdown_text, yaml_text

COMPOSE_FILE = "monitoring/docker-compose.monitoring.yml"
FULL_COMPOSE_FILE = "docker-compose.full.yml"


class Part(StrEnum):
    """What `--only` chooses between."""

    PROMETHEUS = "prometheus"
    ALERTMANAGER = "alertmanager"
    GRAFANA = "grafana"
    RUNBOOKS = "runbooks"
    COMPOSE = "compose"
    SCHEDULES = "schedules"


@dataclass(frozen=True, slots=True)
class RenderedStack:
    """Relative POSIX paths to texts, the parts that they make up, and what a person should be told of them."""

    files: Mapping[str, str]
    parts: frozenset[Part]
    notes: tuple[str, ...] = ()

    def text_of(self, name: str) -> str:
        """The file with this path, or the only one with this name; UsageError lists them if there is none."""
        paths = [path for path in self.files if path == name or PurePosixPath(path).name == name]
        if len(paths) != 1:
            raise UsageError(f"{name!r} is not a rendered file", hint=f"choose from {', '.join(self.files)}")
        return self.files[paths[0]]


def part_of(path: str) -> Part:
    """The part that a rendered path belongs to."""
    if path in (COMPOSE_FILE, FULL_COMPOSE_FILE):
        return Part.COMPOSE
    if is_schedule(path):
        return Part.SCHEDULES
    return Part(PurePosixPath(path).parts[1])


def render_stack(config: Config, only: Collection[Part] = (), out_dir: Path | None = None) -> RenderedStack:
    """Render every part, or `only` some; compose finds secrets from `out_dir`, by default the configuration's folder.

    Raises ConfigError for what cannot be rendered as it is configured, and for compose when it is asked for by
    name but Grafana has no password: there is no default one.
    """
    parts = frozenset(only) or frozenset(Part)
    all_secrets(config)
    password = config.grafana.admin_password_file
    if password is None and Part.COMPOSE in only:
        raise ConfigError(
            "grafana.admin_password_file: compose starts Grafana, which gets no default password",
            hint="write a password to a file and name that file there",
        )
    if Part.SCHEDULES in only:
        require_targets(config)
    files = dict(_files(config, parts))
    if Part.COMPOSE in parts and password is not None:
        out = out_dir or config.directory
        monitoring, full = compose(config, out), full_compose(config, out, COMPOSE_FILE)
        require_distinct_ports({**monitoring["services"], **full["services"]})
        files |= {COMPOSE_FILE: yaml_text(monitoring), FULL_COMPOSE_FILE: yaml_text(full)}
    return RenderedStack(dict(sorted(files.items())), parts, tuple(_notes(config, parts)))


def _files(config: Config, parts: frozenset[Part]) -> Iterator[tuple[str, str]]:
    alerts = alerts_of(config)
    if Part.PROMETHEUS in parts:
        yaml_files: dict[str, dict[str, Any]] = {
            "prometheus.yml": prometheus_config(config),
            "recording_rules.yml": recording_rules(config),
            "alert_rules.yml": alert_rules(config),
            **{f"tests/{name}": content for name, content in rule_tests(alerts, config).items()},
        }
        yield from ((f"monitoring/prometheus/{name}", yaml_text(content)) for name, content in yaml_files.items())
    if Part.ALERTMANAGER in parts:
        yield "monitoring/alertmanager/alertmanager.yml", yaml_text(alertmanager_config(config))
        yield "monitoring/alertmanager/tests/routes.sh", commented_text(route_tests(config, alerts))
    if Part.GRAFANA in parts:
        grafana = "monitoring/grafana"
        yield f"{grafana}/provisioning/datasources/prometheus.yml", yaml_text(datasources(config))
        yield f"{grafana}/provisioning/dashboards/facemon.yml", yaml_text(dashboard_provider())
        yield from ((f"{grafana}/dashboards/{name}", json_text(build(config))) for name, build in DASHBOARDS.items())
    if Part.RUNBOOKS in parts:
        yield from ((runbook_path(alert.name), markdown_text(runbook(alert, config))) for alert in alerts)
    if Part.SCHEDULES in parts:
        yield from schedule_files(config)


def _notes(config: Config, parts: frozenset[Part]) -> Iterator[str]:
    if Part.COMPOSE in parts:
        yield from _compose_notes(config)
    if Part.PROMETHEUS in parts:
        if names := left_out(config):
            yield f"alerts without a job or probe to watch were left out: {', '.join(names)}"
        yield from objective_notes(config)
        own = [job for job in ("api", "exporter") if job in config.prometheus.jobs]
        if unnamed := [DEFAULT_TARGETS[job] for job in own if job not in config.prometheus.targets]:
            yield (
                f"Prometheus will scrape {', '.join(unnamed)}: name prometheus.targets if they listen elsewhere, "
                "like host.docker.internal:8001"
            )
        if expands_labels(config.prometheus):
            yield (
                "prometheus.yml expands variables in external labels: a Prometheus 2 of your own needs "
                "--enable-feature=expand-external-labels, which compose gives it"
            )
        if config.alerts.custom:
            yield "custom alerts have no generated tests: what makes them fire is known to you only"
    if Part.SCHEDULES in parts:
        yield from schedule_notes(config)
    if Part.ALERTMANAGER in parts and (names := unrouted(config.alertmanager)):
        yield f"receivers that no route names are told of nothing: {', '.join(names)}"
    if Part.ALERTMANAGER in parts:
        yield from unproven_routes(config, alerts_of(config))
    if Part.ALERTMANAGER in parts and not config.alertmanager.receivers:
        yield "alertmanager.receivers is empty: alerts will be seen in Prometheus and Alertmanager, but nobody is told"


def _compose_notes(config: Config) -> Iterator[str]:
    if config.grafana.admin_password_file is None:
        yield (
            f"{COMPOSE_FILE} and {FULL_COMPOSE_FILE} were left out: grafana.admin_password_file names no file, "
            "and Grafana gets no default password"
        )
        return
    yield "secrets are mounted as they are: each file must be readable by the user of the container that reads it"
    folder = PurePosixPath(config.stack.secrets_dir)
    if folder.is_relative_to("/etc/prometheus") or folder.is_relative_to("/etc/alertmanager"):
        yield "stack.secrets_dir lies in a folder that compose mounts read-only, where it cannot mount the secrets"
    if config.prometheus.store_metrics_from == "textfile":
        yield "node-exporter reads monitoring/textfile: write to it by facemon export-metrics --textfile"
    if names := further_names(config):
        yield f"{', '.join(names)}: started by docker compose --profile {HA_PROFILE} up"
    if config.exporter.collectors and "facemon" not in config.stack.images:
        yield "exporter.collectors are found in the image only: set stack.images.facemon to one that has them"
