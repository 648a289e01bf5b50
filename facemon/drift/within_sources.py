"""Tests of two windows that hold the same sources: what changed within the sources, whatever their number.

All arrays have one row per source and one column per label or ordered bin, and hold counts; every source has rows
in both windows. The differences within sources are weighted by n₀n₁/(n₀+n₁) (Mantel & Haenszel 1959), so that a
changed mix of unchanged sources does not count as a difference.
"""

import numpy as np

from facemon.domain.array_types import Counts, Floats
from facemon.drift.design_effect import INDEPENDENT, DesignEffect
from facemon.drift.homogeneity import (
    chi_squared_p_value,
    corrected,
    hypergeometric,
    labels_p_value,
    mid_p_value,
    normal_p_value,
    numbers_p_value,
    rare_labels,
    supremum_p_value,
)

_NORMAL_FROM = 200.0
"""Smallest expected count, over all sources, from which the normal limit is used."""
_MOST_LABELS = 400
"""Of more frequent labels the rest are pooled: their covariances would take too long to invert."""


def weights(reference: Counts, current: Counts) -> Floats:
    """The weight n₀n₁/(n₀+n₁) of each source."""
    first, second = reference.sum(axis=1), current.sum(axis=1)
    return np.asarray(first * second / (first + second))


def differences(reference: Counts, current: Counts) -> Floats:
    """The weighted mean over sources of the differences of shares, one per label or bin."""
    shares = current / current.sum(axis=1, keepdims=True) - reference / reference.sum(axis=1, keepdims=True)
    weight = weights(reference, current)
    return np.asarray(weight @ shares / weight.sum())


def labels_within(reference: Counts, current: Counts, effect: DesignEffect = INDEPENDENT) -> float:
    """The p-value of the generalised Cochran-Mantel-Haenszel test of labels, its rare labels tested exactly.

    Landis, Heyman & Koch (1978), "Average partial association in three-way contingency tables". Rare labels are
    pooled, and tested by themselves where even the pool is rare, as `homogeneity.labels_p_value` does, which is the
    test of a single source.
    """
    if len(reference) == 1:
        return labels_p_value(reference[0], current[0], effect)
    whole = reference.sum(axis=0), current.sum(axis=0)
    rare = rare_labels(*whole, effect.factor)
    frequent = np.argsort(-(whole[0] + whole[1]), kind="stable")
    rare[frequent[_MOST_LABELS:]] = True
    first, second = reference[:, ~rare], current[:, ~rare]
    pools = reference[:, rare].sum(axis=1), current[:, rare].sum(axis=1)
    if not (pools[0].sum() + pools[1].sum()):
        return _frequent(first, second, effect)
    together = np.column_stack([first, pools[0]]), np.column_stack([second, pools[1]])
    is_sparse = bool(rare_labels(together[0].sum(axis=0), together[1].sum(axis=0), effect.factor)[-1])
    if first.shape[1] < 2 or not is_sparse:
        return _frequent(*together, effect)
    before, after = (
        np.column_stack([side.sum(axis=1), pool]) for side, pool in zip((first, second), pools, strict=True)
    )
    return min(1.0, 2 * min(binary_within(before, after, effect), _frequent(first, second, effect)))


def _frequent(reference: Counts, current: Counts, effect: DesignEffect) -> float:
    match reference.shape[1]:
        case 0 | 1:
            return 1.0
        case 2:
            return binary_within(reference, current, effect)
    return chi_squared_p_value(*cochran_mantel_haenszel(reference, current), effect)


def cochran_mantel_haenszel(reference: Counts, current: Counts) -> tuple[float, int]:
    """The statistic of the generalised test for two windows and K labels, and its degrees of freedom.

    Given the margins of each source, the current counts are multivariate hypergeometric; their sums over sources
    are compared with their expectation by their covariance (Agresti, *Categorical Data Analysis*, 8.4.3).
    """
    rows, ours = reference.sum(axis=1) + current.sum(axis=1), current.sum(axis=1)
    held = (reference + current).astype(np.float64)
    excess = (current - held * (ours / rows)[:, None]).sum(axis=0)
    scale = (rows - ours) * ours / (rows.astype(np.float64) ** 2 * np.maximum(rows - 1, 1))
    covariance = np.diag((scale * rows) @ held) - (held * scale[:, None]).T @ held
    values, vectors = np.linalg.eigh(covariance)
    kept = values > max(values.max(), 0.0) * len(values) * 1e-12
    if not kept.any():
        return 0.0, 0
    return float(((vectors[:, kept].T @ excess) ** 2 / values[kept]).sum()), int(kept.sum())


def binary_within(reference: Counts, current: Counts, effect: DesignEffect = INDEPENDENT) -> float:
    """The two-sided mid-p value of two labels, given the margins of each source.

    The current count of the second label is a sum of independent hypergeometric ones, one per source; its
    distribution is their convolution. Where every expected count is large it is the Mantel-Haenszel test, its limit.
    """
    rows, ours = reference.sum(axis=1) + current.sum(axis=1), current.sum(axis=1)
    marked = reference[:, 1] + current[:, 1]
    expected = marked * ours / rows
    variances = expected * (rows - marked) * (rows - ours) / (rows * np.maximum(rows - 1, 1).astype(np.float64))
    variance = float(variances.sum())
    if variance == 0:
        return 1.0
    seen = int(current[:, 1].sum())
    if variance / effect.factor >= _NORMAL_FROM:
        return normal_p_value((seen - float(expected.sum())) / np.sqrt(variance), effect)
    weight, least = np.ones(1), 0
    for margins in zip(marked[variances > 0], rows[variances > 0], ours[variances > 0], strict=True):
        start, more = hypergeometric(*map(int, margins))
        weight, least = np.convolve(weight, more / more.sum()), least + start
    least += int(current[variances == 0, 1].sum())
    return corrected(mid_p_value(weight, seen - least), effect)


def numbers_within(reference: Counts, current: Counts, effect: DesignEffect = INDEPENDENT) -> float:
    """The p-value of the largest weighted difference of the cumulative shares over ordered bins.

    The smaller of two upper bounds, as in `homogeneity.numbers_p_value`, the test of a single source. The process
    of the differences is a sum of Brownian bridges, one per source; its variance at every bin, and between any two,
    is at most that of the bridge over the weighted mean distribution, so that Kolmogorov's limit bounds it.
    """
    if len(reference) == 1:
        return numbers_p_value(reference[0], current[0], effect)
    held = np.flatnonzero((reference + current).sum(axis=0))
    if len(held) == 2:
        return labels_within(reference[:, held], current[:, held], effect)
    weight = weights(reference, current)
    score = float(np.abs(np.cumsum(differences(reference, current))).max())
    if score <= 0:
        return 1.0
    rows = weight.sum() / effect.factor
    both = reference + current
    shares = np.cumsum(both, axis=1)[:, :-1] / both.sum(axis=1, keepdims=True)
    variances = weight @ (shares * (1 - shares)) / weight.sum()
    return supremum_p_value(score, rows, variances[variances > 0], effect.degrees)
