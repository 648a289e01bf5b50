"""The whole monitoring stack as one value: every file's path and text, and what was left out."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from facemon.config.document import Config
from facemon.errors import UsageError
from facemon.render.alert import runbook_path
from facemon.render.alert_rules import alert_rules, alerts_of
from facemon.render.alertmanager_config import alertmanager_config
from facemon.render.compose import compose
from facemon.render.compose_full import NAMES, full_compose, names_elsewhere, own_services
from facemon.render.container import require_distinct_ports
from facemon.render.dashboards.importable import importable
from facemon.render.placed_dashboards import dashboards
from facemon.render.prometheus_config import prometheus_config
from facemon.render.provisioning import dashboard_provider, datasources, has_datasource_of_its_own
from facemon.render.purpose import fitted, runs_containers
from facemon.render.recording_rules import recording_rules
from facemon.render.route_tests import route_tests
from facemon.render.rule_tests import rule_tests
from facemon.render.runbooks import runbook
from facemon.render.schedules.schedule_files import is_schedule, require_targets, schedule_files
from facemon.render.secret_files import all_secrets
from facemon.render.stack_notes import stack_notes
from facemon.render.stack_text import commented_text, json_text, markdown_text, yaml_text

COMPOSE_FILE = "monitoring/docker-compose.monitoring.yml"
FULL_COMPOSE_FILE = "docker-compose.full.yml"


_READ_AT_START = {
    "prometheus": "monitoring/prometheus/",
    "alertmanager": "monitoring/alertmanager/",
    "grafana": "monitoring/grafana/provisioning/",
}
"""Kinds of services, and the folder of the files that they read when they start."""


class Part(StrEnum):
    """What `--only` chooses between."""

    PROMETHEUS = "prometheus"
    ALERTMANAGER = "alertmanager"
    GRAFANA = "grafana"
    RUNBOOKS = "runbooks"
    COMPOSE = "compose"
    SCHEDULES = "schedules"


_READ_BY_SERVICES = frozenset({Part.PROMETHEUS, Part.ALERTMANAGER, Part.GRAFANA})


@dataclass(frozen=True, slots=True)
class RenderedStack:
    """Relative POSIX paths to texts, the parts that they make up, and what a person should be told of them."""

    files: Mapping[str, str]
    parts: frozenset[Part]
    notes: tuple[str, ...] = ()

    def of_parts(self, parts: Collection[Part]) -> "RenderedStack":
        """Return some of its parts alone, without notes."""
        files = {path: text for path, text in self.files.items() if part_of(path) in parts}
        return RenderedStack(files, self.parts.intersection(parts))

    def text_of(self, name: str) -> str:
        """The file with this path, or the only one with this name; UsageError lists them if there is none."""
        paths = [path for path in self.files if path == name or PurePosixPath(path).name == name]
        if len(paths) != 1:
            raise UsageError(f"{name!r} is not a rendered file", hint=f"choose from {', '.join(self.files)}")
        return self.files[paths[0]]


def part_of(path: str) -> Part:
    """The part that a rendered path belongs to."""
    if path in (COMPOSE_FILE, FULL_COMPOSE_FILE, NAMES):
        return Part.COMPOSE
    if is_schedule(path):
        return Part.SCHEDULES
    return Part(PurePosixPath(path).parts[1])


def render_stack(config: Config, only: Collection[Part] = (), out_dir: Path | None = None) -> RenderedStack:
    """Render every part, or `only` some; compose finds secrets from `out_dir`, by default the configuration's folder.

    Raises ConfigError for what cannot be rendered as it is configured, and UsageError for containers that were asked
    for by name where there are none.
    """
    parts = frozenset(only) or frozenset(Part)
    out = out_dir or config.directory
    config = fitted(config, out)
    all_secrets(config)
    if Part.SCHEDULES in only:
        require_targets(config)
    if Part.COMPOSE in only and not runs_containers(config):
        raise UsageError("compose starts nothing where stack.for is existing", "leave compose out of --only")
    files = dict(_files(config, parts))
    if Part.COMPOSE in parts and runs_containers(config):
        files |= _compose_files(config, out, files if parts >= _READ_BY_SERVICES else _files_read(config))
    noted = (Part.COMPOSE, Part.PROMETHEUS, Part.ALERTMANAGER, Part.GRAFANA, Part.SCHEDULES)
    notes = stack_notes(config, *(part in parts for part in noted))
    return RenderedStack(dict(sorted(files.items())), parts, tuple(notes))


def _compose_files(config: Config, out: Path, files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    monitoring = compose(config, out, _digests(files))
    services = monitoring["services"]
    yield COMPOSE_FILE, yaml_text(monitoring)
    if own_services(config):
        full = full_compose(config, out, COMPOSE_FILE)
        services = {**services, **full["services"]}
        yield FULL_COMPOSE_FILE, yaml_text(full)
        yield NAMES, commented_text(names_elsewhere(config))
    require_distinct_ports(services)


def _digests(files: Mapping[str, str]) -> dict[str, str]:
    """What each service reads when it starts, as a text that changes with it."""
    found = {}
    for kind, folder in _READ_AT_START.items():
        # The first line is the same for every configuration and names the version of facemon.
        texts = [(path, text.split("\n", 1)[1]) for path, text in files.items() if path.startswith(folder)]
        read = sorted((path, text) for path, text in texts if "/tests/" not in path)
        found[kind] = sha256(repr(read).encode()).hexdigest()[:12]
    return found


def _files_read(config: Config) -> dict[str, str]:
    return dict(_files(config, _READ_BY_SERVICES))


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
        if has_datasource_of_its_own(config):
            yield f"{grafana}/provisioning/datasources/prometheus.yml", yaml_text(datasources(config))
        yield f"{grafana}/provisioning/dashboards/facemon.yml", yaml_text(dashboard_provider(config))
        is_imported = config.grafana.import_files
        for name, built in dashboards(config).items():
            yield f"{grafana}/dashboards/{name}", json_text(built)
            if not runs_containers(config) if is_imported is None else is_imported:
                yield f"{grafana}/import/{name}", json_text(importable(built))
    if Part.RUNBOOKS in parts:
        yield from ((runbook_path(alert.name), markdown_text(runbook(alert, config))) for alert in alerts)
    if Part.SCHEDULES in parts:
        yield from schedule_files(config)
