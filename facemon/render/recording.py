"""One recording rule as a value, how it stands in a rule file, and the test groups that prove it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Self

from facemon.render.promql import Expr, compare, equals, quoted, recorded, rounded
from facemon.render.rule_test import (
    DEFAULT_TURN,
    Phases,
    RuleTest,
    expression_check,
    input_series,
    milliseconds,
    time_text,
    window_turns,
)
from facemon.render.scenario import Signal, of_store

Samples = tuple[tuple[Mapping[str, str], float], ...]
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Stage:
    """What is recorded of bursts: while the window holds those that come first, and then of those that are late."""

    title: str
    signals: tuple[Signal, ...]
    first: Samples
    then: Samples = ()
    alone: bool = False
    """Whether it has only our targets; the other stages also have those of other people, which count something else."""

    def in_store(self, labels: Mapping[str, str]) -> Self:
        """The same of the series of one store, which all have these labels besides."""
        first, then = (tuple(({**own, **labels}, rate) for own, rate in each) for each in (self.first, self.then))
        return replace(self, signals=of_store(self.signals, labels), first=first, then=then)


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded series: its expression over one window, the labels that are set, and the stages that test it."""

    name: str
    group: str
    expr: Expr
    window: timedelta
    stages: tuple[Stage, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    may_be_no_number: bool = False
    """A quantile of nothing is recorded as NaN, which equals nothing in a test; it is taken for no sample."""

    def rule(self) -> dict[str, Any]:
        """The entry of a rule file."""
        entry: dict[str, Any] = {"record": self.name, "expr": str(self.expr)}
        return entry | ({"labels": dict(self.labels)} if self.labels else {})

    @property
    def shown(self) -> Expr:
        """The recorded samples as tests can compare them."""
        series = recorded(self.name, *(equals(label, value) for label, value in self.labels.items()))
        return rounded(compare(series, ">=", 0) if self.may_be_no_number else series, _DIGITS)


def recording_tests(recordings: Iterable[Recording]) -> Iterator[RuleTest]:
    """The test groups of all `recordings`: each one's stages, and that nothing is recorded of nothing."""
    tested = tuple(recordings)
    for recording in tested:
        yield from (_test(recording, stage) for stage in recording.stages)
    nothing = [expression_check(0, str(recording.shown), ()) for recording in tested]
    group = {"name": "no data: nothing is recorded", "interval": time_text(DEFAULT_TURN), "input_series": []}
    yield RuleTest(DEFAULT_TURN, 0, {**group, "promql_expr_test": nothing})


def _test(recording: Recording, stage: Stage) -> RuleTest:
    turn, last, next_ = window_turns(milliseconds(recording.window))
    checks = [
        expression_check(at, str(recording.shown), [_sample(recording, *sample) for sample in samples])
        for at, samples in ((turn, stage.first), (last, stage.first), (next_, stage.then))
    ]
    called = " ".join((recording.name, *recording.labels.values()))
    group = {
        "name": f"{called}: {stage.title}",
        "interval": time_text(turn),
        "input_series": input_series(stage.signals, Phases(turn, turn, turn, next_)),
        "promql_expr_test": checks,
    }
    return RuleTest(turn, next_, group)


def _sample(recording: Recording, labels: Mapping[str, str], value: float) -> tuple[str, float]:
    inside = ", ".join(f"{name}={quoted(text)}" for name, text in {**labels, **recording.labels}.items())
    return f"{{{inside}}}", round(value, _DIGITS)
