"""How often a quiet run reaches a threshold by chance, from row counts and the reference's shares alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facemon.config.drift import DriftConfig
from facemon.drift.column_evidence import FEWEST_WORTH
from facemon.drift.dependence import Comparison, Within, effects_of, layout_of
from facemon.drift.design_effect import INDEPENDENT, DesignEffect, SourceRows
from facemon.drift.distribution_functions import kolmogorov, ndtr
from facemon.drift.sample import Sample
from facemon.values.profile import ColumnCounts, ColumnKind

_MOST_COVARIANCES = 50
"""Of more labels the covariances of their differences are left out: they are small."""


@dataclass(frozen=True, slots=True)
class QuietColumn:
    """A column and the score from which on a shift of it matters."""

    name: str
    threshold: float


def quiet_reach(reference: Sample, current: Sample, columns: Sequence[QuietColumn], settings: DriftConfig) -> float:
    """The probability that any column's score reaches its threshold where nothing changed; 1 with too few rows.

    Of the current rows only their numbers count. The columns are taken as independent, which errs upwards.
    """
    sizes = {column.name: _sizes(reference, current, column.name, settings) for column in columns}
    effects = _effects(reference, {name: size for name, size in sizes.items() if size is not None}, current.days)
    missed = 1.0
    for column in columns:
        size = sizes[column.name]
        if size is None:
            continue
        held = reference.total.columns[column.name]
        effect = effects.get(column.name, INDEPENDENT)
        repeats = effect.is_proven and size.current / effect.factor < min(FEWEST_WORTH, settings.min_rows)
        if size.current < settings.min_rows or repeats:
            return 1.0
        missed *= 1 - reach(held, size.weight / effect.factor, column.threshold)
    return 1 - missed


def reach(held: ColumnCounts, rows: float, threshold: float) -> float:
    """The probability that the score of one column reaches a threshold by chance.

    `held` are the reference's counts, and `rows` is n₀n₁/(n₀+n₁) over the design effect.
    """
    if threshold <= 0:
        return 1.0
    if held.kind is not ColumnKind.CATEGORICAL:
        return float(kolmogorov(threshold * math.sqrt(rows)))
    return _labels_reach(held.counts / held.counts.sum(), rows, threshold)


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
    """What the rows of a column amount to: Σ n₀n₁/(n₀+n₁), and the current ones that are compared."""

    weight: float
    current: int
    within: Within | None = None


def _sizes(reference: Sample, current: Sample, name: str, settings: DriftConfig) -> _Size | None:
    """None for a column that the current rows lack, or that is of another kind there: more rows would not help."""
    first, second = reference.column(name), current.column(name)
    if first is None or second is None or not (first.total and second.total) or first.kind is not second.kind:
        return None
    layout = layout_of(reference, current, name, settings.cluster)
    if not isinstance(layout, Within):
        return _Size(first.total * second.total / (first.total + second.total), second.total)
    weight = sum(source.weight for source in layout.sources)
    return _Size(weight, sum(source.counts[1].total for source in layout.sources), layout)


def _effects(reference: Sample, sizes: dict[str, _Size], days: float | None) -> dict[str, DesignEffect]:
    """The design effects, from how the reference's own hours and days differ."""
    comparisons = {}
    for name, size in sizes.items():
        if size.within is None:
            continue
        # The reference's counts take the place of the current ones, but not their number, which sets the weight.
        alike = Within(
            tuple(
                SourceRows((source.counts[0], source.counts[0]), (source.hours[0], None), source.weight)
                for source in size.within.sources
            ),
            size.within.faces_effect,
            size.within.is_declared,
        )
        comparisons[name] = Comparison(alike, reference.whole_days.get(name), days)
    return effects_of(comparisons)
