"""Whether two samples of independent rows can come from one distribution. The reference is a sample too.

Every function takes the counts of both windows over the same keys. The design effect says by how much the
variance exceeds that of independent rows (faces of one image are not independent); it divides the squared
statistic, as in the first-order correction of Rao & Scott (1981), or where counts are few, the counts. Where the
effect is an estimate, t and F take the place of the normal and the chi-squared distribution.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from facemon.distribution_functions import chdtrc, fdtrc, kolmogorov, ndtr, ndtri, stdtr
from facemon.domain.array_types import Counts, Floats
from facemon.drift.design_effect import INDEPENDENT, DesignEffect
from facemon.drift.distances import ks_distance

_START = np.zeros(1)
_NORMAL_FROM = 1000.0
"""Smallest expected count from which the normal limit and the exact test agree to three digits."""
_LOG_SCALES = np.linspace(-12.0, 3.0, 600)
"""Logarithms of a variance's estimate over its true value, to integrate over."""
_ROOT_SCALES = np.exp(_LOG_SCALES / 2)
_ALIKE = 1e-7
"""Probabilities that differ by less are the same but for rounding."""
POOL_BELOW = 5.0
"""Expected count below which chi-squared is not to be trusted (Cochran 1954)."""


def effective_rows(reference: float, current: float) -> float:
    """The n for which a difference of two shares has the variance p(1-p)/n."""
    return reference * current / (reference + current)


def normal_p_value(z: float, effect: DesignEffect = INDEPENDENT) -> float:
    """The two-sided p-value of a score that is standard normal in independent rows."""
    score = -abs(float(z)) / math.sqrt(effect.factor)
    return float(2 * (ndtr(score) if math.isinf(effect.degrees) else stdtr(effect.degrees, score)))


def corrected(p_value: float, effect: DesignEffect) -> float:
    """The p-value of independent rows, corrected for the design effect by way of its normal score."""
    if effect == INDEPENDENT or p_value in (0.0, 1.0):
        return p_value
    return normal_p_value(float(ndtri(p_value / 2)), effect)


def pair_p_values(
    reference: Counts, current: Counts, effects: Sequence[DesignEffect]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Compute `labels_p_value` of many pairs of labels at once, [S, 2], by the normal limit.

    Return the p-values, and where `labels_p_value` takes this limit: only there are they its own.
    """
    factors = np.array([effect.factor for effect in effects])
    degrees = np.array([effect.degrees for effect in effects])
    before, now, both = reference.sum(axis=1), current.sum(axis=1), reference + current
    total, smaller = before + now, np.minimum(before, now)
    is_frequent = both * (smaller / total)[:, None] >= POOL_BELOW * factors[:, None]
    is_normal = is_frequent.all(axis=1) & (both.min(axis=1) * smaller / total >= _NORMAL_FROM)
    share = both[:, 1] / total
    with np.errstate(divide="ignore", invalid="ignore"):  # a label without any row, which is not frequent
        deviation = current[:, 1] / now - reference[:, 1] / before
        scores = -np.abs(deviation / np.sqrt(share * (1 - share) / (before * now / total))) / np.sqrt(factors)
    return 2 * np.where(np.isinf(degrees), ndtr(scores), stdtr(degrees, scores)), is_normal


def chi_squared_p_value(statistic: float, degrees: int, effect: DesignEffect = INDEPENDENT) -> float:
    """The p-value of a statistic that is chi-squared with `degrees` of freedom in independent rows."""
    if degrees == 0:
        return 1.0
    if math.isinf(effect.degrees):
        return float(chdtrc(degrees, statistic / effect.factor))
    return float(fdtrc(degrees, effect.degrees, statistic / effect.factor / degrees))


def binary_p_value(reference: tuple[int, int], current: tuple[int, int], effect: DesignEffect = INDEPENDENT) -> float:
    """The two-sided mid-p value of Fisher's exact test on two counts per window.

    Given the margins, the count of the second label in the current window is hypergeometric. The p-value is
    the probability of all less likely counts and half of the equally likely ones (Lancaster 1961; Agresti,
    *Categorical Data Analysis*, 3.5.5): right for rare labels, without the exact test's conservatism.
    Where every expected count is large it is Pearson's test, its limit. Fewer rows that repeat are counted as so
    many independent ones as they are worth: their normal score would make the tails of a rare label too light.
    """
    rows = (sum(reference), sum(current))
    marked, total = reference[1] + current[1], sum(rows)
    if marked in (0, total):
        return 1.0
    if min(marked, total - marked) * min(rows) / total >= _NORMAL_FROM:
        share = marked / total
        deviation = current[1] / rows[1] - reference[1] / rows[0]
        return normal_p_value(deviation / math.sqrt(share * (1 - share) / effective_rows(*rows)), effect)
    if effect.factor > 1:
        first, second = (_worth(side, effect.factor) for side in (reference, current))
        return binary_p_value(first, second, DesignEffect(1.0, effect.degrees))
    least, weights = hypergeometric(marked, total, rows[1])
    return corrected(mid_p_value(weights, current[1] - least), effect)


def hypergeometric(marked: int, rows: int, ours: int) -> tuple[int, Floats]:
    """The smallest count of marked rows among `ours` that is possible, and weights from it on, of which one is 1."""
    others = rows - ours
    first, last = max(0, marked - others), min(marked, ours)
    counts = np.arange(first, last, dtype=np.float64)
    # Of a count and the next one; sums of logarithms of ratios keep digits that differences of large factorials lose.
    ratios = (marked - counts) * (ours - counts) / ((counts + 1) * (others - marked + 1 + counts))
    logs = np.concatenate([_START, np.log(ratios)]).cumsum()
    return first, np.exp(logs - logs.max())


def mid_p_value(weights: Floats, seen: int) -> float:
    """The share of the weights that are below the one seen, and half of those that are as large."""
    now = weights[seen]
    below = weights[weights < now * (1 - _ALIKE)].sum()
    up_to = weights[weights <= now * (1 + _ALIKE)].sum()
    return float(min((below + up_to) / 2 / weights.sum(), 1.0))


def _worth(side: tuple[int, int], factor: float) -> tuple[int, int]:
    """The counts of a window that holds as many independent rows as its rows are worth, at least one."""
    rows = max(1, round(sum(side) / factor))
    marked = min(rows, round(side[1] / factor))
    return rows - marked, marked


def labels_p_value(reference: Counts, current: Counts, effect: DesignEffect = INDEPENDENT) -> float:
    """Whether two windows share one distribution of labels.

    Two labels: the mid-p value of Fisher's exact test. More: Pearson's chi-squared with the rare labels
    pooled. Where even the pool is too rare for chi-squared it is tested by itself, exactly, and the smaller
    of both p-values is doubled (Bonferroni), so that a new label is not lost among the frequent ones.
    """
    if len(reference) == 2:
        return _two_labels(reference.tolist(), current.tolist(), effect)
    first, second, is_sparse = _pool_rare(reference, current, effect.factor)
    if len(first) < 3 or not is_sparse:
        return _frequent_p_value(first, second, effect)
    rest, pool = (int(first[:-1].sum()), int(second[:-1].sum())), (int(first[-1]), int(second[-1]))
    rare = binary_p_value((rest[0], pool[0]), (rest[1], pool[1]), effect)
    return min(1.0, 2 * min(rare, _frequent_p_value(first[:-1], second[:-1], effect)))


def _two_labels(reference: list[int], current: list[int], effect: DesignEffect) -> float:
    """As `labels_p_value`, in plain numbers: of sources that are judged one by one there are thousands."""
    rows = (sum(reference), sum(current))
    expected = [sum(counts) * (min(rows) / sum(rows)) for counts in zip(reference, current, strict=True)]
    rare = [each < POOL_BELOW * effect.factor for each in expected]
    if all(rare):
        return 1.0
    # A rare label is the marked one.
    at = 0 if rare[0] else 1
    return binary_p_value((reference[1 - at], reference[at]), (current[1 - at], current[at]), effect)


def rare_labels(reference: Counts, current: Counts, factor: float = 1.0) -> NDArray[np.bool_]:
    """Which labels are rare: fewer than five independent rows expected in either window, given both together.

    `factor` is the design effect: so many rows are worth one independent row.
    """
    return _expected(reference, current) < POOL_BELOW * factor


def _pool_rare(reference: Counts, current: Counts, factor: float) -> tuple[Counts, Counts, bool]:
    """Counts in which the rare labels are one group, the last; and whether that group is there and still rare."""
    rare = rare_labels(reference, current, factor)
    pools = (reference[rare].sum(), current[rare].sum())
    if sum(pools) == 0:
        return reference[~rare], current[~rare], False
    first, second = (np.append(counts[~rare], pool) for counts, pool in zip((reference, current), pools, strict=True))
    return first, second, bool(_expected(reference, current)[rare].sum() < POOL_BELOW * factor)


def _expected(reference: Counts, current: Counts) -> Floats:
    """Rows per label that the smaller window would hold if both were alike."""
    return (reference + current) * (min(reference.sum(), current.sum()) / (reference.sum() + current.sum()))


def _frequent_p_value(reference: Counts, current: Counts, effect: DesignEffect) -> float:
    if len(reference) < 2:
        return 1.0
    if len(reference) == 2:
        first, second = reference.tolist(), current.tolist()
        return binary_p_value((first[0], first[1]), (second[0], second[1]), effect)
    rows = np.array([[reference.sum()], [current.sum()]])
    expected = rows * (reference + current) / rows.sum()
    statistic = ((np.stack([reference, current]) - expected) ** 2 / expected).sum()
    return chi_squared_p_value(float(statistic), len(reference) - 1, effect)


def numbers_p_value(reference: Counts, current: Counts, effect: DesignEffect = INDEPENDENT) -> float:
    """Whether two windows share one distribution over ordered bins, by the Kolmogorov-Smirnov distance D.

    The smaller of two upper bounds of P(D >= d) under no drift, so itself one. Kolmogorov's limit, the
    supremum of a Brownian bridge (Smirnov 1948), is conservative where values are tied in few bins. The sum
    over the bins' edges of P(|normal| >= d / sd) (Boole) is sharp just there.
    """
    if np.count_nonzero(reference + current) == 2:
        at = np.flatnonzero(reference + current)
        return labels_p_value(reference[at], current[at], effect)
    rows = effective_rows(float(reference.sum()), float(current.sum())) / effect.factor
    score = ks_distance(reference, current)
    if score == 0:
        return 1.0
    shares = np.cumsum(reference + current)[:-1] / (reference + current).sum()
    shares = shares[(shares > 0) & (shares < 1)]
    return supremum_p_value(score, rows, shares * (1 - shares), effect.degrees)


def supremum_p_value(score: float, rows: float, variances: Floats, degrees: float) -> float:
    """An upper bound of the probability that differences of cumulative shares reach `score` by chance.

    The smaller of two: Kolmogorov's limit, and the sum over the bins' edges (Boole), where a row's variance at each is
    `variances`. `rows` are independent rows; where their number rests on an estimate with so many `degrees` of
    freedom, the limit is averaged over the estimate's distribution, a chi-squared one over its degrees.
    """
    edges = -score / np.sqrt(variances / rows)
    tails = ndtr(edges) if math.isinf(degrees) else stdtr(degrees, edges)
    return float(min(limit_p_value(score * math.sqrt(rows), degrees), 2 * tails.sum(), 1.0))


def limit_p_value(limit: float, degrees: float) -> float:
    """The first of the bounds of `supremum_p_value`, of a score times the root of the rows."""
    if math.isinf(degrees):
        return float(kolmogorov(limit))
    weight, total, counting = _scale_weights(degrees)
    weighted = np.zeros(len(weight))
    weighted[counting] = kolmogorov(limit * _ROOT_SCALES[counting]) * weight[counting]
    return float(weighted.sum() / total)


@lru_cache(maxsize=64)
def _scale_weights(degrees: float) -> tuple[Floats, np.float64, slice]:
    """How much each of `_LOG_SCALES` weighs, all of them together, and those whose weight is not 0."""
    density = degrees / 2 * (_LOG_SCALES - np.exp(_LOG_SCALES))
    weight = np.exp(density - density.max())
    counting = np.flatnonzero(weight)
    return weight, weight.sum(), slice(counting[0], counting[-1] + 1)
