"""What a PromQL expression asks for, piece by piece: its functions, its metrics, and the labels of its result."""

import re
from dataclasses import dataclass
from typing import Any

from facemon.config.document import Config
from facemon.domain.metric_catalogue import CATALOGUE
from facemon.errors import UsageError
from facemon.render.foreign_metrics import FOREIGN
from facemon.render.lint.query_reading import KnownMetric, exported_metrics, read_query
from facemon.render.promql import RANGE, RATE_INTERVAL, exposed_names

FUNCTIONS = {
    "abs": "The value without its sign.",
    "absent": "1 where the selector finds no series, else nothing.",
    "avg": "The mean over series.",
    "avg_over_time": "The mean of each gauge's samples in the window.",
    "bottomk": "The series with the lowest values.",
    "changes": "How often the value changed in the window.",
    "clamp_max": "Values above the limit become the limit.",
    "clamp_min": "Values below the limit become the limit.",
    "count": "The number of series.",
    "delta": "By how much a gauge changed in the window.",
    "deriv": "By how much a gauge changes each second, from a straight line through the window.",
    "group": "1 for each group of series.",
    "histogram_quantile": "The value below which this share of a histogram's observations lies, from its buckets.",
    "increase": "By how much a counter grew in the window; restarts are made up for.",
    "irate": "The rate of a counter from its last two samples.",
    "label_join": "A label made of the values of others.",
    "label_replace": "A label made of another one's value by a regular expression.",
    "last_over_time": "The newest sample in the window.",
    "max": "The highest value over series.",
    "max_over_time": "The highest sample in the window.",
    "min": "The lowest value over series.",
    "min_over_time": "The lowest sample in the window.",
    "predict_linear": "The value that a gauge will have if it goes on along a straight line.",
    "quantile": "The value below which this share of the series lies.",
    "rate": "By how much a counter grows each second, over the window; restarts are made up for.",
    "round": "The value rounded to a multiple.",
    "scalar": "The value of the only series, as a number.",
    "sort": "Series by value, the lowest first.",
    "sort_desc": "Series by value, the highest first.",
    "sum": "The sum over series.",
    "sum_over_time": "The sum of each series' samples in the window.",
    "time": "The seconds since 1970 at the time of evaluation.",
    "topk": "The series with the highest values.",
    "vector": "A number as a series without labels.",
}
_IS_QUERY = re.compile(r"[({\[+*/><=]|\s")
_CALL = re.compile(r"\b([a-z_]+)\s*(?:(?:by|without)\s*\([^)]*\)\s*)?\(")
_KEYWORDS = {
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "and",
    "or",
    "unless",
    "bool",
    "end",
    "start",
}
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`')
_WORD = re.compile(r"[a-zA-Z_:][\w:]*")


@dataclass(frozen=True, slots=True)
class ExplainedQuery:
    """An expression: the functions that it calls, the metrics that it reads, and what is wrong with it."""

    name: str
    labels: tuple[str, ...] | None
    """Labels of the result; none where a metric is not known."""
    functions: tuple[tuple[str, str], ...]
    metrics: tuple[tuple[str, str, str], ...]
    """The name, the type and the help of each."""
    faults: tuple[str, ...]
    page: None = None

    def document(self, schema: str) -> dict[str, Any]:
        """The JSON of `facemon.explain/1`."""
        return {
            "schema": schema,
            "kind": "query",
            "name": self.name,
            "labels": self.labels,
            "functions": [{"name": name, "help": help_} for name, help_ in self.functions],
            "metrics": [{"name": name, "type": type_, "help": help_} for name, type_, help_ in self.metrics],
            "faults": self.faults,
        }

    def facts(self) -> list[tuple[str, str]]:
        """What is said of it, in the order in which it is shown."""
        labels = "not known" if self.labels is None else ", ".join(self.labels) or "none"
        return [
            ("query", self.name),
            *((name, help_) for name, help_ in self.functions),
            *((name, f"{type_}: {help_}") for name, type_, help_ in self.metrics),
            ("labels of the result", labels),
            *(("wrong", fault) for fault in self.faults),
        ]


def is_query(text: str) -> bool:
    """Whether a text is an expression and not a name."""
    return _IS_QUERY.search(text) is not None


def explain_query(text: str, config: Config, recorded: dict[str, str]) -> ExplainedQuery:
    """What the expression asks for; UsageError where it is not PromQL."""
    vocabulary = exported_metrics(config.metrics.labels)
    vocabulary |= {name: KnownMetric(None) for name in recorded}
    # Grafana fills these in; any window shows what is asked.
    reading = read_query(text.replace(RATE_INTERVAL, "5m").replace(RANGE, "5m"), vocabulary)
    if wrong := next((fault for fault in reading.faults if fault.startswith("is not PromQL")), None):
        raise UsageError(f"explain {text}: {wrong}", "quote the expression for the shell: '…'")
    bare = _TEXT.sub("", text)
    calls = dict.fromkeys(name for name in _CALL.findall(bare) if name not in _KEYWORDS)
    functions = tuple((name, FUNCTIONS.get(name, "See Prometheus' documentation of functions.")) for name in calls)
    names = dict.fromkeys(word for word in _WORD.findall(_TEXT.sub(" ", text)) if word in vocabulary)
    metrics = tuple((name, *_metric(name, recorded)) for name in names)
    labels = None if reading.labels is None else tuple(sorted(reading.labels))
    return ExplainedQuery(text, labels, functions, metrics, tuple(reading.faults))


def _metric(name: str, recorded: dict[str, str]) -> tuple[str, str]:
    for metric in CATALOGUE.values():
        if name in (metric.name, *exposed_names(metric)):
            return metric.type.value, metric.help
    if name in recorded:
        return "recorded", f"{recorded[name]}"
    return (
        (FOREIGN[name].type.value, "A metric of another program.") if name in FOREIGN else ("series", "Of Prometheus.")
    )
