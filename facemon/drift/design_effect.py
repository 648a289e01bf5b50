"""By how much the variance of a difference exceeds that of independent rows, from how shares vary over time.

Frames of one camera repeat, and days differ. Of both the spread between hours and between days tells, whatever the
reason; a slow change over the day does not count as repetition. All columns of a check are looked at together,
because one column's spread over a few days is a poor estimate.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facemon.distribution_functions import chdtrc
from facemon.domain.binning import distinct
from facemon.domain.profile import ColumnCounts, ColumnKind, binned_counts
from facemon.domain.spread import Spread
from facemon.drift.distances import aligned
from facemon.drift.row_variances import below, hourly_variances, independent_variances, sums_up_to

_CHANCE = 0.05
_FEWEST_SOURCES = 20
"""Fewer sources are what is watched, and do not show how much others would differ."""
DECILES = np.linspace(0.1, 0.9, 9)
_DEGREES_OF_A_PAIR = 2 / 3
"""Degrees of freedom of a variance from n successive differences, over n (von Neumann 1941)."""


@dataclass(frozen=True, slots=True)
class DesignEffect:
    """The factor by which the variance exceeds that of independent rows, and how well it is known.

    `degrees` are the degrees of freedom of its estimate; infinite where the factor was not estimated.
    """

    factor: float = 1.0
    degrees: float = math.inf
    shown: float | None = None
    """The ratio that was estimated, where the factor goes beyond what the hours show."""

    @property
    def is_proven(self) -> bool:
        """Whether the rows do repeat, and the factor is above 1 not by chance alone (a chi-squared test at 5 %)."""
        if math.isinf(self.degrees):
            return self.factor > 1
        shown = self.factor if self.shown is None else self.shown
        return self.factor > 1 and float(chdtrc(self.degrees, self.degrees * shown)) < _CHANCE


INDEPENDENT = DesignEffect()


@dataclass(frozen=True, slots=True)
class DaysEffect:
    """What the reference's days show of the variance of the difference, over the variance of independent rows.

    The share of a day varies with its rows too, so that `shown` contains some of the variance of independent rows:
    the part `held`, below 1 where the current window has fewer rows a day than the reference.
    """

    shown: DesignEffect = INDEPENDENT
    held: float = 1.0

    def with_rows(self, rows: DesignEffect) -> DesignEffect:
        """Return the effect of days and of the part of the rows that `shown` does not hold; they repeat as `rows` do.

        The variance is the sum of an estimated and a known one. The degrees of freedom of the sum are those of
        Satterthwaite (1946), "An approximate distribution of estimates of variance components".
        """
        # Where days hold more than the rows, nothing is subtracted: with few days the difference is often negative.
        rest = max(0.0, 1 - self.held) * max(1.0, rows.factor)
        factor = self.shown.factor + rest
        return DesignEffect(factor, self.shown.degrees * (factor / self.shown.factor) ** 2)

    def scaled(self, by: float) -> "DaysEffect":
        """Return the effect of other windows, where the variance of days is `by` times as large beside that of rows."""
        return DaysEffect(replace(self.shown, factor=self.shown.factor * by), self.held * by)


UNKNOWN_DAYS = DaysEffect()


@dataclass(frozen=True, slots=True)
class Ratio:
    """An estimate of a design effect before the columns are looked at together."""

    value: float
    degrees: float
    hour_rows: float = math.inf
    """Rows of an hour, whose repetition the hour cuts short; infinite for ratios of days and of sources."""
    held: float = 1.0
    """How much of the variance of independent rows the value contains; other than 1 for ratios of days only."""
    row_variance: float = math.nan
    """The variance of one independent row, if the ratio may follow it; of numbers, as if a split made two labels."""


@dataclass(frozen=True, slots=True)
class SourceRows:
    """One source in both windows: the counts of a column, and the spreads between hours where they are known."""

    counts: tuple[ColumnCounts, ColumnCounts]
    hours: tuple[Spread | None, Spread | None] = (None, None)
    weight: float = math.nan
    """n₀n₁/(n₀+n₁), unless it is given: the rows that the difference of the two shares is worth."""

    def __post_init__(self) -> None:
        """Compute the weight."""
        if math.isnan(self.weight):
            first, second = self.counts[0].total, self.counts[1].total
            object.__setattr__(self, "weight", first * second / (first + second))


def is_constant(sources: Sequence[SourceRows]) -> bool:
    """Whether all rows of both windows have one and the same label or bin."""
    first = sources[0].counts[0]
    return len(first.counts) == 1 and all(
        len(counts.counts) == 1 and counts.labels == first.labels and (bool(first.labels) or counts.bins == first.bins)
        for source in sources
        for counts in source.counts
    )


@dataclass(frozen=True, slots=True)
class SourceVariances:
    """The variances of a row within each source, summed over the labels, or over the deciles of numbers (`splits`).

    They follow from counts and spreads. How much the sources weigh does not change them.
    """

    splits: NDArray[np.int32] | None
    hours: tuple[tuple[float, int, float] | None, ...]
    """The variance between hours, the pairs that show it and their weight; None where these are too few."""
    independent: tuple[float, ...]
    """The variance of independent rows."""
    is_constant: bool

    @classmethod
    def of(cls, sources: Sequence[SourceRows]) -> "SourceVariances":
        """Of the rows of both windows."""
        if is_constant(sources):
            return cls(None, (None,) * len(sources), (0.0,) * len(sources), is_constant=True)
        splits = _splits(sources)
        return cls(
            splits,
            tuple(hourly_variances([source.hours for source in sources], splits)),
            tuple(independent_variances([source.counts for source in sources], splits)),
            is_constant=False,
        )


def hours_ratio(sources: Sequence[SourceRows], known: SourceVariances | None = None) -> Ratio | None:
    """The variance of a row between hours over that of independent rows, as a mean over sources; None if unknown.

    Summed over the labels, or over the deciles of numbers, before the division (Rao & Scott 1981, first order).
    `known` are the sources' variances, where they were computed before.
    """
    observed, expected, squares, hours = 0.0, 0.0, 0.0, 0.0
    known = known or SourceVariances.of(sources)
    for source, hourly, variance_of_independent in zip(sources, known.hours, known.independent, strict=True):
        if hourly is None:
            continue
        variance, pairs, weight = hourly
        part = source.weight * variance
        observed += part
        squares += part**2 / (_DEGREES_OF_A_PAIR * pairs)
        independent = source.weight * variance_of_independent
        expected += independent
        # A pair of hours with n rows each weighs n/2.
        hours += independent * pairs / (2 * weight)
    if not (expected > 0 and observed > 0):
        return None
    return Ratio(observed / expected, observed**2 / squares, expected / hours)


def beyond_hours(ratio: float, hour_rows: float) -> float:
    """The design effect k of which hours of n rows show only the ratio R, where the rows that repeat follow each other.

    A run of k alike rows that an hour cuts is shorter in each of two hours, and makes them alike: R = k - (k²-1)/2n.
    Independent rows stay at 1. No more than n can be told where R is above (n²+1)/2n.
    """
    if math.isinf(hour_rows):
        return ratio
    rest = hour_rows**2 - 2 * hour_rows * ratio + 1
    longest = hour_rows if rest <= 0 else (2 * hour_rows * ratio - 1) / (hour_rows + math.sqrt(rest))
    return max(ratio, longest)


def days_ratio(
    sources: Sequence[SourceRows],
    days: Spread | None,
    current_days: float | None,
    known: SourceVariances | None = None,
) -> Ratio | None:
    """The variance of the difference of a window's days and the reference's, over that of independent rows.

    `days` is the variance of one day's share over the reference's days; the window lasts `current_days`. None where
    either is unknown. What is `held` follows from the rows that the reference has a day, on average: v·D/n of a
    day's share, where n rows of the variance v are those of D days.
    """
    if days is None or current_days is None or days.pairs < 1:
        return None
    known = known or SourceVariances.of(sources)
    total = sum(source.weight for source in sources)
    of_a_row = _weighted(sources, known) / total
    # The variance of the mean of as many days as either window has, over that of one day.
    of_means = 1 / max(current_days, 1.0) + 1 / (days.pairs + 1)
    trace = math.fsum(days.sums.tolist()) if known.splits is None else float(below(days, known.splits).sum())
    observed = trace / days.weight * of_means
    if not (of_a_row > 0 and observed > 0):
        return None
    rows = [source.counts[0].total for source in sources]
    mean_row = sum(count * each for count, each in zip(rows, known.independent, strict=True)) / sum(rows)
    of_a_day = mean_row * (days.pairs + 1) / sum(rows)
    return Ratio(
        observed * total / of_a_row,
        days.pairs,
        held=of_a_day * of_means * total / of_a_row,
        row_variance=of_a_row if known.splits is None else 2 * of_a_row / len(known.splits),
    )


def sources_ratio(sources: Sequence[SourceRows], known: SourceVariances | None = None) -> Ratio | None:
    """The variance of the mean difference between many sources, over that of independent rows; None for few.

    Many sources that each changed a little, for better or worse, are no common change: persons photographed in two
    sessions, for one. The observed variance is the cluster-robust one (Liang & Zeger 1986), with S/(S-1).
    """
    if len(sources) < _FEWEST_SOURCES:
        return None
    weight = np.array([source.weight for source in sources])
    worth = weight.sum() ** 2 / (weight**2).sum()
    if worth < _FEWEST_SOURCES:
        return None
    known = known or SourceVariances.of(sources)
    moved = _differences([source.counts for source in sources], known.splits)
    rest = moved - weight @ moved / weight.sum()
    observed = float((weight**2 @ rest**2).sum()) * worth / (worth - 1)
    independent = _weighted(sources, known)
    if not (independent > 0 and observed > 0):
        return None
    return Ratio(observed / independent, worth - 1)


def _weighted(sources: Sequence[SourceRows], known: SourceVariances) -> float:
    return sum(source.weight * each for source, each in zip(sources, known.independent, strict=True))


def _differences(
    counts: Sequence[tuple[ColumnCounts, ColumnCounts]], splits: NDArray[np.int32] | None
) -> NDArray[np.float64]:
    """How far the share of each label, or up to each split, moved in each source, [S, K]."""
    if splits is None:
        columns = aligned([side for of_source in counts for side in of_source])
        before, now = (np.stack(columns[at::2]).astype(np.float64) for at in (0, 1))
    else:
        sides = ([of_source[at] for of_source in counts] for at in (0, 1))
        before, now = (sums_up_to(each, [side.counts for side in each], splits) for each in sides)
    totals = np.array([[side.total for side in of_source] for of_source in counts], np.float64)
    return now / totals[:, 1:] - before / totals[:, :1]


def _splits(sources: Sequence[SourceRows]) -> NDArray[np.int32] | None:
    """The bins that end the deciles of numbers over all sources and both windows; None for labels."""
    if sources[0].counts[0].kind is ColumnKind.CATEGORICAL:
        return None
    columns = [counts for source in sources for counts in source.counts]
    if all(source.counts[0] is source.counts[1] for source in sources):
        columns = columns[::2]  # twice the same rows have the same deciles
    first = columns[0]
    bins, counts = np.concatenate([each.bins for each in columns]), np.concatenate([each.counts for each in columns])
    held = binned_counts(bins, counts, first.kind, first.unit)
    shares = np.cumsum(held.counts)
    ends = (shares / shares[-1]).searchsorted(DECILES)
    return distinct(held.bins[np.minimum(ends, len(shares) - 1)])
