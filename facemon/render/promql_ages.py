"""PromQL about times: how old a stamp was when it arrived, what was there long ago, and labels that a rule gives."""

from collections.abc import Sequence
from datetime import timedelta

from facemon.config.durations import format_duration
from facemon.render.expression import Expr, Matcher, Series, joined, quoted
from facemon.render.promql import both, compare, either, select

AHEAD = timedelta(days=1).total_seconds()
"""How far ahead a stamp may be, in seconds: one of a clock that was wrong would not grow old for years."""


def overdue(age: Expr, oldest: timedelta) -> Expr:
    """The ages, in seconds, that are above `oldest`, or of stamps from the future."""
    return either(compare(age, ">", oldest.total_seconds()), compare(age, "<", -AHEAD))


def in_time(age: Expr, oldest: timedelta) -> Expr:
    """The ages, in seconds, that are below `oldest`, and not of stamps from the future."""
    return both(compare(age, "<", oldest.total_seconds()), compare(age, ">=", -AHEAD))


def seconds_between(newer: Expr, older: Expr, *, ignoring: Sequence[str]) -> Expr:
    """Seconds from each of the older stamps to the newer one that has the same labels but for these."""
    return joined(newer.inner, f" - ignoring ({', '.join(ignoring)}) group_right () ", older.inner, closed=False)


def largest_before(metric: Series, window: timedelta, offset: timedelta, *matchers: Matcher) -> Expr:
    """The largest sample of a window that ended so long ago."""
    selected = select(metric, *matchers)
    return joined("max_over_time(", selected, f"[{format_duration(window)}] offset {format_duration(offset)})")


def largest_within(metric: Series, window: timedelta, *matchers: Matcher) -> Expr:
    """The largest sample of the window that ends now."""
    return joined("max_over_time(", select(metric, *matchers), f"[{format_duration(window)}])")


def labelled(expr: Expr, label: str, value: str) -> Expr:
    """Each sample with one more label, whatever the others are."""
    text = quoted(value.replace("$", "$$"))
    return joined("label_replace(", expr, f', {quoted(label)}, {text}, "job", ".*")')
