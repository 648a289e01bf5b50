"""The alerts section of a random configuration."""

from collections.abc import Iterator
from typing import Any, get_args

from facemon.config.alerts import BUILT_IN, AgeAlertConfig, AlertsConfig, LatencyAlertConfig
from facemon.config.quantities import Severity
from facemon.domain.metric_catalogue import LATENCY_BUCKETS
from tests.render.random_choices import FOR, LONGEST, Choices, Document

_LONG = ("2d", "53h", "8d", "30d", "4w")
_PERIODS = ("7d", "28d", "30d", "90d")
_ANNOTATIONS = ("summary", "description", "extra", "_x1", "a" * LONGEST)
_EXPRESSIONS = (
    "vector(1) > 2",
    "sum(rate(api_requests_total[5m])) > 1000",
    'drift_score{attribute="a\\"b\\\\c{{ x }}"} > 0.5',
    "up == 0 # a comment",
    "max by (job) (\n  up\n) < 0",
)
OLD_VERSIONS = ("2.27", "2.41")
"""Versions of Prometheus that do not know keep_firing_for."""
_KEPT = "TargetDown"
"""Never disabled: without any alert nothing is rendered."""


def random_alerts(choices: Choices, prometheus: Document) -> Document:
    """Changes of built-in alerts, alerts of one's own, and objectives where the API is scraped."""
    jobs, keeps = prometheus["jobs"], prometheus.get("target_version") not in OLD_VERSIONS
    section: Document = {name: _changed(choices, name, keeps=keeps) for name in choices.some(BUILT_IN)}
    names = [f"Own{number}" for number in choices.times(3)] + (["_x" * 100] if choices.maybe(0.2) else [])
    if names:
        section["custom"] = [_custom(choices, name, keeps=keeps) for name in names]
    if choices.maybe(0.3):
        section["ignored_endpoints"] = choices.one(([], ["/health"], [choices.text(), "/a{b}|c"]))
    if "api" in jobs and choices.maybe():
        section["objectives"] = [_objective(choices, f"Goal{number}") for number in choices.times(2)]
    return section


def _changed(choices: Choices, name: str, *, keeps: bool) -> Document:
    model = type(getattr(AlertsConfig(), name))
    change: Document = {}
    if choices.maybe(0.2) and name != _KEPT:
        change["enabled"] = False
    if choices.maybe():
        change["for"] = choices.one(FOR)
    if keeps and choices.maybe(0.3):
        change["keep_firing_for"] = choices.one(FOR)
    if choices.maybe():
        change["severity"] = choices.one(get_args(Severity))
    if choices.maybe():
        change["labels"] = choices.labels()
    if choices.maybe():
        change["annotations"] = {key: choices.template() for key in choices.some(_ANNOTATIONS)}
    if "min_requests" in model.model_fields and choices.maybe():
        change["min_requests"] = choices.one((0, 1, 10, 1000))
    if "threshold" in model.model_fields and choices.maybe():
        change["threshold"] = _threshold(choices, model)
    return change


def _threshold(choices: Choices, model: type[Any]) -> float | str:
    if issubclass(model, AgeAlertConfig):
        return choices.one(_LONG)
    if issubclass(model, LatencyAlertConfig):
        return choices.one(LATENCY_BUCKETS[:-1])
    ends = dict(_ends(model))
    return choices.one((choices.number(0.01, 0.99), *(ends[end] for end in ("ge", "le") if end in ends)))


def _ends(model: type[Any]) -> Iterator[tuple[str, float]]:
    """What the threshold may be at the least and at the most, where the end itself is allowed."""
    threshold = get_args(model.model_fields["threshold"].annotation)[0]
    for constraint in getattr(get_args(threshold)[1], "metadata", ()):
        for end in ("ge", "le"):
            if hasattr(constraint, end):
                yield end, float(getattr(constraint, end))


def _custom(choices: Choices, name: str, *, keeps: bool) -> Document:
    alert: Document = {"name": name, "expr": choices.one(_EXPRESSIONS), "summary": choices.template()}
    optional = {
        "for": choices.one(FOR), "severity": choices.one(get_args(Severity)),
        "description": choices.template(), "labels": choices.labels(),
    }  # fmt: skip
    if keeps:
        optional["keep_firing_for"] = choices.one(FOR)
    return alert | {key: optional[key] for key in choices.some(tuple(optional))}


def _objective(choices: Choices, name: str) -> Document:
    objective: Document = {
        "name": name + choices.one(("", "X" * 50)),
        "indicator": choices.one(("errors", "latency")),
        "target": choices.one((0.5, 0.9, 0.99, 0.999, 0.99995)),
    }
    if objective["indicator"] == "latency" and choices.maybe():
        objective["threshold"] = choices.one(LATENCY_BUCKETS[:-1])
    if choices.maybe():
        objective["endpoint"] = choices.text()
    if choices.maybe():
        objective["period"] = choices.one(_PERIODS)
    return objective
