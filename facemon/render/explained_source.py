"""What a source is: a camera of the log, or something that the exporter reads metrics from."""

from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Any

from facemon.config.document import Config
from facemon.domain.metric_catalogue import CATALOGUE
from facemon.render.alert_rules import alerts_of
from facemon.render.promql import quoted

_UP = "facemon_source_up"
_OF_METRICS = {
    "store": "The prediction log: its counters, gauges and the last drift results.",
    "log": "The process of facemon serve that writes predictions to the log.",
    "application": "The metrics of an application's own under facemon.instrument.",
}


@dataclass(frozen=True, slots=True)
class SourceCheck:
    """What the newest check of record said of a source of images."""

    model: str
    check: str
    verdict: str
    rows: int
    at: str
    """When it ran, in UTC."""


@dataclass(frozen=True, slots=True)
class ExplainedSource:
    """A source, the series that tell of it, and the alerts that name it."""

    name: str
    help: str
    metrics: tuple[str, ...]
    alerts: tuple[str, ...]
    checks: tuple[SourceCheck, ...] = ()
    command: str | None = None
    """The command that says more of it."""
    page: None = None

    def document(self, schema: str) -> dict[str, Any]:
        """The JSON of `facemon.explain/1`."""
        return {
            "schema": schema,
            "kind": "source",
            "name": self.name,
            "help": self.help,
            "metrics": self.metrics,
            "alerts": self.alerts,
            "checks": [
                {"model": each.model, "check": each.check, "verdict": each.verdict, "rows": each.rows, "at": each.at}
                for each in self.checks
            ],
            "command": self.command,
        }

    def facts(self) -> list[tuple[str, str]]:
        """What is said of it, in the order in which it is shown."""
        checks = [
            (f"{each.check} check", f"{each.verdict} of {each.model} on {each.rows:,} rows at {each.at}")
            for each in self.checks
        ]
        return [
            ("source", self.name),
            ("help", self.help),
            *checks,
            ("alerts", ", ".join(self.alerts) or "-"),
            *(("metric", metric) for metric in self.metrics),
            *([("command", self.command)] if self.command else []),
        ]


def source_of_metrics(name: str, config: Config) -> ExplainedSource | None:
    """A source of the exporter's metrics, as `facemon_source_up` names it; none where there is none of that name."""
    help_ = _OF_METRICS.get(name)
    if name in config.exporter.collectors:
        help_ = "A collector of your own, named in exporter.collectors."
    if help_ is None:
        return None
    return ExplainedSource(name, help_, (f"{_UP}{{source={quoted(name)}}}",), _alerts_on((_UP,), config))


def source_of_images(name: str, config: Config, checks: Sequence[SourceCheck]) -> ExplainedSource:
    """A source of the log, such as a camera, with what the newest checks say of it."""
    metrics = [metric.name for metric in CATALOGUE.values() if {"source", "check"} <= {*metric.labels}]
    return ExplainedSource(
        name,
        "A source of images in the log, such as a camera.",
        tuple(f"{metric}{{source={quoted(name)}}}" for metric in metrics),
        _alerts_on(metrics, config),
        tuple(checks),
        f"facemon drift-check --source {quote(name)}",
    )


def _alerts_on(metrics: Sequence[str], config: Config) -> tuple[str, ...]:
    return tuple(alert.name for alert in alerts_of(config) if any(metric in str(alert.expr) for metric in metrics))
