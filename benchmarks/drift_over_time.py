"""How drift-check judges rows that repeat, days that differ, and shares that follow the hour: simulated rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift_simulation import BASE_RATES, Sources, correlated_normals, three_of
from benchmarks.hourly_columns import DAY, YES_NO, HourlyColumn, HourlySource, sample_of
from benchmarks.judged import alarm_line, alarms_at_zero, binary_attributes, drifted, found_line, judged
from benchmarks.machine import Line
from benchmarks.repeats import REPEATS, repeated
from benchmarks.shares import Share
from facemon.distribution_functions import ndtri
from facemon.domain.drift_result import Verdict
from facemon.drift.sample import Sample

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SOURCES, _REFERENCE_DAYS, _REFERENCE_ROWS, _ROWS = 4, 7, 10_000, 1_000
_ATTRIBUTES = binary_attributes(BASE_RATES)
_MEANS = np.array(list(BASE_RATES.values()))
_HOURS = np.arange(DAY)
_TRAFFIC = np.exp(1.5 * np.cos((_HOURS - 14) * np.pi / 12))
"""Rows by hour of the day, up to a factor: in the busiest hour 20 times those of the quietest."""
_CYCLE = np.sin((_HOURS - 14) * np.pi / 12)
ABOUT = f"""\
Over time: {REPEATS:,} repeats; the same attributes and {_SOURCES} unequal sources;
a reference of {_REFERENCE_DAYS} days with {_REFERENCE_ROWS:,} rows in all, and a window of 24 hours with
{_ROWS:,} rows where no others are named; with the spreads between hours and days that the log has. The busiest hour
has 20 times the rows of the quietest. In a run of frames one person's row repeats, also over the end of an hour.
Days differ in all sources alike, normally; in a daily cycle the shares of all attributes rise and fall by 10
points. Each repeat of "found" moves three attributes in every source, towards one half.
"""


@dataclass(frozen=True, slots=True)
class _World:
    """How rows depend on each other and on time."""

    run: int = 1
    """Frames of one person, one after the other."""
    day_deviation: float = 0.0
    cycle: float = 0.0
    shift: float = 0.0
    rows: int = _ROWS

    def hours(self, rng: np.random.Generator, days: int) -> Floats:
        """What each hour adds to the shares of the attributes, [hours, attributes]."""
        by_day = self.day_deviation * rng.standard_normal((days, len(_MEANS)))
        return np.asarray(np.repeat(by_day, DAY, axis=0) + self.cycle * np.tile(_CYCLE, days)[:, None])


@dataclass(frozen=True, slots=True)
class _Outcome:
    alarm_at_zero: bool
    alarm: bool
    found: tuple[bool, ...] = ()


def repeated_frame_lines() -> Iterator[Line]:
    """Frames of one person that follow each other."""
    for run, wanted in ((3, 0.95), (10, 0.75)):
        yield from _lines(f"runs of {run} frames of one person", _World(run=run, shift=0.2), wanted)


def day_lines() -> Iterator[Line]:
    """Days that differ."""
    for rows in (_ROWS, 10 * _ROWS):
        what = f"days differ by 2 points (a standard deviation), {rows:,} rows"
        yield from _lines(what, _World(day_deviation=0.02, rows=rows))


def daily_cycle_lines() -> Iterator[Line]:
    """Shares that follow the hour of the day."""
    yield from _lines("a daily cycle of ±10 points", _World(cycle=0.1, shift=0.08), 0.95)


def _lines(what: str, world: _World, wanted: float = 0.0) -> Iterator[Line]:
    outcomes = repeated(partial(_outcome, world))
    yield alarm_line(f"{what}: any alarm, threshold 0", [Share.of([each.alarm_at_zero for each in outcomes])])
    yield alarm_line(f"{what}: any alarm, threshold 0.05", [Share.of([each.alarm for each in outcomes])])
    if wanted:
        share = Share.of([hit for each in outcomes for hit in each.found])
        note = f"{share.repeats:,} shifts"
        yield found_line(f"{what}: +{100 * world.shift:.0f} points, found", [share], wanted, note)


def _outcome(world: _World, seed: int) -> _Outcome:
    rng = np.random.default_rng([22, world.run, round(100 * world.day_deviation), round(100 * world.cycle), seed])
    sources = Sources.draw(rng, _SOURCES, equal=False, name="camera")
    reference = _sample(rng, sources, world, _REFERENCE_DAYS, _REFERENCE_ROWS, np.zeros(len(_MEANS)))
    result = judged(reference, _sample(rng, sources, world, 1, world.rows, np.zeros(len(_MEANS))), _ATTRIBUTES)
    at_zero, alarm = alarms_at_zero(result), result.verdict is Verdict.DRIFT
    if not world.shift:
        return _Outcome(at_zero, alarm)
    names = three_of(seed)
    moves = np.where(np.isin(list(BASE_RATES), names), np.where(_MEANS < 0.5, world.shift, -world.shift), 0)
    found = drifted(judged(reference, _sample(rng, sources, world, 1, world.rows, moves), _ATTRIBUTES))
    return _Outcome(at_zero, alarm, tuple(name in found for name in names))


def _sample(rng: np.random.Generator, sources: Sources, world: _World, days: int, rows: int, moves: Floats) -> Sample:
    hours = world.hours(rng, days)
    traffic = np.tile(_TRAFFIC, days) / (days * _TRAFFIC.sum())
    found: dict[str | None, HourlySource] = {}
    for at, (rates, weight) in enumerate(zip(sources.rates(), sources.weights, strict=True)):
        of_hours = rng.multinomial(max(round(weight * rows), 1), traffic)
        yes = _marked(rng, of_hours, np.clip(rates + moves + hours, 0, 1), world.run)
        columns = {
            name: HourlyColumn.of(YES_NO, np.column_stack([of_hours - each, each]))
            for name, each in zip(BASE_RATES, yes.T, strict=True)
        }
        total = np.concatenate([[0], np.cumsum(of_hours)])
        found[f"{sources.name} {at}"] = HourlySource(total, total, columns)
    return sample_of(found, 0, DAY * days, has_days=days > 1)


def _marked(rng: np.random.Generator, rows: Ints, rates: Floats, run: int) -> Ints:
    """How many rows of each hour have each attribute, where each person fills `run` rows."""
    limits = ndtri(rates).astype(np.float32)
    hour = np.repeat(np.arange(len(rows)), rows)
    persons = correlated_normals(rng, len(hour[::run]), len(_MEANS)) < limits[hour[::run]]
    marks = np.repeat(persons, run, axis=0)[: len(hour)]
    before = np.concatenate([np.zeros((1, len(_MEANS)), np.int64), np.cumsum(marks, axis=0)])
    ends = np.cumsum(rows)
    return np.asarray(before[ends] - before[ends - rows])
