"""What a rule must do, as data: input series, when they turn bad, and what has to fire then."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import assert_never

from facemon.render.promql import quoted

UNNAMED = "__key"
"""In tests a label that no configuration can name, as a Pushgateway's grouping key may have any."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """A series whose level is `quiet`, then `firing`, then `quiet` again; None = there is no sample."""

    series: str
    quiet: float | None
    firing: float | None


@dataclass(frozen=True, slots=True)
class Clock:
    """A series that holds the time of so many seconds ago, all along."""

    series: str
    age: float


@dataclass(frozen=True, slots=True)
class Growth:
    """A counter that grows by `step` with every sample of the firing phase, and then stands still."""

    series: str
    step: float


@dataclass(frozen=True, slots=True)
class Burst:
    """A counter that is 0 in its first sample and `count` in all that follow.

    Its increase within a window that holds the first sample is `count` to the last bit, for nothing is extrapolated.
    """

    series: str
    count: float
    late: bool = False
    """Whether it begins when those that are not are older than the window."""
    before: float = 0
    """What it had in its first sample, if not 0; where that is more than `count`, the process has restarted."""


@dataclass(frozen=True, slots=True)
class Course:
    """A series as a model of what makes it has it: the level that it takes at each time, in the order of the times.

    A level of None is a stale marker, which Prometheus writes when a scrape fails or no longer has the series.
    """

    series: str
    levels: tuple[tuple[timedelta, float | None], ...]


Signal = Gauge | Clock | Growth | Burst | Course


class Span(StrEnum):
    """How long a scenario is looked at."""

    HELD = "quiet, bad for as long as `for` asks, and quiet again"
    MOMENT = "one moment of the firing phase: an alert that is pending counts, one that is not is none"
    WINDOW = "from a burst until it is older than the window of rates, by when the condition holds no more"
    NEXT_WINDOW = "the same, and the condition holds only when the burst is older than the window"
    MODELLED = "series from models, sampled as often as Prometheus scrapes; looked at when the checks say"


@dataclass(frozen=True, slots=True)
class Firing:
    """The one alert that fires: its labels besides those of the rule, and its value to the last bit, if it is known."""

    labels: Mapping[str, str] = field(default_factory=dict)
    value: float | None = None
    is_aggregated: bool = False
    """Whether the rule gives it these labels alone, although a series has the same."""


@dataclass(frozen=True, slots=True)
class Check:
    """What a modelled scenario must be at a time: at the first evaluation from then on, or the last one before it."""

    at: timedelta
    since: timedelta | None = None
    """From when the condition holds, by which the alert is pending or firing; None = it does not hold."""
    before: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story about signals; without `fires` the condition does not hold, although they are in their firing phase."""

    title: str
    signals: tuple[Signal, ...]
    fires: Firing | None = None
    span: Span = Span.MOMENT
    checks: tuple[Check, ...] = ()
    """Of a modelled scenario: when it is looked at."""
    scrape: timedelta = timedelta(minutes=1)
    """How often a modelled scenario's series are sampled."""
    grain: timedelta = timedelta(minutes=1)
    """The shortest time that a modelled scenario tells from another; its rules are evaluated at least as often."""
    besides: tuple[Firing, ...] = ()
    """In one moment: the same alert of other stores, which fires too."""


def in_store(scenarios: Iterable[Scenario], labels: Mapping[str, str]) -> tuple[Scenario, ...]:
    """The same of the series of one store, which all have these labels besides, as has the alert that fires."""
    return tuple(
        replace(
            scenario,
            signals=of_store(scenario.signals, labels),
            fires=scenario.fires and replace(scenario.fires, labels={**scenario.fires.labels, **labels}),
        )
        for scenario in scenarios
    )


def of_store(signals: Iterable[Signal], labels: Mapping[str, str]) -> tuple[Signal, ...]:
    """The same signals, with these labels besides."""
    more = "".join(f", {label}={quoted(value)}" for label, value in labels.items())
    return tuple(with_series(signal, f"{signal.series.removesuffix('}')}{more}}}") for signal in signals)


def with_series(signal: Signal, series: str) -> Signal:
    """The same of another series; `replace` takes five times as long, and a stack has thousands of signals."""
    match signal:
        case Gauge(_, quiet, firing):
            return Gauge(series, quiet, firing)
        case Clock(_, age):
            return Clock(series, age)
        case Growth(_, step):
            return Growth(series, step)
        case Burst(_, count, late, before):
            return Burst(series, count, late, before)
        case Course(_, levels):
            return Course(series, levels)
        case _:
            assert_never(signal)


def series_text(name: str, labels: Mapping[str, str]) -> str:
    """A series as a test file writes it."""
    inside = ", ".join(f"{label}={quoted(value)}" for label, value in labels.items())
    return f"{name}{{{inside}}}"
