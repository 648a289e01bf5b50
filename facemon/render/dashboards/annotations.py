"""What marks the time axis of a dashboard: alerts that fire, references, checks, and models that are new."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from facemon.config.document import Config
from facemon.render import promql
from facemon.render.alert import Dashboard
from facemon.render.alert_rules import alerts_of
from facemon.render.dashboards.expressions import milliseconds, newcomers
from facemon.render.dashboards.panel import DATASOURCE
from facemon.render.dashboards.variable import Variable
from facemon.render.drift_series import CHECKED_AT, LAST_SUCCESS
from facemon.render.foreign_metrics import ALERTS

_STEP = "60s"


@dataclass(frozen=True, slots=True)
class Annotation:
    """Moments with a title and a text; what a switch at the top of the dashboard shows or hides."""

    name: str
    colour: str
    expr: promql.Expr
    title: str
    text: str
    tags: str = ""
    """Labels whose values become tags."""
    holds_moments: bool = False
    """Whether the values are the moments, in milliseconds; else it is wherever there are values above 0."""

    def within(self, scope: promql.Scope) -> Self:
        """The same moments of fewer series."""
        return replace(self, expr=self.expr.within(scope))


def references_and_checks(
    targets: Sequence[promql.Matcher], models: Sequence[promql.Matcher]
) -> tuple[Annotation, ...]:
    """When a reference was set, and when each check of record ran."""
    reference = milliseconds(LAST_SUCCESS, promql.equals("command", "reference"), *targets)
    checked = milliseconds(CHECKED_AT, *models)
    return (
        Annotation("References", "blue", reference, "Reference set", "facemon reference set", holds_moments=True),
        Annotation("Checks", "#808080", checked, "Drift check", "{{check}} check of {{model}}", holds_moments=True),
    )


def new_models(series: promql.Expr) -> Annotation:
    """When a model, by name and version, was seen for the first time in a day; the series have the label `model`."""
    return Annotation("Models", "purple", newcomers(series, "model"), "New model", "{{model}}", "model")


def firing(config: Config, *matchers: promql.Matcher, on: Dashboard | None = None) -> promql.Expr | None:
    """The alerts that fire, of one dashboard or of all, without the Watchdog; None where there are none.

    Names do not suffice: other rules of the same Prometheus have alerts that are called TargetDown too, but no `area`.
    """
    alerts = [alert for alert in alerts_of(config) if alert.severity != "none" and on in (None, alert.dashboard)]
    if not alerts:
        return None
    ours = (
        promql.one_of("alertname", [alert.name for alert in alerts]),
        promql.one_of("area", list(dict.fromkeys(alert.group for alert in alerts))),
    )
    return promql.select(ALERTS, promql.equals("alertstate", "firing"), *ours, *matchers)


def firing_alerts(config: Config, which: Dashboard, variables: Sequence[Variable]) -> tuple[Annotation, ...]:
    """The alerts of the dashboard while they fire; none where it has no alerts."""
    constant = config.metrics.labels
    chosen = [
        promql.chosen_or_none(each.name, on_any_series=each.name in constant)
        for each in variables
        if each.name in ALERTS.labels or each.name in constant
    ]
    if (expr := firing(config, *chosen, on=which)) is None:
        return ()
    text = "{{attribute}} {{source}} {{endpoint}} {{job}} {{instance}}"
    return (Annotation("Alerts", "red", expr, "{{alertname}}", text, "severity"),)


def annotation_json(annotation: Annotation) -> dict[str, Any]:
    """The annotation in Grafana's classic JSON."""
    return {
        "name": annotation.name,
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": annotation.colour,
        "expr": str(annotation.expr),
        "step": _STEP,
        "titleFormat": annotation.title,
        "textFormat": annotation.text,
        "tagKeys": annotation.tags,
        "useValueForTime": annotation.holds_moments,
    }
