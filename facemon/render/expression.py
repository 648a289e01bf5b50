"""PromQL expressions as values: text, and between it selectors, which can be narrowed to the series that are ours."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from facemon.domain.metric_catalogue import MetricType

_REGEX_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


@dataclass(frozen=True, slots=True)
class Series:
    """A metric that a query may name, with the labels that it has besides `job` and `instance`."""

    name: str
    type: MetricType
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on a label, its value already escaped."""

    label: str
    text: str
    on_any_series: bool = False
    """Whether every exported series may have the label, as those of metrics.labels."""


def quoted(value: str) -> str:
    """A string literal of PromQL, and of Alertmanager's matchers."""
    return f'"{value.translate(_ESCAPES)}"'


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


@dataclass(frozen=True, slots=True)
class Selector:
    """One selector of an expression: its text, and the metrics that it asks for, by which it can be narrowed."""

    name: str
    matchers: tuple[Matcher, ...]
    metrics: tuple[Series, ...]
    is_absent: bool = False
    """Whether it is asked of by absent(), which turns what is matched by `=` into labels of its answer."""

    def __str__(self) -> str:
        inside = ", ".join(map(_in_query, self.matchers))
        return f"{self.name}{{{inside}}}" if inside else self.name


@dataclass(frozen=True, slots=True)
class Expr:
    """A PromQL expression; one that is not closed gets parentheses when it becomes part of another."""

    parts: tuple[str | Selector, ...]
    closed: bool = True

    def __str__(self) -> str:
        return "".join(str(part) for part in self.parts)

    @property
    def inner(self) -> "Expr":
        """The expression as an operand."""
        return self if self.closed else joined("(", self, ")")

    @property
    def sees_gaps(self) -> bool:
        """Whether what is asked for must be there at the moment: a range also holds what was there before a gap."""
        followed = zip(self.parts, (*self.parts[1:], ""), strict=True)
        return any(isinstance(part, Selector) and not str(after).startswith("[") for part, after in followed)

    def within(self, scope: "Scope") -> "Expr":
        """The expression with each of its selectors narrowed to the label values that `scope` gives its metrics."""
        return replace(self, parts=tuple(_narrowed(part, scope) for part in self.parts))


Scope = Callable[[Sequence[Series]], Mapping[str, Sequence[str]]]
"""The values that each label may have in the series of some metrics."""


def written(text: str) -> Expr:
    """An expression that a user wrote, which stays as it is."""
    return Expr((text,), closed=False)


def joined(*parts: str | Expr | Selector, closed: bool = True) -> Expr:
    """The parts one after the other."""
    flat: list[str | Selector] = []
    for part in parts:
        flat += part.parts if isinstance(part, Expr) else (part,)
    return Expr(tuple(flat), closed)


def _narrowed(part: str | Selector, scope: Scope) -> str | Selector:
    if isinstance(part, str) or not part.metrics:
        return part
    more = tuple(
        equals(label, values[0]) if len(values) == 1 and not part.is_absent else one_of(label, values)
        for label, values in scope(part.metrics).items()
        # One of our jobs by its name is narrower than all of them.
        if all(matcher.text != equals(label, value).text for matcher in part.matchers for value in values)
    )
    # What is narrowed once stays as it is.
    return replace(part, matchers=(*more, *part.matchers), metrics=())


def _in_query(matcher: Matcher) -> str:
    """The matcher as Prometheus reads it: `$` and `[[` begin a variable for Grafana, inside of a string too.

    Alertmanager, whose routes have matchers of the same form, does not know these escapes.
    """
    is_variable = matcher.text.endswith("`")
    return matcher.text if is_variable else matcher.text.replace("$", r"\x24").replace("[[", r"[\x5b")


def _pattern(values: Sequence[str]) -> str:
    return "|".join(_REGEX_SPECIAL.sub(r"\\\g<0>", value) for value in values)
