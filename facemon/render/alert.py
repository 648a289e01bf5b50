"""One alert as a value, what the configuration may change of it, and how it stands in a rule file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from facemon.config.alerts import AlertConfig
from facemon.config.document import Config
from facemon.config.durations import format_duration
from facemon.config.quantities import Severity, at_most
from facemon.errors import ConfigError
from facemon.render.annotation import literal
from facemon.render.carried_labels import CarriedLabels
from facemon.render.next_commands import next_command
from facemon.render.promql import Expr
from facemon.render.scenario import Scenario


class Dashboard(StrEnum):
    """The dashboards, by the uid that links to them rely on."""

    ML_METRICS = "facemon-ml-metrics"
    API_PERFORMANCE = "facemon-api-performance"
    SYSTEM_METRICS = "facemon-system-metrics"


@dataclass(frozen=True, slots=True)
class Runbook:
    """What a person who is woken needs to know; texts are Markdown, what a user gave in them escaped."""

    meaning: str
    causes: tuple[str, ...]
    actions: tuple[str, ...]
    queries: Mapping[str, Expr] = field(default_factory=dict)
    """What to ask Prometheus, by what the answer tells."""
    numbers: tuple[tuple[str, ...], ...] = ()
    """A table, the first row its headings."""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert: the condition, how long it must hold, how bad it is, what it says, and the stories that test it."""

    name: str
    group: str
    signal: Expr
    """What is watched, without the limit: the query to look at first."""
    expr: Expr
    limit: str
    """The condition in words."""
    for_: timedelta
    severity: Severity
    summary: str
    description: str
    dashboard: Dashboard
    runbook: Runbook
    carries: CarriedLabels | None
    """The labels that it has from its series; none = not known, as of a query of the user's own."""
    label_values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The values that labels of its series can have, where they are fewer than those that the configuration knows."""
    keep_firing_for: timedelta = timedelta(0)
    """How long it fires on when the condition no longer holds."""
    outlives: timedelta = timedelta(0)
    """How much longer than through a gap it fires on, so that what it keeps silent ends before it."""
    scenarios: tuple[Scenario, ...] = ()
    threshold: float | None = None
    least_requests: int | None = None
    fires_without_data: bool = False
    own_labels: Mapping[str, str] = field(default_factory=dict)
    """Labels that the rule sets and the series lack, as routes and inhibition need them."""
    own_annotations: Mapping[str, str] = field(default_factory=dict)
    """Numbers for notifications besides the usual texts, as templates."""
    incident: str = ""
    """The name that this alert shares with others of the same cause, which one message tells; empty = its own name."""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def rule_labels(self) -> dict[str, str]:
        """The labels that the rule sets, as templates."""
        own = {"severity": self.severity, "area": self.group, "incident": self.incident or self.name}
        return {**own, **self.own_labels, **self.labels}

    @property
    def key(self) -> str:
        """Where the configuration speaks of it."""
        return f"alerts.custom ({self.name})" if self.group == "custom" else f"alerts.{self.name}"

    @property
    def distinguishing_labels(self) -> frozenset[str]:
        """The labels by which two of this alert that fire at once differ."""
        return frozenset() if self.carries is None else self.carries.names

    def changed_by(self, config: AlertConfig) -> "Alert":
        """The alert with what the configuration says of it; a threshold is part of the condition already.

        Raises ConfigError for a label that would make two alerts one.
        """
        if taken := sorted(self.distinguishing_labels.intersection(config.labels)):
            raise ConfigError(
                f"alerts.{self.name}.labels: sets {taken[0]!r}, which distinguishes alerts that fire together",
                hint="use another label name",
            )
        return replace(
            self,
            for_=self.for_ if config.for_ is None else config.for_,
            keep_firing_for=self.keep_firing_for if config.keep_firing_for is None else config.keep_firing_for,
            severity=config.severity or self.severity,
            labels={label: literal(text) for label, text in config.labels.items()},
            annotations=dict(config.annotations),
        )


def kept_through_gaps(alert: Alert, config: Config) -> Alert:
    """The alert, which fires on while its series are missing for some scrapes, as when an exporter restarts."""
    if alert.group == "objectives" or not (config.prometheus.keeps_firing and alert.expr.sees_gaps):
        return alert
    # Where one alert of an incident follows another, the first fires on until the second has held: a gap between the
    # two would be an end of the incident and a second beginning.
    longer = alert.for_ if alert.incident else timedelta(0)
    return replace(alert, keep_firing_for=config.prometheus.gap + longer + alert.outlives)


def rule(alert: Alert, config: Config) -> dict[str, Any]:
    """The alert as an entry of a rule file."""
    kept = {"keep_firing_for": format_duration(alert.keep_firing_for)} if alert.keep_firing_for else {}
    return {
        "alert": alert.name,
        "expr": str(alert.expr),
        "for": format_duration(alert.for_),
        **kept,
        "labels": alert.rule_labels,
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            **alert.own_annotations,
            "next_command": next_command(alert.name),
            "runbook_url": literal(runbook_url(alert.name, config)),
            "dashboard_url": literal(dashboard_url(alert.dashboard, config)),
            **alert.annotations,
        },
    }


def tells_for(first: Alert, name: str, config: Config) -> bool:
    """Whether `first` may tell of a fact in the place of another alert: it is rendered, and is not less severe."""
    alerts = config.alerts
    return alerts.of(first.name).enabled and alerts.severity(name) in at_most(alerts.severity(first.name))


def logs_of(service: str) -> str:
    """The command that shows the log of a service of the compose file."""
    return f"docker compose -f monitoring/docker-compose.monitoring.yml logs {service}"


def runbook_path(name: str) -> str:
    """Where an alert's runbook is, below the output folder."""
    return f"monitoring/runbooks/{name}.md"


def runbook_url(name: str, config: Config) -> str:
    """Where a person finds an alert's runbook: published, or else its path."""
    base = config.stack.runbook_url
    return runbook_path(name) if base is None else f"{base.rstrip('/')}/{name}.md"


def dashboard_url(dashboard: Dashboard, config: Config) -> str:
    """The dashboard's address."""
    return f"{config.grafana.root_url.rstrip('/')}/d/{dashboard_uid(dashboard, config)}"


def dashboard_uid(dashboard: str, config: Config) -> str:
    """The uid of a dashboard in Grafana, where those of another stack may be too."""
    return config.stack.named(str(dashboard))
