"""Tests of two windows whose rows come in clusters: the spread between clusters is the yardstick.

All arrays have one row per cluster and one column per label, or per point that splits the numbers in two; each
cell is the count of rows with that label, or below that point. The largest of the columns' t-statistics decides,
corrected by Bonferroni, which holds whatever their correlation.
"""

from dataclasses import dataclass

import numpy as np

from facemon.distribution_functions import stdtr
from facemon.domain.array_types import Floats


@dataclass(frozen=True, slots=True)
class ClusterTest:
    """The outcome of a cluster-aware test; `standard_error` is the largest over the columns tested."""

    p_value: float
    standard_error: float
    degrees: float
    tests: int


def paired_test(counts: tuple[Floats, Floats], rows: tuple[Floats, Floats]) -> ClusterTest:
    """Whether the shares changed within the clusters, which both windows have in the same order.

    The differences of the shares per cluster are averaged as in a random-effects meta-analysis (weights of
    DerSimonian & Laird 1986) and tested by Hartung & Knapp's t with G-1 degrees of freedom, its variance
    never below that of the weights (Knapp & Hartung 2003; Röver, Knapp & Friede 2015), which itself is never
    below the independent rows' (Mantel & Haenszel 1959). A cluster's own level cancels out.
    """
    totals = rows[0] + rows[1]
    precision = rows[0] * rows[1] / totals
    differences = counts[1] / rows[1][:, None] - counts[0] / rows[0][:, None]
    within = _mean_variance((counts[0] + counts[1]) / totals[:, None], totals, precision)
    between = _variance_between(differences, precision, within)
    mean, variance = _random_effects(differences, precision, within, between)
    return _largest(mean, variance, np.full(mean.shape, len(totals) - 1.0))


@dataclass(frozen=True, slots=True)
class WindowRows:
    """One window for `unpaired_test`: clusters, or one row of independent images with a design effect."""

    counts: Floats
    rows: Floats
    independent: bool = False
    design_effect: float = 1.0


def unpaired_test(reference: WindowRows, current: WindowRows) -> ClusterTest:
    """Whether two separate samples of clusters share the same mean shares.

    Each side is a random-effects mean over its clusters with Hartung & Knapp's variance; the two are
    compared by Welch's t with Satterthwaite's degrees of freedom (1946), the variance of the difference
    never below the independent rows'. The spread between clusters that sets the weights is pooled over
    both sides, because a handful of clusters estimates it badly.
    """
    sides = (reference, current)
    spreads = [_spread(side) for side in sides if not side.independent]
    degrees = [len(side.rows) - 1 for side in sides if not side.independent]
    between = np.average([spread for spread, _ in spreads], axis=0, weights=degrees)
    within = np.average([inner for _, inner in spreads], axis=0, weights=degrees)
    pooled = sum(side.counts.sum(axis=0) for side in sides) / sum(side.rows.sum() for side in sides)
    means, variances = [], []
    for side in sides:
        if side.independent:
            means.append(side.counts[0] / side.rows[0])
            variances.append(pooled * (1 - pooled) * side.design_effect / side.rows[0])
        else:
            mean, variance = _random_effects(side.counts / side.rows[:, None], side.rows, within, between)
            means.append(mean)
            variances.append(variance)
    floor = pooled * (1 - pooled) * sum(side.design_effect / side.rows.sum() for side in sides)
    total = np.maximum(variances[0] + variances[1], floor)
    parts = [v**2 / (len(s.rows) - 1) for v, s in zip(variances, sides, strict=True) if not s.independent]
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = (variances[0] + variances[1]) ** 2 / np.sum(parts, axis=0)
    freedom = np.where(np.isfinite(freedom), freedom, min(degrees))
    return _largest(means[1] - means[0], total, freedom)


def _mean_variance(shares: Floats, rows: Floats, weights: Floats) -> Floats:
    """The variance p(1-p) of one row within its cluster, unbiased, as a weighted mean over clusters."""
    unbiased = shares * (1 - shares) * (rows / np.maximum(rows - 1, 1))[:, None]
    return np.average(unbiased, axis=0, weights=weights)


def _spread(side: WindowRows) -> tuple[Floats, Floats]:
    """The variance between the clusters of one window, and the variance of one row within them."""
    shares = side.counts / side.rows[:, None]
    within = _mean_variance(shares, side.rows, np.maximum(side.rows - 1, 1e-9))
    return _variance_between(shares, side.rows, within), within


def _variance_between(values: Floats, precision: Floats, within: Floats) -> Floats:
    """DerSimonian & Laird's moment estimate; the sampling variance of `values` is `within / precision`."""
    mean = np.average(values, axis=0, weights=precision)
    excess = precision @ (values - mean) ** 2 - (len(values) - 1) * within
    scale = precision.sum() - (precision**2).sum() / precision.sum()
    return np.maximum(excess / scale, 0.0)


def _random_effects(values: Floats, precision: Floats, within: Floats, between: Floats) -> tuple[Floats, Floats]:
    """The weighted mean over clusters per column, and its variance after Hartung & Knapp."""
    spread = between + within / precision[:, None]
    # A column that is constant within each cluster has no variance of its own; rows are the weights then.
    weights = np.where(spread > 0, 1 / np.where(spread > 0, spread, 1), precision[:, None])
    mean = (weights * values).sum(axis=0) / weights.sum(axis=0)
    residuals = (weights * (values - mean) ** 2).sum(axis=0) / (len(values) - 1)
    has_spread = (spread > 0).all(axis=0)
    scale = np.where(has_spread, np.maximum(residuals, 1.0), residuals)
    return mean, scale / weights.sum(axis=0)


def _largest(differences: Floats, variances: Floats, degrees: Floats) -> ClusterTest:
    moved = differences != 0
    if not moved.any():
        return ClusterTest(1.0, float(np.sqrt(variances.max())), float(degrees.min()), len(differences))
    statistics = np.abs(differences[moved]) / np.sqrt(variances[moved])
    p_values = 2 * stdtr(degrees[moved], -statistics)
    return ClusterTest(
        p_value=float(min(1.0, len(differences) * p_values.min())),
        standard_error=float(np.sqrt(variances.max())),
        degrees=float(degrees[variances.argmax()]),
        tests=len(differences),
    )
