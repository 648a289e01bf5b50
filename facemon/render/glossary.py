"""What a name means as this configuration has it: an alert, a metric, a column, a source, or a PromQL expression."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, get_args

from facemon.config.alerts import BUILT_IN
from facemon.config.document import Config
from facemon.config.durations import format_duration
from facemon.config.prometheus import TRANSPORT_JOBS, Job, RemoteWriteConfig, Transport
from facemon.config.serving import ProbeConfig
from facemon.domain.metric_catalogue import CATALOGUE, Metric, MetricSource
from facemon.errors import ConfigError, UsageError
from facemon.near_names import did_you_mean
from facemon.render.alert import Alert, rule
from facemon.render.alert_rules import alerts_of
from facemon.render.dashboards import DASHBOARDS
from facemon.render.explained_column import ExplainedColumn, column_names, explain_column
from facemon.render.explained_query import ExplainedQuery, explain_query, is_query
from facemon.render.explained_source import ExplainedSource, source_of_metrics
from facemon.render.foreign_metrics import FOREIGN
from facemon.render.promql import exposed_names
from facemon.render.recording_rules import recording_rules
from facemon.render.rendered_content import panels, rules
from facemon.render.runbooks import runbook

SCHEMA = "facemon.explain/1"
_NONE = "-"
_WORD = re.compile(r"[a-zA-Z_:][\w:]*")
_REPEATED = re.compile(r":? \$\w+$")
"""The part of a repeated panel's title that is another one for each value."""
_FOREIGN_FROM = {
    "node_": "node-exporter", "container_": "cAdvisor", "prometheus_": "Prometheus", "alertmanager_": "Alertmanager",
    "push_": "the Pushgateway",
}  # fmt: skip


def _no_source(_name: str) -> ExplainedSource | None:
    return None


class State(StrEnum):
    """Whether an alert stands in the rule file."""

    RENDERED = "rendered"
    DISABLED = "disabled"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class ExplainedAlert:
    """An alert; of one that is not rendered, as it would be."""

    alert: Alert
    state: State
    reason: str | None
    """Why it is not rendered."""
    rule: dict[str, Any]
    runbook: str

    @property
    def page(self) -> str:
        """What is shown below the facts."""
        return self.runbook.rstrip()

    def facts(self) -> list[tuple[str, str]]:
        """What is said of it, in the order in which it is shown."""
        entry, reason = self.rule, f": {self.reason}" if self.reason else ""
        return [
            ("alert", self.alert.name),
            ("state", f"{self.state.value}{reason}"),
            ("severity", self.alert.severity),
            ("fires on", self.alert.limit),
            ("for", entry["for"]),
            ("query", entry["expr"]),
            ("labels", ", ".join(f"{label}={text}" for label, text in entry["labels"].items())),
            *((link, entry["annotations"][link]) for link in ("runbook_url", "dashboard_url")),
        ]

    def document(self, schema: str = SCHEMA) -> dict[str, Any]:
        """The JSON of `facemon.explain/1`."""
        alert = self.alert
        return {
            "schema": schema,
            "kind": "alert",
            "name": alert.name,
            "state": self.state.value,
            "reason": self.reason,
            "severity": alert.severity,
            "limit": alert.limit,
            "threshold": alert.threshold,
            "for": format_duration(alert.for_),
            "signal": str(alert.signal),
            "query": self.rule["expr"],
            "labels": self.rule["labels"],
            "annotations": self.rule["annotations"],
            "runbook": self.runbook,
        }


@dataclass(frozen=True, slots=True)
class ExplainedMetric:
    """A metric of facemon, of another program, or of a recording rule, and what asks for it."""

    name: str
    type: str
    help: str
    labels: tuple[str, ...] | None
    """None = those that its query keeps."""
    unit: str | None
    comes_from: str
    query: str | None
    """Of a recording rule: what it computes."""
    recorded_as: tuple[str, ...]
    alerts: tuple[str, ...]
    panels: tuple[tuple[str, str], ...]
    """Titles of dashboards and their panels."""
    page: None = None

    def facts(self) -> list[tuple[str, str]]:
        """What is said of it, in the order in which it is shown."""
        labels = "those that its query keeps" if self.labels is None else ", ".join(self.labels)
        return [
            ("metric", self.name),
            ("type", self.type),
            ("help", self.help),
            ("labels", labels or _NONE),
            ("unit", self.unit or _NONE),
            ("from", self.comes_from),
            *([("query", self.query)] if self.query else []),
            ("recorded as", ", ".join(self.recorded_as) or _NONE),
            ("alerts", ", ".join(self.alerts) or _NONE),
            *(("panel", f"{dashboard}: {panel}") for dashboard, panel in self.panels),
            *([] if self.panels else [("panel", _NONE)]),
        ]

    def document(self, schema: str = SCHEMA) -> dict[str, Any]:
        """The JSON of `facemon.explain/1`."""
        return {
            "schema": schema,
            "kind": "metric",
            "name": self.name,
            "type": self.type,
            "help": self.help,
            "labels": self.labels,
            "unit": self.unit,
            "from": self.comes_from,
            "query": self.query,
            "recorded_as": self.recorded_as,
            "alerts": self.alerts,
            "panels": [{"dashboard": dashboard, "panel": panel} for dashboard, panel in self.panels],
        }


Explained = ExplainedAlert | ExplainedMetric | ExplainedColumn | ExplainedSource | ExplainedQuery


def explain(name: str, config: Config, known_source: Callable[[str], ExplainedSource | None] = _no_source) -> Explained:
    """What `name` is; UsageError with the nearest names if it is nothing that is known.

    `known_source` looks for a source of images of that name, once it is nothing else.
    """
    if (alert := _rendered(config).get(name)) or (name in BUILT_IN and (alert := _every_alert(config).get(name))):
        return _alert(alert, config)
    recorded = {entry["record"]: entry["expr"] for _, entry in rules(recording_rules(config))}
    exported = {part: metric for metric in CATALOGUE.values() for part in (metric.name, *exposed_names(metric))}
    if name in exported:
        return _metric(exported[name], config, recorded)
    if name in FOREIGN:
        foreign = FOREIGN[name]
        program = next((program for start, program in _FOREIGN_FROM.items() if name.startswith(start)), "Prometheus")
        return ExplainedMetric(
            name, foreign.type.value, f"A metric of {program}, which says what it is in its own /metrics.",
            foreign.labels, None, program, None, *_uses({name}, config, recorded),
        )  # fmt: skip
    if name in recorded:
        return ExplainedMetric(
            name, "gauge", "What Prometheus computes once, so that alerts and panels show the same numbers.",
            None, None, "recording_rules.yml", recorded[name], *_uses({name}, config, recorded),
        )  # fmt: skip
    if found := explain_column(name, config) or source_of_metrics(name, config) or known_source(name):
        return found
    if is_query(name):
        return explain_query(name, config, recorded)
    known = [*_every_alert(config), *CATALOGUE, *FOREIGN, *recorded, *column_names(config)]
    hint = did_you_mean(name, known, "facemon explain lists what there is", most=3, cutoff=0.5)
    raise UsageError(f"explain {name}: no such alert, metric, column or source", hint)


def known_names(config: Config) -> dict[str, tuple[str, ...]]:
    """Everything that can be explained by its name, but for sources of images: they are in the log."""
    return {
        "alert": tuple(alert.name for alert in alerts_of(_with_everything(config))),
        "metric": tuple(CATALOGUE),
        "recorded": tuple(entry["record"] for _, entry in rules(recording_rules(config))),
        "column": column_names(config),
        "source": ("store", "log", "application", *config.exporter.collectors),
        "other programs": tuple(FOREIGN),
    }


def _alert(alert: Alert, config: Config) -> ExplainedAlert:
    state, reason = State.RENDERED, None
    if alert.name not in _rendered(config):
        is_disabled = alert.name in BUILT_IN and not config.alerts.of(alert.name).enabled
        state = State.DISABLED if is_disabled else State.LEFT_OUT
        reason = f"alerts.{alert.name}.enabled is false" if is_disabled else _lacks(alert.name, config)
    return ExplainedAlert(alert, state, reason, rule(alert, config), runbook(alert, config))


def _rendered(config: Config) -> dict[str, Alert]:
    try:
        return {alert.name: alert for alert in alerts_of(config)}
    except ConfigError:  # there is none at all
        return {}


def _lacks(name: str, config: Config) -> str:
    """What a configuration lacks that an alert would watch."""
    jobs = config.prometheus.jobs
    needed = [job for job in get_args(Job) if job not in jobs and name in _rendered(_with_jobs(config, (*jobs, job)))]
    if needed:
        return f"prometheus.jobs has no {' or '.join(needed)}, which it watches"
    if name in _rendered(_with_probe(config)):
        return "exporter.probes names no service, and there is no collector in exporter.collectors to ask one"
    if name in _rendered(_with_remote(config)):
        return "prometheus.remote_write names no storage"
    if transports := [
        transport for transport in TRANSPORT_JOBS if name in _rendered(_with_transport(config, transport))
    ]:
        transport = config.prometheus.store_metrics_from
        return f"prometheus.store_metrics_from is {transport}; the alert is for {' and '.join(transports)}"
    return "neither a job nor a probe of this configuration gives it something to watch"


def _every_alert(config: Config) -> dict[str, Alert]:
    """The alerts of this configuration, and those that another one would have."""
    whole = _with_everything(config)
    transports = [
        _with_transport(whole, transport)
        for transport in TRANSPORT_JOBS
        if transport != whole.prometheus.store_metrics_from
    ]
    return {alert.name: alert for each in (*transports, whole) for alert in alerts_of(each)} | _rendered(config)


def _with_everything(config: Config) -> Config:
    enabled = {name: config.alerts.of(name).model_copy(update={"enabled": True}) for name in BUILT_IN}
    whole = config.model_copy(update={"alerts": config.alerts.model_copy(update=enabled)})
    return _with_remote(_with_probe(_with_jobs(whole, get_args(Job))))


def _with_transport(config: Config, transport: Transport) -> Config:
    return config.model_copy(
        update={"prometheus": config.prometheus.model_copy(update={"store_metrics_from": transport})}
    )


def _with_remote(config: Config) -> Config:
    remotes = config.prometheus.remote_write or (RemoteWriteConfig(url="http://remote/write"),)
    return config.model_copy(update={"prometheus": config.prometheus.model_copy(update={"remote_write": remotes})})


def _with_jobs(config: Config, jobs: tuple[Job, ...]) -> Config:
    return config.model_copy(update={"prometheus": config.prometheus.model_copy(update={"jobs": jobs})})


def _with_probe(config: Config) -> Config:
    probes = config.exporter.probes or (ProbeConfig(name="service", url="http://service/health"),)
    return config.model_copy(update={"exporter": config.exporter.model_copy(update={"probes": probes})})


def _metric(metric: Metric, config: Config, recorded: dict[str, str]) -> ExplainedMetric:
    transport = config.prometheus.store_metrics_from
    job = TRANSPORT_JOBS[transport]
    comes_from = {
        MetricSource.STORE: f"the store, by the job {job} (prometheus.store_metrics_from: {transport})",
        MetricSource.SERVE: "facemon serve, by the job api",
        MetricSource.PROCESS: "whatever exports: the API, the exporter, each run of export-metrics",
    }
    uses = _uses({metric.name, *exposed_names(metric)}, config, recorded)
    return ExplainedMetric(
        metric.name, metric.type.value, metric.help, metric.labels, metric.unit or None, comes_from[metric.source],
        None, *uses,
    )  # fmt: skip


_Uses = tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[str, str], ...]]


def _uses(names: set[str], config: Config, recorded: dict[str, str]) -> _Uses:
    """The recording rules, alerts and panels that ask for one of `names`, or for what was recorded of it."""
    records = tuple(record for record, expr in recorded.items() if names & _words(expr))
    asked = names | set(records)
    alerts = tuple(alert.name for alert in alerts_of(config) if asked & _words(str(alert.expr)))
    return records, alerts, tuple(_panels_that_ask(asked, config))


def _panels_that_ask(names: set[str], config: Config) -> Iterator[tuple[str, str]]:
    for build in DASHBOARDS.values():
        dashboard = build(config)
        for _, panel in panels(dashboard):
            if any(names & _words(target["expr"]) for target in panel.get("targets", ())):
                yield dashboard["title"], _REPEATED.sub("", panel["title"])


def _words(query: str) -> set[str]:
    return set(_WORD.findall(query))
