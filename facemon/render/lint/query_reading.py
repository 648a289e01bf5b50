"""Reads PromQL as Prometheus would: is it valid, do its metrics and labels exist, and which labels has its result?

A label set of None is one that is not known here, such as that of a metric of the user's own.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import promql_parser
from promql_parser import AggModifierType, LabelModifierType, MatchOp, ValueType, VectorMatchCardinality

from facemon.domain.metric_catalogue import CATALOGUE, MetricType
from facemon.render.foreign_metrics import FOREIGN, OF_STORES
from facemon.render.promql import TARGET_LABELS, exposed_names

Labels = frozenset[str] | None

_NONE: frozenset[str] = frozenset()
_NAME = "__name__"
_COUNTER_FUNCTIONS = ("rate", "irate", "increase")
_CHOOSING = ("topk", "bottomk", "limitk", "limit_ratio")
_SET_OPERATORS = ("and", "or", "unless")


@dataclass(frozen=True, slots=True)
class KnownMetric:
    """A name that a query may ask for."""

    labels: Labels
    is_counter: bool = False


Vocabulary = Mapping[str, KnownMetric]


@dataclass(slots=True)
class Reading:
    """What a query's reading brought: the labels of its result, and what is wrong with it."""

    labels: Labels = None
    faults: list[str] = field(default_factory=list)


def exported_metrics(constant: Collection[str] = (), of_targets: Collection[str] = ()) -> dict[str, KnownMetric]:
    """What facemon and the other programs of the stack export, and what Prometheus says of alerts.

    `constant` are the labels that all of facemon's own series have besides, and alerts on them; `of_targets` those
    that all series of a scraped target have.
    """
    known = {"ALERTS": KnownMetric(None), "ALERTS_FOR_STATE": KnownMetric(None)}
    for foreign in FOREIGN.values():
        is_histogram = foreign.type is MetricType.HISTOGRAM
        labels = frozenset((*foreign.labels, *TARGET_LABELS, *of_targets, *(constant if foreign in OF_STORES else ())))
        names = [foreign.name + part for part in ("_bucket", "_sum", "_count")] if is_histogram else [foreign.name]
        for name in names:
            bucket = {"le"} if name.endswith("_bucket") else _NONE
            known[name] = KnownMetric(labels | bucket, foreign.type is not MetricType.GAUGE)
    for metric in CATALOGUE.values():
        labels = frozenset((*metric.labels, *TARGET_LABELS, *of_targets, *constant))
        for name in exposed_names(metric):
            bucket = {"le"} if name.endswith("_bucket") else _NONE
            is_counter = metric.type is not MetricType.GAUGE and not name.endswith("_created")
            known[name] = KnownMetric(labels | bucket, is_counter)
    return known


def read_query(text: str, vocabulary: Vocabulary | None) -> Reading:
    """Read one query; without a vocabulary any metric may be asked for, and only its form is judged."""
    try:
        parsed = promql_parser.parse(text)
    except ValueError as error:
        return Reading(faults=[f"is not PromQL: {error}"])
    reading = Reading()
    if vocabulary is not None:
        reading.labels = _Reader(vocabulary, reading.faults).labels(parsed)
    return reading


@dataclass(frozen=True, slots=True)
class _Reader:
    """Follows labels through an expression, from the metrics up."""

    vocabulary: Vocabulary
    faults: list[str]

    def labels(self, expr: Any) -> Labels:
        match expr:
            case promql_parser.VectorSelector():
                return self._selected(expr)
            case promql_parser.MatrixSelector():
                return self._selected(expr.vector_selector)
            case promql_parser.ParenExpr() | promql_parser.UnaryExpr() | promql_parser.SubqueryExpr():
                return self.labels(expr.expr)
            case promql_parser.AggregateExpr():
                return self._aggregated(expr)
            case promql_parser.BinaryExpr():
                return self._combined(expr)
            case promql_parser.Call():
                return self._called(expr)
            case _:  # numbers and texts
                return _NONE

    def _selected(self, selector: Any) -> Labels:
        names = [selector.name] if selector.name else _alternatives(selector)
        unknown = [name for name in names if name not in self.vocabulary]
        if unknown or not names:
            asked = ", ".join(map(repr, unknown)) or "no metric by its name"
            self.faults.append(f"asks for {asked}, which no program exports")
            return None
        labels: Labels = _NONE
        for name in names:
            labels = _union(labels, self.vocabulary[name].labels)
        matched = (matcher.name for matcher in selector.matchers.matchers if matcher.name != _NAME)
        self._require(matched, labels, " or ".join(names))
        return labels

    def _aggregated(self, expr: Any) -> Labels:
        inner, modifier, operator = self.labels(expr.expr), expr.modifier, str(expr.op)
        if expr.param is not None:
            self.labels(expr.param)
        named = frozenset(modifier.labels) if modifier is not None else _NONE
        self._require(named, inner, f"the input of {operator}")
        if operator in _CHOOSING:
            return inner
        is_without = modifier is not None and modifier.type == AggModifierType.Without
        result = _minus(inner, named) if is_without else named
        return _plus(result, {expr.param.val}) if operator == "count_values" else result

    def _combined(self, expr: Any) -> Labels:
        left, right, operator = self.labels(expr.lhs), self.labels(expr.rhs), str(expr.op)
        if _is_scalar(expr.lhs):
            return right
        if _is_scalar(expr.rhs):
            return left
        modifier = expr.modifier
        matching = modifier.matching if modifier is not None else None
        if matching is None:
            if operator != "or" and None not in (left, right) and left != right:
                self.faults.append(f"can match nothing: {operator} has {_told(left)} left, {_told(right)} right")
        elif matching.type == LabelModifierType.Include:
            for side, name in ((left, "left"), (right, "right")):
                self._require(matching.labels, side, f"the {name} of {operator}")
        if operator in _SET_OPERATORS:
            return _union(left, right) if operator == "or" else left
        return left if matching is None else _matched(left, right, modifier)

    def _called(self, call: Any) -> Labels:
        name, arguments = call.func.name, list(call.args)
        labels = [self.labels(argument) for argument in arguments]
        vectors = [found for found, argument in zip(labels, arguments, strict=True) if not _is_constant(argument)]
        first = vectors[0] if vectors else _NONE
        match name:
            case "absent" | "absent_over_time":
                return frozenset(_equal_labels(arguments[0]))
            case "label_replace":
                self._require([arguments[3].val], first, "the input of label_replace")
                return _plus(first, {arguments[1].val})
            case "label_join":
                self._require([each.val for each in arguments[3:]], first, "the input of label_join")
                return _plus(first, {arguments[1].val})
            case "histogram_quantile":
                self._require(["le"], first, "the input of histogram_quantile")
                return _minus(first, {"le"})
            case "vector" | "time" | "scalar":
                return _NONE
            case name if name in _COUNTER_FUNCTIONS:
                self._require_counter(name, arguments[0])
        return first

    def _require(self, names: Any, there: Labels, of_what: str) -> None:
        if there is None:
            return
        self.faults.extend(f"names the label {name}, which {of_what} lacks" for name in names if name not in there)

    def _require_counter(self, function: str, argument: Any) -> None:
        name = getattr(getattr(argument, "vector_selector", None), "name", None)
        known = self.vocabulary.get(name) if name else None
        if known is not None and not known.is_counter:
            self.faults.append(f"takes {function} of {name}, which is not a counter")


def _is_scalar(expr: Any) -> bool:
    """Whether an expression is one number, without labels of any kind."""
    match expr:
        case promql_parser.NumberLiteral():
            return True
        case promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            return _is_scalar(expr.expr)
        case promql_parser.BinaryExpr():
            return _is_scalar(expr.lhs) and _is_scalar(expr.rhs)
        case promql_parser.Call():
            return bool(expr.func.return_type == ValueType.Scalar)
        case _:
            return False


def _alternatives(selector: Any) -> list[str]:
    """The metrics of a selector that names several, as `{__name__=~"a|b"}`."""
    return [name for each in selector.matchers.matchers if each.name == _NAME for name in each.value.split("|")]


def _is_constant(argument: Any) -> bool:
    return _is_scalar(argument) or isinstance(argument, promql_parser.StringLiteral)


def _equal_labels(argument: Any) -> Iterator[str]:
    """The labels of an absent(): those that its selector names with one value."""
    selector = getattr(argument, "vector_selector", argument)
    if hasattr(selector, "matchers"):
        yield from (each.name for each in selector.matchers.matchers if each.op == MatchOp.Equal)


def _matched(left: Labels, right: Labels, modifier: Any) -> Labels:
    named, added = frozenset(modifier.matching.labels), frozenset(modifier.group_labels or ())
    if modifier.card == VectorMatchCardinality.ManyToOne:
        return _plus(left, added)
    if modifier.card == VectorMatchCardinality.OneToMany:
        return _plus(right, added)
    return named if modifier.matching.type == LabelModifierType.Include else _minus(left, named)


def _plus(labels: Labels, more: Any) -> Labels:
    return None if labels is None else labels | frozenset(more)


def _minus(labels: Labels, fewer: Any) -> Labels:
    return None if labels is None else labels - frozenset(fewer)


def _union(left: Labels, right: Labels) -> Labels:
    return None if left is None or right is None else left | right


def _told(labels: Labels) -> str:
    return ", ".join(sorted(labels)) if labels else "no labels"
