"""How often a quiet run reaches a threshold by chance, from row counts and the reference's shares alone."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from facemon.config.drift import DriftConfig
from facemon.distribution_functions import kolmogorov, ndtr
from facemon.domain.array_types import Floats
from facemon.domain.profile import ColumnCounts, ColumnKind
from facemon.drift.column_evidence import FEWEST_WORTH
from facemon.drift.column_groups import single_variances
from facemon.drift.column_tests.registry import COLUMN_TESTS, column_test
from facemon.drift.column_verdict import BLUNT
from facemon.drift.dependence import Comparison, Within, effects_of, layout_of
from facemon.drift.design_effect import INDEPENDENT, DesignEffect, SourceRows, SourceVariances
from facemon.drift.sample import Sample

_MOST_QUIET_REACH = 0.1
"""The share of quiet runs that may reach a threshold by chance; more of them would be undecided."""
_MOST_COVARIANCES = 50
"""Of more labels the covariances of their differences are left out: they are small."""
_NONE = np.empty(0)

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

    The columns are taken as independent, which errs upwards. One with too few rows reaches it always.
    """
    chosen = [(worths[column.name], column.threshold) for column in columns if column.name in worths]
    if not all(worth.is_enough for worth, _ in chosen):
        return 1.0
    found = reaches([worth.held for worth, _ in chosen], [worth.weight for worth, _ in chosen], [t for _, t in chosen])
    return 1 - math.prod(1 - each for each in found)


def decides(worths: Mapping[str, ColumnWorth], columns: Sequence[QuietColumn], settings: DriftConfig) -> bool:
    """Return whether a quiet run of so many rows clears all the columns.

    At most one quiet run in ten may reach a threshold by chance, and the rows detect twice the threshold of each
    column: the verdict asks for both. The first implies the second, unless labels are rare or numbers are all alike.
    """
    if joint_reach(worths, columns) > _MOST_QUIET_REACH:
        return False
    least = detectable_shifts(worths, settings.significance)
    return not any(least[column.name] > BLUNT * column.threshold for column in columns if column.name in worths)


def detectable_shifts(worths: Mapping[str, ColumnWorth], significance: float) -> dict[str, float]:
    """Return the smallest shift of each column that its rows detect, as the test of each says."""
    found: dict[str, float] = {}
    for test in dict.fromkeys(COLUMN_TESTS.values()):
        names = [name for name, each in worths.items() if column_test(each.held) is test]
        own = [worths[name] for name in names]
        counts, rows, weights = [each.held.counts for each in own], [each.rows for each in own], [e.weight for e in own]
        found |= zip(names, test.detectable_shifts(counts, rows, weights, significance), strict=True)
    return found


def reaches(columns: Sequence[ColumnCounts], rows: Sequence[float], thresholds: Sequence[float]) -> list[float]:
    """Return the probability of each column that its score reaches its threshold by chance.

    The columns are the reference's counts, and `rows` are their n₀n₁/(n₀+n₁) over the design effect.
    """
    sizes, limits, found = np.array(rows), np.array(thresholds), np.ones(len(columns))
    for fits, of_columns in ((_is_pair, _pair_reaches), (_is_number, _number_reaches)):
        at = [place for place, held in enumerate(columns) if thresholds[place] > 0 and fits(held)]
        found[at] = of_columns([columns[place] for place in at], sizes[at], limits[at])
    for place, held in enumerate(columns):
        if thresholds[place] > 0 and _is_label(held) and not _is_pair(held):
            found[place] = _labels_reach(held.counts / held.total, rows[place], thresholds[place])
    return found.tolist()


def _is_label(held: ColumnCounts) -> bool:
    return held.kind is ColumnKind.CATEGORICAL


def _is_number(held: ColumnCounts) -> bool:
    return held.kind is not ColumnKind.CATEGORICAL


def _is_pair(held: ColumnCounts) -> bool:
    return held.kind is ColumnKind.CATEGORICAL and len(held.counts) == 2


def _number_reaches(columns: Sequence[ColumnCounts], rows: Floats, thresholds: Floats) -> Floats:
    """Those of the KS distances of numbers: the smaller of the two bounds that their test takes.

    They are Kolmogorov's limit, and the sum over the bins' edges of P(|normal| >= threshold / sd) (Boole), which is
    sharp where there are few bins, and 0 where all numbers are alike.
    """
    edges = [len(held.counts) - 1 for held in columns]
    of_edge = np.repeat(np.arange(len(columns)), edges)
    totals = np.array([held.total for held in columns], np.float64)
    below = np.concatenate([_NONE, *(held.below[1:-1] for held in columns)]) / totals[of_edge]
    with np.errstate(divide="ignore"):  # scaled counts may be 0
        tails = ndtr(-thresholds[of_edge] / np.sqrt(below * (1 - below) / rows[of_edge]))
    sums = 2 * np.bincount(of_edge, tails, len(columns))
    return np.asarray(np.minimum(kolmogorov(thresholds * np.sqrt(rows)), sums))


def _pair_reaches(columns: Sequence[ColumnCounts], rows: Floats, thresholds: Floats) -> Floats:
    """Those of the total variation of two labels: of one normal difference."""
    counts = np.array([held.counts for held in columns], np.int64).reshape(-1, 2)
    shares = counts[:, 0] / counts.sum(axis=1)
    with np.errstate(divide="ignore"):
        return np.asarray(2 * ndtr(-thresholds / np.sqrt(shares * (1 - shares) / rows)))


def _labels_reach(shares: Floats, rows: float, threshold: float) -> float:
    """That of the total variation T of other labels, half the sum of K absolute normal differences.

    T is taken as normal, with the moments of sums of folded normals (Leone, Nelson & Nottingham 1961).
    """
    deviations = np.sqrt(shares * (1 - shares) / rows)
    deviations = deviations[deviations > 0]
    if len(deviations) < 3:  # of a scaled reference, which may have labels without rows
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
