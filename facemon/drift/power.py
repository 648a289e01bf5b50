"""The smallest shift that a number of rows would show in 80 % of cases, at a level that is not adjusted.

It answers "could we have seen it?" for one column; the verdict `ok` may only be given where the answer is
yes. The adjusted level would be too strict for that: most columns could never be decided.
"""

import math

import numpy as np

from facemon.drift.distances import Counts
from facemon.drift.distribution_functions import chdtri, chndtrinc, kolmogi, ndtri, stdtrit
from facemon.drift.homogeneity import effective_rows

POWER = 0.8


def detectable_labels(reference: Counts, rows: tuple[float, float], significance: float) -> float:
    """The detectable total variation for labels, at the reference's shares; `rows` are effective rows.

    Two labels: the two-proportion formula (Fleiss, *Statistical Methods for Rates and Proportions*, 3.2)
    towards one half, the direction that is harder to see. More: the shift from the most frequent label to
    the next that gives Pearson's statistic the noncentrality which it needs.
    """
    shares = np.sort(reference / reference.sum())[::-1]
    if len(shares) < 3:
        rarer = float(shares[1]) if len(shares) == 2 else 0.0
        return _two_proportions(rarer, rows, significance)
    needed = chndtrinc(chdtri(len(shares) - 1, significance), len(shares) - 1, 1 - POWER)
    first, second = float(shares[0]), max(float(shares[1]), 1 / (rows[0] + 1))
    return min(1.0, math.sqrt(needed / (effective_rows(*rows) * (1 / first + 1 / second))))


def detectable_numbers(rows: tuple[float, float], significance: float) -> float:
    """The detectable KS distance; `rows` are effective rows.

    The test fires at least as often as the difference at the point of the largest shift exceeds its critical
    value; that difference is normal with a standard deviation of at most 1/(2 √n) (Massey 1950).
    """
    return min(1.0, float(kolmogi(significance) + ndtri(POWER) / 2) / math.sqrt(effective_rows(*rows)))


def detectable_by_t(standard_error: float, degrees: float, significance: float, tests: int) -> float:
    """The detectable difference of a t-test that is one of `tests`, all corrected by Bonferroni."""
    critical = stdtrit(degrees, 1 - significance / (2 * tests)) + stdtrit(degrees, POWER)
    return min(1.0, float(critical) * standard_error)


def _two_proportions(share: float, rows: tuple[float, float], significance: float) -> float:
    level, power = float(ndtri(1 - significance / 2)), float(ndtri(POWER))
    shift = 1 / math.sqrt(effective_rows(*rows))
    # A fixed point: the variances depend on the shift. It contracts fast, since they do so weakly.
    for _ in range(20):
        moved = min(share + shift, 1.0)
        pooled = (rows[0] * share + rows[1] * moved) / sum(rows)
        null = pooled * (1 - pooled) / effective_rows(*rows)
        shifted = share * (1 - share) / rows[0] + moved * (1 - moved) / rows[1]
        shift = level * math.sqrt(null) + power * math.sqrt(shifted)
    return min(1.0, shift)
