"""A simulated log of some weeks, checked every night as drift-check does it, with windows that widen."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from benchmarks.hourly_columns import DAY, HourlyColumn, HourlySource, Ints, sample_of
from benchmarks.judged import DEFAULTS, NOW, judged
from benchmarks.watched_world import ATTRIBUTES, Distribution, counts_of, distributions
from facemon.domain.drift_result import Check, DriftResult
from facemon.drift.compared_columns import ComparedColumn, compared_columns
from facemon.drift.sample import Sample
from facemon.drift.window_ladder import Rung, climb, rungs_of

REFERENCE_DAYS = 7
NIGHTS = 60
LONGEST_FROM = 14
"""The first night whose windows reach as far back as they may."""
_BOTH = (Check.DATA, Check.MODEL)
_HOUR = timedelta(hours=1)
_TRAFFIC = np.exp(1.5 * np.cos((np.arange(DAY) - 14) * np.pi / 12))
"""Images by hour of the day, up to a factor: in the busiest hour 20 times those of the quietest."""
_REFERENCE_END = NOW


@dataclass(frozen=True, slots=True)
class SimulatedLog:
    """The hours of one source from the reference's first on."""

    source: HourlySource
    reference: Sample
    world: Mapping[str, Distribution]

    @classmethod
    def draw(cls, rng: np.random.Generator, images_a_day: int) -> "SimulatedLog":
        """A log in which nothing changes."""
        days = REFERENCE_DAYS + NIGHTS
        images = rng.poisson(np.tile(images_a_day * _TRAFFIC / _TRAFFIC.sum(), days))
        world = distributions(rng, 1)
        faces, counts = counts_of(rng, images, world)
        columns = {name: HourlyColumn.of(world[name].keys, each) for name, each in counts.items()}
        source = HourlySource(_summed(images), _summed(faces), columns)
        return cls(source, sample_of({None: source}, 0, DAY * REFERENCE_DAYS, has_days=True), world)

    def moved(self, rng: np.random.Generator, name: str, shift: float, first: int, end: int) -> "SimulatedLog":
        """The same log, but for an attribute's label that is shifted on the nights `[first, end)`."""
        column, faces = self.source.columns[name], np.diff(self.source.faces)
        counts = np.diff(column.before, axis=0)
        at = slice(_hour_of(first - 1), _hour_of(end - 1))
        counts[at] = rng.multinomial(faces[at], self.world[name].moved(None, shift).shares[0])
        columns = {**self.source.columns, name: HourlyColumn.of(column.keys, counts)}
        return replace(self, source=replace(self.source, columns=columns))

    def check(self, night: int) -> DriftResult:
        """The check at the end of a night; the first night is 1."""
        until = _REFERENCE_END + timedelta(days=night)
        rungs = rungs_of(until - DEFAULTS.window, until, widen_to=DEFAULTS.widen_to, not_before=_REFERENCE_END)

        def read(rung: Rung) -> Sample:
            return sample_of({None: self.source}, _hour_at(rung.since), _hour_at(until))

        ladder = climb(self.reference, rungs, read, self._columns, DEFAULTS, judges_sources=True)
        return judged(self.reference, ladder.windows[-1].sample, ATTRIBUTES, checks=_BOTH, ladder=ladder)

    def _columns(self, current: Sample) -> list[tuple[Check, ComparedColumn]]:
        return [
            (check, column)
            for check in _BOTH
            for column in compared_columns(check, ATTRIBUTES, self.reference, current, DEFAULTS)
        ]


def _summed(counts: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(counts)])


def _hour_of(night: int) -> int:
    """The hour at which a night ends."""
    return DAY * (REFERENCE_DAYS + night)


def _hour_at(time: datetime) -> int:
    return DAY * REFERENCE_DAYS + (time - _REFERENCE_END) // _HOUR
