"""The one place where PromQL is written: typed expressions over known metrics, label values escaped."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from facemon.config.durations import format_duration
from facemon.domain.metric_catalogue import CATALOGUE, Metric, MetricType
from facemon.render.expression import (
    Expr,
    Matcher,
    Scope,
    Selector,
    Series,
    chosen,
    chosen_or_none,
    differs,
    equals,
    joined,
    none_of,
    one_of,
    quoted,
    written,
)

__all__ = [
    "Expr", "Matcher", "Scope", "Series", "chosen", "chosen_or_none", "differs", "equals", "none_of", "one_of",
    "quoted", "written",
]  # fmt: skip
RATE_INTERVAL = "$__rate_interval"
RANGE = "$__range"
"""Windows that Grafana fills in."""
TARGET_LABELS = ("job", "instance")
_PARTS = {MetricType.HISTOGRAM: ("_bucket", "_sum", "_count"), MetricType.COUNTER: ("",), MetricType.GAUGE: ("",)}

Window = timedelta | str


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


def number(value: float) -> str:
    """A number in its shortest exact form."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def window_text(window: Window) -> str:
    """A range's length as it stands in brackets."""
    return window if isinstance(window, str) else format_duration(window)


def select(metric: Series, *matchers: Matcher) -> Expr:
    """The newest samples of a metric that is no histogram."""
    if metric.type is MetricType.HISTOGRAM:
        raise ValueError(f"{metric.name} is a histogram: select its parts by rate or quantile")
    return joined(_selector(metric, metric.name, matchers))


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
    return joined(f"histogram_quantile({number(q)}, ", buckets, ")")


def mean(metric: Series, window: Window, *matchers: Matcher, by: Sequence[str] = ()) -> Expr:
    """A histogram's mean, over all that `by` does not keep apart."""
    total, count = (
        aggregate("sum", _part("rate", metric, part, window, matchers), by=by) for part in ("_sum", "_count")
    )
    return divide(total, count)


def aggregate(operator: str, expr: Expr, *, by: Sequence[str] = ()) -> Expr:
    """`sum`, `max`, `count` … over all labels but those that `by` keeps."""
    grouping = f" by ({', '.join(by)}) " if by else ""
    return joined(f"{operator}{grouping}(", expr, ")")


def recorded(name: str, *matchers: Matcher) -> Expr:
    """The samples that a recording rule wrote."""
    return joined(Selector(name, matchers, ()))


def compare(expr: Expr, operator: str, limit: float) -> Expr:
    """The samples for which the comparison with a number holds."""
    return joined(expr.inner, f" {operator} {number(limit)}", closed=False)


def divide(left: Expr, right: Expr) -> Expr:
    """`left` divided by `right`, matched on all labels."""
    return joined(left.inner, " / ", right.inner, closed=False)


def difference(left: Expr, right: Expr) -> Expr:
    """`left` less `right`, matched on all labels."""
    return joined(left.inner, " - ", right.inner, closed=False)


def share(parts: Expr, wholes: Expr, *, on: Sequence[str]) -> Expr:
    """Each of `parts` divided by the one of `wholes` with the same labels `on`."""
    return joined(parts.inner, f" / on ({', '.join(on)}) group_left () ", wholes.inner, closed=False)


def constant_for(expr: Expr, value: float) -> Expr:
    """For each sample the same number."""
    return joined(expr.inner, f" * 0 + {number(value)}", closed=False)


def complement(share: Expr) -> Expr:
    """What is missing to 1."""
    return joined("1 - ", share.inner, closed=False)


def rounded(expr: Expr, digits: int) -> Expr:
    """To so many decimals."""
    return joined("round(", expr, f", {1 / 10**digits:.{digits}f})")


def only_where(expr: Expr, condition: Expr, *, on: Sequence[str]) -> Expr:
    """The samples of `expr` for which `condition` has one with the same labels."""
    return joined(expr.inner, f" and on ({', '.join(on)}) ", condition.inner, closed=False)


def unless(expr: Expr, condition: Expr, *, on: Sequence[str]) -> Expr:
    """The samples of `expr` for which `condition` has none with the same labels."""
    return joined(expr.inner, f" unless on ({', '.join(on)}) ", condition.inner, closed=False)


def only_where_group(expr: Expr, condition: Expr, *, of_part: Sequence[str]) -> Expr:
    """The samples of `expr` for which `condition` has one with the same labels, whichever there are, but `of_part`."""
    return joined(expr.inner, f" and ignoring ({', '.join(of_part)}) ", condition.inner, closed=False)


def both(left: Expr, right: Expr) -> Expr:
    """The samples of `left` for which `right` has one with all the same labels."""
    return joined(left.inner, " and ", right.inner, closed=False)


def all_but(left: Expr, right: Expr) -> Expr:
    """The samples of `left` for which `right` has none with all the same labels."""
    return joined(left.inner, " unless ", right.inner, closed=False)


def not_before(left: Expr, right: Expr) -> Expr:
    """The samples of `left`, matched on all labels, that are at least those of `right`."""
    return joined(left.inner, " >= ", right.inner, closed=False)


def either(left: Expr, right: Expr) -> Expr:
    """The samples of both; those of `left` where the labels are the same."""
    return joined(left.inner, " or ", right.inner, closed=False)


def age(metric: Series, *matchers: Matcher) -> Expr:
    """Seconds since the time that a gauge holds."""
    return joined("time() - ", select(metric, *matchers), closed=False)


def count_of(metric: Series, *matchers: Matcher) -> Expr:
    """The numbers of a histogram's observations."""
    return joined(_selector(metric, metric.name + "_count", matchers))


def any_of(metrics: Sequence[Series], *matchers: Matcher) -> Expr:
    """The samples of all these metrics; of histograms the numbers of their observations."""
    if len(metrics) == 1 and metrics[0].type is not MetricType.HISTOGRAM:
        return select(metrics[0], *matchers)
    suffix = {MetricType.HISTOGRAM: "_count"}
    names = one_of("__name__", [metric.name + suffix.get(metric.type, "") for metric in metrics])
    return joined(Selector("", (names, *matchers), tuple(metrics)))


def absent(metric: Series, *matchers: Matcher) -> Expr:
    """1 where nothing matches."""
    return joined("absent(", replace(_selector(metric, metric.name, matchers), is_absent=True), ")")


def constant(value: float) -> Expr:
    """A sample without labels."""
    return joined(f"vector({number(value)})")


def _over(function: str, metric: Series, window: Window, matchers: Sequence[Matcher]) -> Expr:
    if metric.type is not MetricType.COUNTER:
        raise ValueError(f"{metric.name} is a {metric.type}, and {function} is for counters")
    return _ranged(function, _selector(metric, metric.name, matchers), window)


def _observations(function: str, metric: Series, window: Window, matchers: Sequence[Matcher]) -> Expr:
    if metric.type is not MetricType.HISTOGRAM:
        raise ValueError(f"{metric.name} is a {metric.type}, which has no observations")
    return _ranged(function, _selector(metric, metric.name + "_count", matchers), window)


def _buckets(function: str, metric: Series, window: Window, matchers: Sequence[Matcher]) -> Expr:
    return _part(function, metric, "_bucket", window, matchers)


def _part(function: str, metric: Series, part: str, window: Window, matchers: Sequence[Matcher]) -> Expr:
    if metric.type is not MetricType.HISTOGRAM:
        raise ValueError(f"{metric.name} is a {metric.type}, which has no buckets")
    return _ranged(function, _selector(metric, metric.name + part, matchers), window)


def _ranged(function: str, selector: Selector, window: Window) -> Expr:
    return joined(f"{function}(", selector, f"[{window_text(window)}])")


def _selector(metric: Series, name: str, matchers: Sequence[Matcher]) -> Selector:
    for matcher in matchers:
        if not matcher.on_any_series and matcher.label not in (*metric.labels, *TARGET_LABELS, "le"):
            raise ValueError(f"{metric.name} has no label {matcher.label}")
    return Selector(name, tuple(matchers), (metric,))
