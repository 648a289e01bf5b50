"""Every query of rules and dashboards: valid, of known metrics, and in the labels that its result has."""

import re
from collections.abc import Iterator
from typing import Any

from facemon.config.alerts import BUILT_IN
from facemon.config.document import Config
from facemon.render.lint.finding import Finding, LintedFile
from facemon.render.lint.query_reading import KnownMetric, Labels, Vocabulary, exported_metrics, read_query
from facemon.render.recording_rules import recording_rules
from facemon.render.rendered_content import Keys, is_dashboard, panels, rules

_MACRO = re.compile(r"\$__(?:rate_interval|interval|range)\b")
_LEGEND_LABEL = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_ALERT_LABEL = re.compile(r"\$labels\.(\w+)")
_LABEL_VALUES = re.compile(r"label_values\((?:(?P<query>.+),\s*)?(?P<label>\w+)\)", re.DOTALL)
_QUERY_RESULT = re.compile(r"query_result\((?P<query>.+)\)", re.DOTALL)
_METRIC_ACTION = "ask for a metric of the catalogue, of foreign_metrics or of the recording rules"


def query_findings(files: tuple[LintedFile, ...], config: Config) -> Iterator[Finding]:
    """What is wrong with queries, wherever they stand."""
    vocabulary, faults = _vocabulary(files, config)
    yield from faults
    for file in files:
        for place, rule in rules(file.content):
            if "alert" in rule:
                yield from _alert(file, place, rule, vocabulary, config)
        for place, panel in panels(file.content):
            yield from _panel(file, place, panel, vocabulary)
        yield from _variables(file, vocabulary)


def _vocabulary(files: tuple[LintedFile, ...], config: Config) -> tuple[Vocabulary, list[Finding]]:
    """What may be asked for, and the faults of recording rules, each of which may ask for those before it."""
    vocabulary, faults = exported_metrics(config.metrics.labels, config.prometheus.target_labels), []
    recording = [(file, place, rule) for file in files for place, rule in rules(file.content) if "record" in rule]
    if not recording:
        whole = LintedFile("recording rules", "", recording_rules(config))
        recording = [(whole, place, rule) for place, rule in rules(whole.content)]
    for file, place, rule in recording:
        labels, found = _judged(file, (*place, "expr"), rule["expr"], vocabulary)
        faults += found
        vocabulary[rule["record"]] = KnownMetric(None if labels is None else labels | frozenset(rule.get("labels", ())))
    return vocabulary, faults


def _judged(
    file: LintedFile, place: Keys, query: str, vocabulary: Vocabulary | None
) -> tuple[Labels, list[Finding]]:  # fmt: skip
    reading = read_query(_MACRO.sub("5m", query), vocabulary)
    return reading.labels, [file.fault(place, fault, _METRIC_ACTION if "asks for" in fault else "correct the query")
                            for fault in reading.faults]  # fmt: skip


def _alert(
    file: LintedFile, place: Keys, rule: dict[str, Any], vocabulary: Vocabulary, config: Config
) -> Iterator[Finding]:
    # The user's own metrics are known to the user only.
    is_own = rule["alert"] in {alert.name for alert in config.alerts.custom}
    labels, faults = _judged(file, (*place, "expr"), rule["expr"], None if is_own else vocabulary)
    yield from faults
    # An annotation that the configuration sets may ask for whatever it likes.
    given = config.alerts.of(rule["alert"]).annotations if rule["alert"] in BUILT_IN else {}
    for name, text in rule.get("annotations", {}).items():
        for label in _ALERT_LABEL.findall(text):
            if labels is not None and name not in given and label not in {*labels, *rule.get("labels", ())}:
                yield file.fault((*place, "annotations", name), f"names the label {label}, which the alert lacks",
                                 "name a label that the expression keeps")  # fmt: skip


def _panel(file: LintedFile, place: Keys, panel: dict[str, Any], vocabulary: Vocabulary) -> Iterator[Finding]:
    for index, target in enumerate(panel.get("targets", ())):
        here = (*place, "targets", index)
        labels, faults = _judged(file, (*here, "expr"), target.get("expr", ""), vocabulary)
        yield from faults
        for label in _LEGEND_LABEL.findall(target.get("legendFormat", "")):
            if labels is not None and label not in labels:
                yield file.fault((*here, "legendFormat"), f"names the label {label}, which the query's result lacks",
                                 "name a label that the query keeps")  # fmt: skip


def _variables(file: LintedFile, vocabulary: Vocabulary) -> Iterator[Finding]:
    if not is_dashboard(file.content):
        return
    for place, annotation in enumerate(file.content.get("annotations", {}).get("list", ())):
        if "expr" in annotation:
            yield from _judged(file, ("annotations", "list", place, "expr"), annotation["expr"], vocabulary)[1]
    for place, variable in enumerate(file.content.get("templating", {}).get("list", ())):
        if variable.get("type") == "query":
            query = variable.get("query", "")
            text = query.get("query", "") if isinstance(query, dict) else query
            yield from _variable(file, ("templating", "list", place, "query"), text, vocabulary)


def _variable(file: LintedFile, place: Keys, text: str, vocabulary: Vocabulary) -> Iterator[Finding]:
    match = _LABEL_VALUES.fullmatch(text) or _QUERY_RESULT.fullmatch(text)
    if match is None:
        yield file.fault(place, f"{text!r} is not a query of a variable", "use label_values(…) or query_result(…)")
        return
    if match["query"] is None:
        return
    labels, faults = _judged(file, place, match["query"], vocabulary)
    yield from faults
    label = match.groupdict().get("label")
    if label is not None and labels is not None and label not in labels:
        yield file.fault(place, f"asks for the label {label}, which its metric lacks", "ask for one that it has")
