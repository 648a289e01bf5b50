"""PromQL that only dashboards ask: the worst few, who is worst, what is recorded, and moments for annotations."""

from collections.abc import Sequence

from facemon.render import promql
from facemon.render.expression import joined
from facemon.render.promql import Expr, Matcher, Series, Window

MOST_LINES = 10
"""As many names as the legend beside a panel shows without scrolling."""
_SEEN_BEFORE = "[1d] offset 5m"


def repeated(label: str, variable: str) -> Matcher:
    """The label is the value of the variable that a section is repeated for."""
    return Matcher(label, promql.chosen(variable).text.replace(f"{variable}=", f"{label}=", 1))


def highest(metric: Series, *matchers: Matcher) -> Expr:
    """The series of a gauge that are highest at the end of the time shown, the same ones over all of it."""
    return _outermost("topk", metric, matchers)


def lowest(metric: Series, *matchers: Matcher) -> Expr:
    """The series of a gauge that are lowest at the end of the time shown, the same ones over all of it."""
    return _outermost("bottomk", metric, matchers)


def greatest(expr: Expr) -> Expr:
    """The one sample that is greatest, with its labels: whose it is."""
    return joined("topk(1, ", expr, ")")


def least(expr: Expr) -> Expr:
    """The one sample that is least, with its labels."""
    return joined("bottomk(1, ", expr, ")")


def at_least(expr: Expr, least_value: float) -> Expr:
    """What is below the number is drawn as the number."""
    return joined("clamp_min(", expr, f", {promql.number(least_value)})")


def mean_of_recorded(name: str, window: Window, *matchers: Matcher) -> Expr:
    """The mean over the window of what a recording rule wrote."""
    return joined("avg_over_time(", promql.recorded(name, *matchers), f"[{promql.window_text(window)}])")


def any_target(operator: str, expr: Expr) -> Expr:
    """`max`, `min` … over the targets, which keeps every other label, also those that only Prometheus gives."""
    return joined(f"{operator} without ({', '.join(promql.TARGET_LABELS)}) (", expr, ")")


def value_of_group(parts: Expr, groups: Expr, *, of_part: Sequence[str]) -> Expr:
    """For each of `parts` the value of its group, which has the same labels but those in `of_part`.

    Whatever other labels stores have, such as one of a Pushgateway's grouping key, keeps them apart.
    """
    ignoring = f" * 0 + ignoring ({', '.join(of_part)}) group_left () "
    return joined(parts.inner, ignoring, groups.inner, closed=False)


def milliseconds(metric: Series, *matchers: Matcher) -> Expr:
    """The moments that a gauge holds, as Grafana takes them for annotations."""
    return joined(promql.select(metric, *matchers), " * 1000", closed=False)


def newcomers(series: Expr, label: str) -> Expr:
    """The values of a label that no series had on the day before."""
    now = promql.aggregate("group", series, by=(label,))
    before = promql.aggregate("group", joined("last_over_time(", series, f"{_SEEN_BEFORE})"), by=(label,))
    return promql.unless(now, before, on=(label,))


def _outermost(operator: str, metric: Series, matchers: Sequence[Matcher]) -> Expr:
    series = promql.select(metric, *matchers)
    # Over the time shown, because a target that is down now has no sample at its end.
    newest = joined("last_over_time(", series, f"[{promql.RANGE}] @ end())")
    return promql.both(series, joined(f"{operator}({MOST_LINES}, ", newest, ")"))
