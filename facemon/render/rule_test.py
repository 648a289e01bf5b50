"""Test groups of promtool: scenarios laid on a timeline, with what must and must not be there at its turns.

All times are whole milliseconds. The turns of a group are multiples of one step of a ladder whose steps divide each
other, so that groups of any two rules can share the evaluation interval of one file.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, assert_never

from facemon.config.durations import format_duration
from facemon.render.promql import number
from facemon.render.scenario import Burst, Clock, Course, Gauge, Growth, Signal

_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_LADDER = (
    1, 10, 100, 1000, 5000, 15_000, 30_000, _MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR, 6 * _HOUR, _DAY, 30 * _DAY,
)  # fmt: skip
DEFAULT_TURN = _MINUTE
"""Where no two moments have to be distinguished; also within the five minutes for which a sample is seen."""
_MOST_EVALUATIONS = 20


@dataclass(frozen=True, slots=True)
class RuleTest:
    """One group of a test file; its checks are at multiples of `turn`, the last at `length`."""

    turn: int
    length: int
    group: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Phases:
    """When signals are bad: from the time `bad` to `last_bad`, of all that ends at `end`; a sample every `spacing`."""

    spacing: int
    bad: int
    last_bad: int
    end: int

    @property
    def samples(self) -> tuple[int, int, int]:
        """How many samples the three phases have."""
        quiet, firing = self.bad // self.spacing, (self.last_bad - self.bad) // self.spacing + 1
        return quiet, firing, self.end // self.spacing + 1 - quiet - firing


def turn_within(length: int, parts: int) -> int:
    """The step of the ladder that goes at least so often into a duration, which is thereby told from others."""
    return max((step for step in _LADDER if step * parts <= length), default=_LADDER[0]) if length else DEFAULT_TURN


def turn_of_window(window: int) -> int:
    """Fine enough to tell a window of rates from one that is a quarter longer or shorter."""
    return turn_within(window, 5)


def turn_of_hold(held: int) -> int:
    """Fine enough to tell a time that an alert must hold from half of it."""
    return turn_within(held, 2)


def up_to(length: int, turn: int) -> int:
    """The last turn before `length` has passed."""
    return (length - 1) // turn * turn


def after(length: int, turn: int) -> int:
    """The first turn by which `length` has passed."""
    return -(-length // turn) * turn


def window_turns(window: int) -> tuple[int, int, int]:
    """When a burst is there, when it is last within the window that ends then, and when it is no more."""
    turn = turn_of_window(window)
    return turn, up_to(window, turn), after(window + 1, turn)


def milliseconds(duration: timedelta) -> int:
    """A duration as the timeline counts it."""
    return duration // timedelta(milliseconds=1)


def time_text(at: int) -> str:
    """A time or a duration as test files write it."""
    return format_duration(timedelta(milliseconds=at))


def input_series(signals: Iterable[Signal], phases: Phases) -> list[dict[str, str]]:
    """The series of a group."""
    return [{"series": signal.series, "values": " ".join(_values(signal, phases))} for signal in signals]


def expression_check(at: int, expr: str, samples: Sequence[tuple[str, float]]) -> dict[str, Any]:
    """What an expression must give at a time: series with their values, in any order."""
    expected = [{"labels": labels, "value": value} for labels, value in samples]
    return {"expr": expr, "eval_time": time_text(at), "exp_samples": expected}


def test_files(tests: Iterable[RuleTest], rule_files: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The evaluation interval and the content of each test file: as few as promtool can run in seconds."""
    left = sorted(tests, key=lambda test: test.turn)
    while left:
        interval = left[0].turn
        here = [test for test in left if _fits(test, interval)]
        left = [test for test in left if not _fits(test, interval)]
        yield (
            interval,
            {
                "rule_files": list(rule_files),
                "evaluation_interval": time_text(interval),
                "tests": [test.group for test in here],
            },
        )


def _fits(test: RuleTest, interval: int) -> bool:
    """Whether a test can run at an evaluation interval without thousands of evaluations."""
    return test.turn == interval or test.length <= interval * _MOST_EVALUATIONS


def _values(signal: Signal, phases: Phases) -> Iterator[str]:
    quiet, firing, rest = phases.samples
    match signal:
        case Gauge(_, before, level):
            yield from (*_level(before, quiet), *_level(level, firing), *_level(before, rest))
        case Clock(_, age):
            yield _run(-age, phases.spacing / 1000, quiet + firing + rest)
        case Growth(_, step):
            # The first sample is one before the phase: with the second one there is a rate.
            yield from (*_nothing(quiet - 1), "0", _run(step, step, firing), *_level(step * firing, rest))
        case Course(_, levels):
            yield from _course(levels, phases.spacing, quiet + firing + rest)
        case Burst(_, count, late, first):
            before = quiet + firing + rest - 2 if late else 0
            yield from (*_nothing(before), number(first), *_level(count, quiet + firing + rest - 1 - before))
        case _:
            assert_never(signal)


def _course(
    levels: Sequence[tuple[timedelta, float | None]], spacing: int, samples: int
) -> Iterator[str]:  # fmt: skip
    """Each level from the first sample at or after its time to the one before the next level."""
    starts = [min(-(-milliseconds(at) // spacing), samples) for at, _ in levels]
    yield from _nothing(starts[0] if starts else samples)
    for (_, level), start, end in zip(levels, starts, [*starts[1:], samples], strict=True):
        yield from _level(level, end - start)


def _level(level: float | None, samples: int) -> tuple[str, ...]:
    if samples == 0:
        return ()
    # Without the stale mark the last sample would be seen for five minutes more.
    return ("stale", *_nothing(samples - 1)) if level is None else (_run(level, 0, samples),)


def _run(first: float, step: float, samples: int) -> str:
    return number(first) if samples == 1 else f"{number(first)}+{number(step)}x{samples - 1}"


def _nothing(samples: int) -> tuple[str, ...]:
    return (f"_x{samples}",) if samples else ()
