"""How often a quiet run reaches a threshold by chance, from row counts and the reference's shares alone."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facemon.config.drift import DriftConfig
from facemon.distribution_functions import kolmogorov, ndtr
from facemon.drift.column_evidence import FEWEST_WORTH
from facemon.drift.column_verdict import BLUNT
from facemon.drift.dependence import Comparison, Within, effects_of, layout_of
from facemon.drift.design_effect import INDEPENDENT, DesignEffect, SourceRows, SourceVariances
from facemon.drift.power import detectable_shift
from facemon.drift.sample import Sample
from facemon.drift.single_sources import single_variances
from facemon.values.profile import ColumnCounts, ColumnKind

MOST_QUIET_REACH = 0.1
"""The share of quiet runs that may reach a threshold by chance; more of them would be undecided."""
_MOST_COVARIANCES = 50
"""Of more labels the covariances of their differences are left out: they are small."""


KnownVariances = dict[tuple[str, tuple[str | None, ...]], SourceVariances]
"""The variances of a reference's rows, by column and by the names of the sources that are compared."""


@dataclass(frozen=True, slots=True)
class QuietColumn:
    """A column and the score from which on a shift of it matters."""

    name: str
    threshold: float


@dataclass(frozen=True, slots=True)
class ColumnWorth:
    """What the rows of one column are worth to a check.

    `held` are the reference's counts, `rows` the numbers of rows of both windows that are compared, and `weight` is
    Σ n₀n₁/(n₀+n₁) over the sources, divided by the design effect.
    """

    held: ColumnCounts
    rows: tuple[int, int]
    weight: float
    is_enough: bool
    """Whether both windows hold so many rows, and independent ones, that the check judges the column at all."""

    def reach(self, threshold: float) -> float:
        """Return the probability that the score reaches a threshold where nothing changed; 1 with too few rows."""
        return reach(self.held, self.weight, threshold) if self.is_enough else 1.0

    def detectable(self, significance: float) -> float:
        """Return the smallest shift that these rows detect, as `power.detectable_shift`."""
        is_label = self.held.kind is ColumnKind.CATEGORICAL
        return detectable_shift(self.held.counts, self.rows, self.weight, significance, is_label=is_label)


def column_worths(
    reference: Sample,
    current: Sample,
    names: Sequence[str],
    settings: DriftConfig,
    known: KnownVariances | None = None,
) -> dict[str, ColumnWorth]:
    """Return what the rows of each column are worth; of the current rows only the numbers count.

    The samples are `alike`. Columns that the current rows lack, or that are of another kind there, are left out: more
    rows would not help. The design effects are estimated from all the columns together. What is `known`
    of the reference serves for any current rows; it is added to.
    """
    sizes = {name: size for name in names if (size := _size(reference, current, name, settings)) is not None}
    effects = _effects(reference, sizes, current.days, {} if known is None else known)
    found = {}
    for name, size in sizes.items():
        effect = effects.get(name, INDEPENDENT)
        repeats = effect.is_proven and size.rows[1] / effect.factor < min(FEWEST_WORTH, settings.min_rows)
        is_enough = min(size.rows) >= settings.min_rows and not repeats
        found[name] = ColumnWorth(reference.total.columns[name], size.rows, size.weight / effect.factor, is_enough)
    return found


def quiet_variances(
    reference: Sample, sources: Sequence[str | None], names: Sequence[str]
) -> dict[str | None, KnownVariances]:
    """Return what `column_worths` needs to know of each source of a reference alone, `Sample.of_source`."""
    found: dict[str | None, KnownVariances] = {source: {} for source in sources}
    for name in dict.fromkeys(names):
        rows = {source: _quiet_rows(reference, source, name) for source in sources if source in reference.by_source}
        held = {source: each for source, each in rows.items() if each is not None}
        for source, each in zip(held, single_variances(list(held.values())), strict=True):
            found[source][name, (None,)] = each
    return found


def _quiet_rows(reference: Sample, source: str | None, name: str) -> SourceRows | None:
    column = reference.by_source[source].columns.get(name)
    if column is None or not column.total:
        return None
    spreads = reference.spreads.get(source)
    return SourceRows((column, column), (spreads.hours.get(name) if spreads else None, None))


def joint_reach(worths: Mapping[str, ColumnWorth], columns: Sequence[QuietColumn]) -> float:
    """Return the probability that any of the columns reaches its threshold where nothing changed.

    The columns are taken as independent, which errs upwards.
    """
    missed = 1.0
    for column in columns:
        if column.name in worths:
            missed *= 1 - worths[column.name].reach(column.threshold)
    return 1 - missed


def decides(worths: Mapping[str, ColumnWorth], columns: Sequence[QuietColumn], settings: DriftConfig) -> bool:
    """Return whether a quiet run of so many rows clears all the columns.

    At most one quiet run in ten may reach a threshold by chance, and the rows detect twice the threshold of each
    column: the verdict asks for both. The first implies the second, unless labels are rare or numbers are all alike.
    """
    if joint_reach(worths, columns) > MOST_QUIET_REACH:
        return False
    return not any(
        worths[column.name].detectable(settings.significance) > BLUNT * column.threshold
        for column in columns
        if column.name in worths
    )


def reach(held: ColumnCounts, rows: float, threshold: float) -> float:
    """The probability that the score of one column reaches a threshold by chance.

    `held` are the reference's counts, and `rows` is n₀n₁/(n₀+n₁) over the design effect.
    """
    if threshold <= 0:
        return 1.0
    if held.kind is not ColumnKind.CATEGORICAL:
        return _numbers_reach(held.counts / held.counts.sum(), rows, threshold)
    return _labels_reach(held.counts / held.counts.sum(), rows, threshold)


def _numbers_reach(shares: NDArray[np.float64], rows: float, threshold: float) -> float:
    """The same of the KS distance of numbers: the smaller of the two bounds that their test takes.

    They are Kolmogorov's limit, and the sum over the bins' edges of P(|normal| >= threshold / sd) (Boole), which is
    sharp where there are few bins, and 0 where all numbers are alike.
    """
    below = np.cumsum(shares)[:-1]
    deviations = np.sqrt(np.maximum(below * (1 - below), 0.0) / rows)
    edges = 2 * ndtr(-threshold / deviations[deviations > 0]).sum()
    return float(min(kolmogorov(threshold * math.sqrt(rows)), edges))


def _labels_reach(shares: NDArray[np.float64], rows: float, threshold: float) -> float:
    """The same of the total variation T of labels, half the sum of K absolute normal differences.

    Two labels: |normal|. More: T is taken as normal, with the moments of sums of folded normals (Leone, Nelson &
    Nottingham 1961).
    """
    deviations = np.sqrt(shares * (1 - shares) / rows)
    deviations = deviations[deviations > 0]
    if len(deviations) < 3:
        return float(2 * ndtr(-threshold / deviations[0])) if len(deviations) else 0.0
    mean = deviations.sum() * math.sqrt(2 / math.pi) / 2
    variance = float((deviations**2).sum() * (1 - 2 / math.pi))
    if len(deviations) <= _MOST_COVARIANCES:
        held = shares[(shares > 0) & (shares < 1)]
        correlation = -np.sqrt(np.outer(held, held) / np.outer(1 - held, 1 - held))
        np.fill_diagonal(correlation, 0.0)
        correlation = np.clip(correlation, -1.0, 0.0)
        folded = 2 / math.pi * (np.sqrt(1 - correlation**2) + correlation * np.arcsin(correlation) - 1)
        variance += float((np.outer(deviations, deviations) * folded).sum())
    return float(ndtr(-(threshold - mean) / math.sqrt(variance / 4)))


@dataclass(frozen=True, slots=True)
class _Size:
    """What the rows of a column amount to: Σ n₀n₁/(n₀+n₁), and those of both windows that are compared."""

    weight: float
    rows: tuple[int, int]
    within: Within | None = None


def _size(reference: Sample, current: Sample, name: str, settings: DriftConfig) -> _Size | None:
    """None for a column that the current rows lack, or that is of another kind there: more rows would not help."""
    first, second = reference.column(name), current.column(name)
    if first is None or second is None or not (first.total and second.total) or first.kind is not second.kind:
        return None
    layout = layout_of(reference, current, name, settings.cluster)
    if not isinstance(layout, Within):
        return _Size(first.total * second.total / (first.total + second.total), (first.total, second.total))
    if len(layout.sources) == 1:
        before, after = layout.sources[0].counts
        return _Size(layout.sources[0].weight, (before.total, after.total), layout)
    held, now = (sum(source.counts[side].total for source in layout.sources) for side in (0, 1))
    return _Size(sum(source.weight for source in layout.sources), (held, now), layout)


def _effects(
    reference: Sample, sizes: dict[str, _Size], days: float | None, known: KnownVariances
) -> dict[str, DesignEffect]:
    """The design effects, from how the reference's own hours and days differ."""
    comparisons = {}
    for name, size in sizes.items():
        if size.within is None:
            continue
        key = name, size.within.names
        if key not in known:
            # The reference's counts take the place of the current ones, but not their number, which sets the weight.
            known[key] = SourceVariances.of(
                [
                    SourceRows((source.counts[0], source.counts[0]), (source.hours[0], None), source.weight)
                    for source in size.within.sources
                ]
            )
        comparisons[name] = Comparison(size.within, reference.whole_days.get(name), days, known[key])
    return effects_of(comparisons)
