"""Simulated columns, counted by the hour: the counts and the spreads of any window of them, as the log has them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from facemon.domain.profile import ColumnCounts, ColumnKind, Profile, Unit
from facemon.domain.spread import Spread, SpreadProfile
from facemon.drift.sample import Sample

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
DAY = 24


@dataclass(frozen=True, slots=True)
class Keys:
    """What a column holds, and the labels or bins that it may have."""

    kind: ColumnKind
    unit: Unit = Unit.FACE
    labels: tuple[str, ...] = ()
    bins: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))

    def counted(self, counts: Ints) -> ColumnCounts:
        """The counts of some rows, those of 0 dropped."""
        held = np.flatnonzero(counts)
        if self.kind is ColumnKind.CATEGORICAL:
            return ColumnCounts(self.kind, self.unit, counts[held], tuple([self.labels[at] for at in held]))
        return ColumnCounts(self.kind, self.unit, counts[held], bins=self.bins[held])

    def stepped(self, shares: Floats) -> Floats:
        """Shares of labels; of bins the shares up to each."""
        return shares if self.kind is ColumnKind.CATEGORICAL else np.cumsum(shares, axis=-1)

    def spread(self, sums: Floats, weight: float, pairs: int) -> Spread:
        """The spread of variances times `weight`, which stand where `stepped` shares do."""
        if self.kind is ColumnKind.CATEGORICAL:
            return Spread(sums, weight, pairs, labels=self.labels)
        return Spread(np.diff(sums, prepend=0.0), weight, pairs, bins=self.bins)


YES_NO = Keys(ColumnKind.CATEGORICAL, labels=("no", "yes"))


@dataclass(frozen=True, slots=True)
class HourlyColumn:
    """The counts of one column of one source by the hour, summed up so that a window is a difference of two."""

    keys: Keys
    before: Ints
    """The counts of all hours before each hour, [hours + 1, keys]."""
    held: Ints
    """The hours that have rows; two that follow each other are a pair."""
    squares: Floats
    """As `Spread.sums`, of all pairs before each, [pairs + 1, keys]."""
    pair_rows: Floats
    """As `Spread.weight`, of all pairs before each."""

    @classmethod
    def of(cls, keys: Keys, counts: Ints) -> "HourlyColumn":
        """The column of these counts, [hours, keys]."""
        rows = counts.sum(axis=1)
        held = np.flatnonzero(rows)
        shares = keys.stepped(counts[held] / rows[held, None])
        first, second = rows[held][:-1], rows[held][1:]
        pair_rows = first * second / (first + second)
        squares = (pair_rows[:, None] * np.diff(shares, axis=0)) ** 2
        zeros = np.zeros((1, counts.shape[1]), np.int64)
        return cls(
            keys,
            np.concatenate([zeros, np.cumsum(counts, axis=0)]),
            held,
            np.concatenate([zeros, np.cumsum(squares, axis=0)]),
            np.concatenate([[0.0], np.cumsum(pair_rows)]),
        )

    def rows(self, first: int, end: int) -> Ints:
        """The counts of the hours `[first, end)`."""
        return np.asarray(self.before[end] - self.before[first])

    def spread(self, first: int, end: int) -> Spread:
        """How much these hours differ."""
        low, high = np.searchsorted(self.held, (first, end))
        last = max(int(high) - 1, int(low))
        weight = float(self.pair_rows[last] - self.pair_rows[low])
        # Sums of what is far smaller than all before leave a rest of rounding.
        sums = np.maximum(self.squares[last] - self.squares[low], 0.0)
        return self.keys.spread(sums, weight, last - int(low))


Columns = Mapping[str, HourlyColumn]


@dataclass(frozen=True, slots=True)
class HourlySource:
    """One source's images and faces by the hour, each a running sum that begins with 0, and its columns."""

    images: Ints
    faces: Ints
    columns: Columns

    def profile(self, first: int, end: int) -> Profile:
        """The rows of the hours `[first, end)`; one face an image."""
        images, faces = (int(each[end] - each[first]) for each in (self.images, self.faces))
        counted = {name: column.keys.counted(column.rows(first, end)) for name, column in self.columns.items()}
        return Profile(images, faces, faces, {name: each for name, each in counted.items() if len(each.counts)})


def sample_of(sources: Mapping[str | None, HourlySource], first: int, end: int, *, has_days: bool = False) -> Sample:
    """The hours `[first, end)` of these sources with the spreads between hours, and where it `has_days` between days.

    Those of days belong to a reference; they are those of all sources together.
    """
    found = Sample.of_sources({name: source.profile(first, end) for name, source in sources.items()})
    spreads = {
        name: SpreadProfile({column: held.spread(first, end) for column, held in source.columns.items()})
        for name, source in sources.items()
    }
    found = replace(found, spreads=spreads, days=(end - first) / DAY)
    if not has_days:
        return found
    columns = next(iter(sources.values())).columns
    days = {name: day_spread([each.columns[name] for each in sources.values()], first, end) for name in columns}
    return replace(found, whole_days=days)


def day_spread(sources: Sequence[HourlyColumn], first: int, end: int) -> Spread:
    """The variance between whole days at a fixed mix of sources, as `daily_spreads` has it."""
    keys, edges = sources[0].keys, range(first, end + 1, DAY)
    counts = np.stack([np.diff(source.before[edges], axis=0) for source in sources])
    rows = counts.sum(axis=2)
    weights = rows.sum(axis=1)[:, None] * (rows > 0)
    mix = weights / weights.sum(axis=0)
    shares = (mix[:, :, None] * counts / np.maximum(rows, 1)[:, :, None]).sum(axis=0)
    part = rows.sum(axis=0) / rows.sum()
    steps = keys.stepped(shares)
    variances = part @ (steps - part @ steps) ** 2 / (1 - (part**2).sum())
    return keys.spread(variances, 1.0, len(part) - 1)
