"""What a person would miss on the dashboards of a week: panels, choices and annotations without anything in them."""

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from facemon.config.document import Config
from facemon.render.alert_rules import alert_rules
from facemon.render.dashboards import DASHBOARDS
from tests.render.grafana_queries import Asked, Choices, Grafana

Options = Mapping[str, Sequence[str]]

_NOT_CHOOSABLE = "`"
"""Ends the string that a choice is written in."""
_HIGHEST = re.compile(r"\b(?:top|bottom)k\(")
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True, slots=True)
class Seen:
    """How many queries, variables and annotations were asked for, and what was wrong with them."""

    asked: int
    faults: tuple[str, ...]


def look(grafana: Grafana, config: Config) -> Seen:
    """Look at all three dashboards, first with all chosen, then with each value of every choice."""
    faults, asked = list[str](), 0
    for name, build in DASHBOARDS.items():
        dashboard = build(config)
        options = grafana.options(dashboard)
        everything: Choices = dict.fromkeys(options)
        panels = list(grafana.panels(dashboard, everything))
        asked += len(options) + len(panels) + len(dashboard["annotations"]["list"])
        faults += [f"{name}: nothing to choose for {variable}" for variable, values in options.items() if not values]
        faults += (f"{name}: {fault}" for panel in panels for fault in faults_of(panel))
        faults += (f"{name}: {fault}" for fault in _chosen(grafana, dashboard, options, panels))
        faults += (f"{name}: {fault}" for fault in _annotated(grafana, dashboard, config, everything))
    return Seen(asked, tuple(faults))


def faults_of(asked: Asked) -> Iterator[str]:
    """What a person would miss in one query's answer."""
    if asked.is_empty:
        yield f"{asked.panel} is empty: {asked.query}"
    for label in _PLACEHOLDER.findall(asked.target["legendFormat"]):
        if asked.series and not any(labels.get(label) for labels, _ in asked.series):
            yield f"{asked.panel}: the legend's {label} is no label of {asked.query}"


def _chosen(grafana: Grafana, dashboard: Mapping[str, Any], options: Options, panels: list[Asked]) -> Iterator[str]:
    """Each value of every choice together shows what All shows of them.

    Where the highest are shown, and some of All's are of values that cannot be chosen, others take their places.
    """
    choosable = {name: [value for value in values if _NOT_CHOOSABLE not in value] for name, values in options.items()}
    choices: Choices = {name: values or None for name, values in choosable.items()}
    are_fewer = choosable != options
    for before, after in zip(panels, grafana.panels(dashboard, choices), strict=True):
        of_all, of_each = _series(before, choosable), _series(after, choosable)
        is_alike = of_all <= of_each if are_fewer and _HIGHEST.search(after.query) else of_all == of_each
        if not is_alike:
            yield f"{before.panel}: every value of {', '.join(options)} shows other series than All: {after.query}"


def _series(asked: Asked, options: Options) -> Counter[tuple[tuple[str, str], ...]]:
    """The labels of each series that can be chosen; of those that are pushed the job is none of Prometheus'."""
    return Counter(
        tuple(sorted(labels.items()))
        for labels, _ in asked.series
        if all(label not in options or value in options[label] for label, value in labels.items())
    )


def _annotated(grafana: Grafana, dashboard: Mapping[str, Any], config: Config, everything: Choices) -> Iterator[str]:
    """The alerts that fire are on the dashboard that they link to, and on no other."""
    now = replace(grafana, at=time.time())
    firing = {labels["alertname"] for labels, _ in now.instant('ALERTS{alertstate="firing", severity!="none"}')}
    rules = [rule for group in alert_rules(config)["groups"] for rule in group["rules"]]
    page = f"/d/{dashboard['uid']}"
    here = {rule["alert"] for rule in rules if page in rule["annotations"]["dashboard_url"]}
    shown = set[str]()
    for annotation, query in zip(dashboard["annotations"]["list"], now.annotations(dashboard, everything), strict=True):
        if annotation["name"] == "Alerts":
            shown |= {labels["alertname"] for labels, _ in now.instant(query)}
        # A week of minutes has fewer points than Prometheus gives at once.
        elif not any(values for _, values in grafana.week(query)):
            yield f"the annotation {annotation['name']} marks nothing: {query}"
    if shown != firing & here:
        yield f"annotations show {sorted(shown)}, but {sorted(firing & here)} fire"
