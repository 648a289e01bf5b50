"""Which alerts a configuration asks for, and the rule file that holds them."""

from typing import Any

from facemon.config.alerts import BUILT_IN, CustomAlertConfig
from facemon.config.document import Config
from facemon.errors import ConfigError
from facemon.render.alert import Alert, Dashboard, Runbook, kept_through_gaps, rule
from facemon.render.annotation import fault, literal
from facemon.render.api_alerts import api_alerts
from facemon.render.drift_alerts import drift_alerts
from facemon.render.markdown import escaped
from facemon.render.objectives import objective_alerts
from facemon.render.our_scenarios import narrowed_alert
from facemon.render.promql import written
from facemon.render.remembered import remembered
from facemon.render.stack_alerts import stack_alerts


@remembered
def alerts_of(config: Config) -> tuple[Alert, ...]:
    """Every alert that is rendered, as the configuration changes it; ConfigError if there is none at all."""
    built_in = (
        *(api_alerts(config) if "api" in config.prometheus.jobs else ()),
        *drift_alerts(config),
        *stack_alerts(config),
    )
    objectives = objective_alerts(config)
    enabled = tuple(
        kept_through_gaps(alert, config).changed_by(config.alerts.of(alert.name))
        for alert in built_in
        if config.alerts.of(alert.name).enabled
    )
    ours = (narrowed_alert(alert, config) for alert in (*enabled, *objectives))
    alerts = (*ours, *(_custom(alert) for alert in config.alerts.custom))
    _require_readable(alerts)
    if not alerts:
        raise ConfigError(
            "alerts: every alert is disabled, so that no receiver would ever be notified", hint="enable at least one"
        )
    return alerts


def _require_readable(alerts: tuple[Alert, ...]) -> None:
    for alert in alerts:
        texts = {"summary": alert.summary, "description": alert.description, **alert.annotations}
        for name, text in texts.items():
            if what := fault(text):
                raise ConfigError(
                    f"{alert.key}: the template of {name} {what}, so that Prometheus would refuse every rule: {text!r}",
                    hint="write a literal {{ as {{ `{{` }}",
                )


def left_out(config: Config) -> tuple[str, ...]:
    """The built-in alerts that are enabled but watch what this configuration does not have."""
    rendered = {alert.name for alert in alerts_of(config)}
    return tuple(name for name in BUILT_IN if name not in rendered and config.alerts.of(name).enabled)


def alert_rules(config: Config) -> dict[str, Any]:
    """The content of `alert_rules.yml`, a group for each concern."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for alert in alerts_of(config):
        groups.setdefault(alert.group, []).append(rule(alert, config))
    return {"groups": [{"name": f"facemon-{group}", "rules": rules} for group, rules in groups.items()]}


def _custom(custom: CustomAlertConfig) -> Alert:
    expr = written(custom.expr)
    return Alert(
        name=custom.name,
        group="custom",
        signal=expr,
        expr=expr,
        limit="as its expression says",
        for_=custom.for_,
        keep_firing_for=custom.keep_firing_for,
        severity=custom.severity,
        summary=custom.summary,
        description=custom.description or custom.summary,
        dashboard=Dashboard.ML_METRICS,
        runbook=Runbook(escaped(custom.description or custom.summary), (), ()),
        carries=None,
        labels={label: literal(text) for label, text in custom.labels.items()},
    )
