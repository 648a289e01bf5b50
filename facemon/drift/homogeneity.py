"""Whether two samples of independent rows can come from one distribution. The reference is a sample too.

Every function takes the counts of both windows over the same keys. `design_effect` says by how much the
variance exceeds that of independent rows (faces of one image are not independent); it divides the squared
statistic, as in the first-order correction of Rao & Scott (1981).
"""

import numpy as np
from numpy.typing import NDArray

from facemon.drift.distances import Counts, ks_distance
from facemon.drift.distribution_functions import chdtrc, gammaln, kolmogorov, ndtr, ndtri

_NORMAL_FROM = 1000.0
"""Smallest expected count from which the normal limit and the exact test agree to three digits."""
POOL_BELOW = 5.0
"""Expected count below which chi-squared is not to be trusted (Cochran 1954)."""


def effective_rows(reference: float, current: float) -> float:
    """The n for which a difference of two shares has the variance p(1-p)/n."""
    return reference * current / (reference + current)


def binary_p_value(reference: tuple[int, int], current: tuple[int, int], design_effect: float = 1.0) -> float:
    """The two-sided mid-p value of Fisher's exact test on two counts per window.

    Given the margins, the count of the second label in the current window is hypergeometric. The p-value is
    the probability of all less likely counts and half of the equally likely ones (Lancaster 1961; Agresti,
    *Categorical Data Analysis*, 3.5.5): right for rare labels, without the exact test's conservatism.
    Where every expected count is large it is Pearson's test, its limit.
    """
    rows = (sum(reference), sum(current))
    marked, total = reference[1] + current[1], sum(rows)
    if marked in (0, total):
        return 1.0
    if min(marked, total - marked) * min(rows) / total >= _NORMAL_FROM:
        share = marked / total
        deviation = current[1] / rows[1] - reference[1] / rows[0]
        z = abs(deviation) / np.sqrt(share * (1 - share) / effective_rows(*rows))
        return float(2 * ndtr(-z / np.sqrt(design_effect)))
    counts = np.arange(max(0, marked - rows[0]), min(marked, rows[1]) + 1)
    logs = -gammaln(counts + 1) - gammaln(marked - counts + 1)
    logs -= gammaln(rows[1] - counts + 1) + gammaln(rows[0] - marked + counts + 1)
    weights = np.exp(logs - logs.max())
    seen = weights[current[1] - counts[0]]
    alike = np.abs(weights - seen) <= 1e-7 * seen
    p_value = (weights[(weights < seen) & ~alike].sum() + weights[alike].sum() / 2) / weights.sum()
    return _deflated(float(min(p_value, 1.0)), design_effect)


def labels_p_value(reference: Counts, current: Counts, design_effect: float = 1.0) -> float:
    """Whether two windows share one distribution of labels.

    Two labels: the mid-p value of Fisher's exact test. More: Pearson's chi-squared with the rare labels
    pooled. Where even the pool is too rare for chi-squared it is tested by itself, exactly, and the smaller
    of both p-values is doubled (Bonferroni), so that a new label is not lost among the frequent ones.
    """
    first, second, is_sparse = _pool_rare(reference, current)
    if len(first) < 3:
        return _frequent_p_value(first, second, design_effect)
    if not is_sparse:
        return _frequent_p_value(first, second, design_effect)
    rest, pool = (int(first[:-1].sum()), int(second[:-1].sum())), (int(first[-1]), int(second[-1]))
    rare = binary_p_value((rest[0], pool[0]), (rest[1], pool[1]), design_effect)
    return min(1.0, 2 * min(rare, _frequent_p_value(first[:-1], second[:-1], design_effect)))


def rare_labels(reference: Counts, current: Counts) -> NDArray[np.bool_]:
    """Which labels are rare: fewer than five rows expected in either window, given both windows together."""
    return _expected(reference, current) < POOL_BELOW


def _pool_rare(reference: Counts, current: Counts) -> tuple[Counts, Counts, bool]:
    """Counts in which the rare labels are one group, the last; and whether that group is there and still rare."""
    rare = rare_labels(reference, current)
    pools = (reference[rare].sum(), current[rare].sum())
    if sum(pools) == 0:
        return reference[~rare], current[~rare], False
    first, second = (np.append(counts[~rare], pool) for counts, pool in zip((reference, current), pools, strict=True))
    return first, second, bool(_expected(reference, current)[rare].sum() < POOL_BELOW)


def _expected(reference: Counts, current: Counts) -> NDArray[np.float64]:
    """Rows per label that the smaller window would hold if both were alike."""
    return (reference + current) * (min(reference.sum(), current.sum()) / (reference.sum() + current.sum()))


def _frequent_p_value(reference: Counts, current: Counts, design_effect: float) -> float:
    if len(reference) < 2:
        return 1.0
    if len(reference) == 2:
        first, second = reference.tolist(), current.tolist()
        return binary_p_value((first[0], first[1]), (second[0], second[1]), design_effect)
    rows = np.array([[reference.sum()], [current.sum()]])
    expected = rows * (reference + current) / rows.sum()
    statistic = ((np.stack([reference, current]) - expected) ** 2 / expected).sum()
    return float(chdtrc(len(reference) - 1, statistic / design_effect))


def numbers_p_value(reference: Counts, current: Counts, design_effect: float = 1.0) -> float:
    """Whether two windows share one distribution over ordered bins, by the Kolmogorov-Smirnov distance D.

    The smaller of two upper bounds of P(D >= d) under no drift, so itself one. Kolmogorov's limit, the
    supremum of a Brownian bridge (Smirnov 1948), is conservative where values are tied in few bins. The sum
    over the bins' edges of P(|normal| >= d / sd) (Boole) is sharp just there.
    """
    if np.count_nonzero(reference + current) == 2:
        at = np.flatnonzero(reference + current)
        return labels_p_value(reference[at], current[at], design_effect)
    rows = effective_rows(float(reference.sum()), float(current.sum())) / design_effect
    score = ks_distance(reference, current)
    if score == 0:
        return 1.0
    shares = np.cumsum(reference + current)[:-1] / (reference + current).sum()
    shares = shares[(shares > 0) & (shares < 1)]
    union = 2 * ndtr(-score / np.sqrt(shares * (1 - shares) / rows)).sum()
    return float(min(kolmogorov(score * np.sqrt(rows)), union, 1.0))


def _deflated(p_value: float, design_effect: float) -> float:
    if design_effect == 1:
        return p_value
    return float(2 * ndtr(ndtri(p_value / 2) / np.sqrt(design_effect)))
