"""The one place where PromQL is written: typed expressions over known metrics, label values escaped."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from facemon.config.quantities import format_duration
from facemon.values.metric_catalogue import CATALOGUE, Metric, MetricType

RATE_INTERVAL = "$__rate_interval"
RANGE = "$__range"
"""Windows that Grafana fills in."""
TARGET_LABELS = ("job", "instance")
_PARTS = {MetricType.HISTOGRAM: ("_bucket", "_sum", "_count"), MetricType.COUNTER: ("",), MetricType.GAUGE: ("",)}
_REGEX_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})

Window = timedelta | str


@dataclass(frozen=True, slots=True)
class Series:
    """A metric that a query may name, with the labels that it has besides `job` and `instance`."""

    name: str
    type: MetricType
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expr:
    """A PromQL expression; one that is not closed gets parentheses when it becomes part of another."""

    text: str
    closed: bool = True

    def __str__(self) -> str:
        return self.text

    @property
    def inner(self) -> str:
        """The text as an operand."""
        return self.text if self.closed else f"({self.text})"


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on a label, its value already escaped."""

    label: str
    text: str
    on_any_series: bool = False
    """Whether every exported series may have the label, as those of metrics.labels."""


def series(name: str) -> Series:
    """A metric of the catalogue; ValueError names the metric that is not in it."""
    metric = CATALOGUE.get(name)
    if metric is None:
        raise ValueError(f"{name} is not in the metric catalogue")
    return Series(metric.name, metric.type, metric.labels)


def exposed_names(metric: Metric) -> tuple[str, ...]:
    """Every name that a metric has in an exposition, as Prometheus stores it."""
    names = tuple(metric.name + part for part in _PARTS[metric.type])
    created = metric.name.removesuffix("_total") + "_created"
    return names if metric.type is MetricType.GAUGE else (*names, created)


def quoted(value: str) -> str:
    """A PromQL string literal."""
    return f'"{value.translate(_ESCAPES)}"'


def number(value: float) -> str:
    """A number in its shortest exact form."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def window_text(window: Window) -> str:
    """A range's length as it stands in brackets."""
    return window if isinstance(window, str) else format_duration(window)


def equals(label: str, value: str) -> Matcher:
    """The label is exactly `value`."""
    return Matcher(label, f"{label}={quoted(value)}")


def differs(label: str, value: str) -> Matcher:
    """The label is anything but `value`."""
    return Matcher(label, f"{label}!={quoted(value)}")


def one_of(label: str, values: Sequence[str]) -> Matcher:
    """The label is one of `values`, each taken literally."""
    return Matcher(label, f"{label}=~{quoted(_pattern(values))}")


def none_of(label: str, values: Sequence[str]) -> Matcher:
    """The label is none of `values`, each taken literally."""
    return Matcher(label, f"{label}!~{quoted(_pattern(values))}")


def chosen(label: str, *, on_any_series: bool = False) -> Matcher:
    """The label is what the dashboard's variable of that name has selected.

    Between backticks, because Grafana's `regex` escapes for the regular expression and not for a string: so a name
    may hold quotation marks and backslashes, but no backtick.
    """
    return Matcher(label, f"{label}=~`${{{label}:regex}}`", on_any_series)


def chosen_or_none(label: str, *, on_any_series: bool = False) -> Matcher:
    """The same, or the label is not there: of alerts that are about everything."""
    return Matcher(label, f"{label}=~`${{{label}:regex}}|`", on_any_series)


def select(metric: Series, *matchers: Matcher) -> Expr:
    """The newest samples of a metric that is no histogram."""
    if metric.type is MetricType.HISTOGRAM:
        raise ValueError(f"{metric.name} is a histogram: select its parts by rate or quantile")
    return _selector(metric, metric.name, matchers)


def rate(metric: Series, window: Window, *matchers: Matcher) -> Expr:
    """Increase per second of a counter."""
    return _over("rate", metric, window, matchers)


def increase(metric: Series, window: Window, *matchers: Matcher) -> Expr:
    """Increase of a counter within the window."""
    return _over("increase", metric, window, matchers)


def count_rate(metric: Series, window: Window, *matchers: Matcher) -> Expr:
    """Increase per second of a histogram's observations."""
    return _observations("rate", metric, window, matchers)


def count_increase(metric: Series, window: Window, *matchers: Matcher) -> Expr:
    """Increase of a histogram's observations within the window."""
    return _observations("increase", metric, window, matchers)


def bucket_rate(metric: Series, window: Window, *matchers: Matcher) -> Expr:
    """Increase per second of each bucket of a histogram."""
    return _buckets("rate", metric, window, matchers)


def bucket_increase(metric: Series, window: Window, *matchers: Matcher) -> Expr:
    """Increase of each bucket of a histogram within the window."""
    return _buckets("increase", metric, window, matchers)


def quantile(q: float, metric: Series, window: Window, *matchers: Matcher, by: Sequence[str] = ()) -> Expr:
    """A histogram's quantile, over all that `by` does not keep apart."""
    buckets = aggregate("sum", bucket_rate(metric, window, *matchers), by=(*by, "le"))
    return Expr(f"histogram_quantile({number(q)}, {buckets})")


def mean(metric: Series, window: Window, *matchers: Matcher, by: Sequence[str] = ()) -> Expr:
    """A histogram's mean, over all that `by` does not keep apart."""
    total, count = (
        aggregate("sum", _part("rate", metric, part, window, matchers), by=by) for part in ("_sum", "_count")
    )
    return divide(total, count)


def aggregate(operator: str, expr: Expr, *, by: Sequence[str] = ()) -> Expr:
    """`sum`, `max`, `count` … over all labels but those that `by` keeps."""
    grouping = f" by ({', '.join(by)}) " if by else ""
    return Expr(f"{operator}{grouping}({expr})")


def recorded(name: str, *matchers: Matcher) -> Expr:
    """The samples that a recording rule wrote."""
    return Expr(f"{name}{{{', '.join(matcher.text for matcher in matchers)}}}" if matchers else name)


def compare(expr: Expr, operator: str, limit: float) -> Expr:
    """The samples for which the comparison with a number holds."""
    return Expr(f"{expr.inner} {operator} {number(limit)}", closed=False)


def divide(left: Expr, right: Expr) -> Expr:
    """`left` divided by `right`, matched on all labels."""
    return Expr(f"{left.inner} / {right.inner}", closed=False)


def difference(left: Expr, right: Expr) -> Expr:
    """`left` less `right`, matched on all labels."""
    return Expr(f"{left.inner} - {right.inner}", closed=False)


def share(parts: Expr, wholes: Expr, *, on: Sequence[str]) -> Expr:
    """Each of `parts` divided by the one of `wholes` with the same labels `on`."""
    return Expr(f"{parts.inner} / on ({', '.join(on)}) group_left () {wholes.inner}", closed=False)


def group_value(parts: Expr, groups: Expr, *, on: Sequence[str]) -> Expr:
    """For each of `parts` the value of the one of `groups` with the same labels `on`."""
    return Expr(f"{parts.inner} * 0 + on ({', '.join(on)}) group_left () {groups.inner}", closed=False)


def constant_for(expr: Expr, value: float) -> Expr:
    """For each sample the same number."""
    return Expr(f"{expr.inner} * 0 + {number(value)}", closed=False)


def complement(share: Expr) -> Expr:
    """What is missing to 1."""
    return Expr(f"1 - {share.inner}", closed=False)


def rounded(expr: Expr, digits: int) -> Expr:
    """To so many decimals."""
    return Expr(f"round({expr}, {1 / 10**digits:.{digits}f})")


def only_where(expr: Expr, condition: Expr, *, on: Sequence[str]) -> Expr:
    """The samples of `expr` for which `condition` has one with the same labels."""
    return Expr(f"{expr.inner} and on ({', '.join(on)}) {condition.inner}", closed=False)


def unless(expr: Expr, condition: Expr, *, on: Sequence[str]) -> Expr:
    """The samples of `expr` for which `condition` has none with the same labels."""
    return Expr(f"{expr.inner} unless on ({', '.join(on)}) {condition.inner}", closed=False)


def both(left: Expr, right: Expr) -> Expr:
    """The samples of `left` for which `right` has one with all the same labels."""
    return Expr(f"{left.inner} and {right.inner}", closed=False)


def either(left: Expr, right: Expr) -> Expr:
    """The samples of both; those of `left` where the labels are the same."""
    return Expr(f"{left.inner} or {right.inner}", closed=False)


def age(metric: Series, *matchers: Matcher) -> Expr:
    """Seconds since the time that a gauge holds."""
    return Expr(f"time() - {select(metric, *matchers)}", closed=False)


def count_of(metric: Series, *matchers: Matcher) -> Expr:
    """The numbers of a histogram's observations."""
    return _selector(metric, metric.name + "_count", matchers)


def any_of(metrics: Sequence[Series], *matchers: Matcher) -> Expr:
    """The samples of all these metrics; of histograms the numbers of their observations."""
    if len(metrics) == 1 and metrics[0].type is not MetricType.HISTOGRAM:
        return select(metrics[0], *matchers)
    suffix = {MetricType.HISTOGRAM: "_count"}
    names = one_of("__name__", [metric.name + suffix.get(metric.type, "") for metric in metrics])
    return Expr(f"{{{', '.join(matcher.text for matcher in (names, *matchers))}}}")


def absent(metric: Series, *matchers: Matcher) -> Expr:
    """1 where nothing matches."""
    return Expr(f"absent({select(metric, *matchers)})")


def constant(value: float) -> Expr:
    """A sample without labels."""
    return Expr(f"vector({number(value)})")


def _over(function: str, metric: Series, window: Window, matchers: Sequence[Matcher]) -> Expr:
    if metric.type is not MetricType.COUNTER:
        raise ValueError(f"{metric.name} is a {metric.type}, and {function} is for counters")
    return Expr(f"{function}({_selector(metric, metric.name, matchers)}[{window_text(window)}])")


def _observations(function: str, metric: Series, window: Window, matchers: Sequence[Matcher]) -> Expr:
    if metric.type is not MetricType.HISTOGRAM:
        raise ValueError(f"{metric.name} is a {metric.type}, which has no observations")
    return Expr(f"{function}({_selector(metric, metric.name + '_count', matchers)}[{window_text(window)}])")


def _buckets(function: str, metric: Series, window: Window, matchers: Sequence[Matcher]) -> Expr:
    return _part(function, metric, "_bucket", window, matchers)


def _part(function: str, metric: Series, part: str, window: Window, matchers: Sequence[Matcher]) -> Expr:
    if metric.type is not MetricType.HISTOGRAM:
        raise ValueError(f"{metric.name} is a {metric.type}, which has no buckets")
    return Expr(f"{function}({_selector(metric, metric.name + part, matchers)}[{window_text(window)}])")


def _pattern(values: Sequence[str]) -> str:
    # A dollar by its number: Grafana would take what follows it for a variable.
    def escaped(special: re.Match[str]) -> str:
        return r"\x24" if special[0] == "$" else "\\" + special[0]

    return "|".join(_REGEX_SPECIAL.sub(escaped, value) for value in values)


def _selector(metric: Series, name: str, matchers: Sequence[Matcher]) -> Expr:
    for matcher in matchers:
        if not matcher.on_any_series and matcher.label not in (*metric.labels, *TARGET_LABELS, "le"):
            raise ValueError(f"{metric.name} has no label {matcher.label}")
    return Expr(f"{name}{{{', '.join(matcher.text for matcher in matchers)}}}" if matchers else name)
