"""One alert as a value, what the configuration may change of it, and how it stands in a rule file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from facemon.config.alerts import AlertConfig
from facemon.config.document import Config
from facemon.config.quantities import format_duration
from facemon.render.annotation import literal
from facemon.render.promql import Expr
from facemon.render.scenario import Scenario


class Dashboard(StrEnum):
    """The dashboards, by the uid that links to them rely on."""

    ML_METRICS = "facemon-ml-metrics"
    API_PERFORMANCE = "facemon-api-performance"
    SYSTEM_METRICS = "facemon-system-metrics"


@dataclass(frozen=True, slots=True)
class Runbook:
    """What a person who is woken needs to know."""

    meaning: str
    causes: tuple[str, ...]
    actions: tuple[str, ...]


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
    severity: str
    summary: str
    description: str
    dashboard: Dashboard
    runbook: Runbook
    scenarios: tuple[Scenario, ...] = ()
    threshold: float | None = None
    fires_without_data: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    def changed_by(self, config: AlertConfig) -> "Alert":
        """The alert with what the configuration says of it; a threshold is part of the condition already."""
        return replace(
            self,
            for_=self.for_ if config.for_ is None else config.for_,
            severity=config.severity or self.severity,
            labels={label: literal(text) for label, text in config.labels.items()},
            annotations=dict(config.annotations),
        )


def rule(alert: Alert, config: Config) -> dict[str, Any]:
    """The alert as an entry of a rule file."""
    return {
        "alert": alert.name,
        "expr": str(alert.expr),
        "for": format_duration(alert.for_),
        "labels": {"severity": alert.severity, **alert.labels},
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            "runbook_url": literal(runbook_url(alert.name, config)),
            "dashboard_url": literal(dashboard_url(alert.dashboard, config)),
            **alert.annotations,
        },
    }


def runbook_path(name: str) -> str:
    """Where an alert's runbook is, below the output folder."""
    return f"monitoring/runbooks/{name}.md"


def runbook_url(name: str, config: Config) -> str:
    """Where a person finds an alert's runbook: published, or else its path."""
    base = config.stack.runbook_url
    return runbook_path(name) if base is None else f"{base.rstrip('/')}/{name}.md"


def dashboard_url(dashboard: Dashboard, config: Config) -> str:
    """The dashboard's address."""
    return f"{config.grafana.root_url.rstrip('/')}/d/{dashboard}"
