"""The dashboard *System Metrics*: the monitoring itself, and the machines and containers that all of this runs on."""

from typing import Any

from facemon.config.document import Config
from facemon.render import foreign_metrics as foreign
from facemon.render import promql
from facemon.render.alert import Dashboard
from facemon.render.dashboards import advice
from facemon.render.dashboards.annotations import firing
from facemon.render.dashboards.colours import BAD, GOOD
from facemon.render.dashboards.containers import container_panels
from facemon.render.dashboards.dashboard import dashboard
from facemon.render.dashboards.machines import machine_panels, machines_now
from facemon.render.dashboards.panel import Limit, Panel, PanelType, Query, State, stat
from facemon.render.dashboards.section import Section
from facemon.render.dashboards.variable import variables
from facemon.render.metrics_absent import SOURCE_UP
from facemon.render.stack_alerts import SERVICE_STATUS, knows_services

_CHOSEN = tuple(promql.chosen(label) for label in promql.TARGET_LABELS)
_STATES = {1: State("up", GOOD), 0: State("down", BAD)}


def system_metrics(config: Config) -> dict[str, Any]:
    """Build the dashboard."""
    sections = (
        Section(100, "Now", _now(config), advice=advice.SYSTEM_NOW),
        Section(200, "Monitoring", _monitoring(config), advice=advice.MONITORING),
        Section(300, "Machines", machine_panels(_CHOSEN), ("node",), advice.MACHINES),
        Section(400, "Containers", container_panels(_CHOSEN), ("cadvisor",), advice.CONTAINERS),
    )
    choices = variables(promql.TARGET_LABELS, (foreign.UP,))
    return dashboard(config, Dashboard.SYSTEM_METRICS, sections, choices, since="now-24h")


def _now(config: Config) -> tuple[Panel, ...]:
    fires, none = firing(config, *(promql.chosen_or_none(label) for label in promql.TARGET_LABELS)), promql.constant(0)
    count = none if fires is None else promql.either(promql.aggregate("count", fires), none)
    down = promql.complement(promql.select(foreign.UP, *_CHOSEN))

    return (
        stat(6, "Targets down", "Targets that Prometheus cannot scrape.", "none",
             promql.aggregate("sum", down), limit=Limit(1)),
        stat(7, "Alerts firing", "facemon's alerts that fire now, on any of the three dashboards, without the "
             "Watchdog.", "none", count, limit=Limit(1)),
        *machines_now(_CHOSEN),
    )  # fmt: skip


def _monitoring(config: Config) -> tuple[Panel, ...]:
    # What is pushed has no instance.
    is_pushed = config.prometheus.store_metrics_from == "pushgateway"
    legend = "{{source}} of {{job}}" if is_pushed else "{{source}} at {{instance}}"
    sources = [Query(promql.select(SOURCE_UP, *_CHOSEN), legend)]
    if knows_services(config):
        sources.append(Query(promql.select(SERVICE_STATUS, *_CHOSEN), "{{service}}"))
    return (
        _states(12, "Targets", "Whether Prometheus can scrape each target.",
                Query(promql.select(foreign.UP, *_CHOSEN), "{{job}} {{instance}}")),
        _states(13, "Sources and services", "Whether facemon can read its sources of metrics, such as the store, and "
                "whether the services answer that exporter.probes or a collector asks.", *sources),
        Panel(
            id=14,
            title="Rules that fail",
            description="Evaluations of rules that ended in an error, in the window before: their alerts cannot fire.",
            unit="short",
            queries=(_failures(foreign.PROMETHEUS_RULE_FAILURES, config, "{{instance}}"),),
            needs=("prometheus",),
        ),
        Panel(
            id=15,
            title="Notifications that fail",
            description="Notifications that a receiver refused, in the window before: alerts fire, but it is not "
            "notified.",
            unit="short",
            queries=(_failures(foreign.ALERTMANAGER_FAILURES, config, "{{integration}}", "integration"),),
            needs=("alertmanager",),
        ),
    )  # fmt: skip


def _states(number: int, title: str, description: str, *queries: Query) -> Panel:
    return Panel(
        id=number, title=title, description=description, unit="none", queries=queries, type=PanelType.STATES,
        states=_STATES,
    )  # fmt: skip


def _failures(metric: promql.Series, config: Config, legend: str, by: str = "instance") -> Query:
    increase = promql.increase(metric, config.prometheus.window, *_CHOSEN)
    return Query(promql.aggregate("sum", increase, by=(by,)), legend)
