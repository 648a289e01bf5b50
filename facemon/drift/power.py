"""The smallest shift that a number of rows detects with 80 % power, at a level that is not adjusted.

It answers "could we have seen it?" for one column looked at alone; the verdict `ok` may only be given where the answer
is yes. The adjusted level would be too strict for that: most columns could never be decided.
"""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from facemon.distribution_functions import chdtri, chndtr, chndtrinc, kolmogi, ndtri, stdtrit
from facemon.domain.array_types import Counts, Floats
from facemon.drift.homogeneity import POOL_BELOW, effective_rows

POWER = 0.8
_MEAN_POWER = 0.82
"""The mean over directions that is solved for: the limits of both tests promise up to two points too much."""
_DIRECTIONS = 400
_DRAWS = 80_000
"""Numbers to draw at most. The more labels, the more alike are the directions, and the fewer of them are enough."""


def detectable_labels(reference: Counts, rows: tuple[float, float], significance: float) -> float:
    """The detectable total variation for labels, at the reference's shares; `rows` are effective rows.

    Two labels: the two-proportion formula (Fleiss, *Statistical Methods for Rates and Proportions*, 3.2)
    towards one half, the direction that is harder to see.

    More: how well a shift of total variation t is seen depends on its direction u, with a sum of 0 and a sum of
    absolute values of 2, so that the shares move from p to p + t·u. Pearson's statistic then is noncentral
    chi-squared (Guenther 1977) with λ = n t² Σ u²/p̄, where n are the effective rows of the difference and p̄ the
    shares of both windows together. The result is the t at which the power, as a mean over random directions, is
    82 %. Half of them lead to shares that know nothing of p, drawn from Dirichlet(1); half to shares around p,
    drawn from Dirichlet(k·p) with k labels. The draws have a fixed seed. Rare labels are pooled as the test does.
    """
    if len(reference) < 3:
        rarer = float(reference.min() / reference.sum()) if len(reference) == 2 else 0.0
        return float(_two_proportions(rarer, rows, significance))
    shares = np.sort(reference[reference > 0] / reference.sum())[::-1]
    if len(shares) < 3:
        rarer = float(shares[1]) if len(shares) == 2 else 0.0
        return float(_two_proportions(rarer, rows, significance))
    shares, directions = _pooled(shares, _random_directions(shares), shares * min(rows) < POOL_BELOW)
    if len(shares) < 2:
        return 1.0
    powers = _mean_power(shares, directions, rows, significance)
    return _first_reaching(_MEAN_POWER, powers)


def detectable_numbers(rows: tuple[float, float], significance: float) -> float:
    """The detectable KS distance; `rows` are effective rows.

    The observed distance exceeds its critical value K/√n if the true one does at the point of the largest shift, or
    by chance at any other point. For a shift of location the chance of either is 75 to 90 % where the true distance
    is 0.05/√n above the critical value: a constant found by simulation. Changes of spread and of the tails are found
    more often.
    """
    return min(1.0, _largest_step(significance) / math.sqrt(effective_rows(*rows)))


@lru_cache(maxsize=8)
def _largest_step(significance: float) -> float:
    return float(kolmogi(significance) + 0.05)


def worth_of(rows: tuple[float, float], weight: float) -> tuple[float, float]:
    """Return how many independent rows of one source those of both windows are worth.

    `weight` is the n of the variance p(1-p)/n of the difference of a share: Σ n₀n₁/(n₀+n₁) over the sources, divided by
    the design effect.
    """
    scale = weight / effective_rows(*rows)
    return rows[0] * scale, rows[1] * scale


def detectable_by_t(standard_error: float, degrees: float, significance: float, tests: int) -> float:
    """The detectable difference of a t-test that is one of `tests`, all corrected by Bonferroni."""
    critical = stdtrit(degrees, 1 - significance / (2 * tests)) + stdtrit(degrees, POWER)
    return min(1.0, float(critical) * standard_error)


def detectable_of_pairs(reference: Counts, rows: tuple[Counts, Counts], weights: Floats, significance: float) -> Floats:
    """Return `detectable_labels` of many sources of two labels, [S]; `reference` is [S, 2] and the others are [S].

    `weights` are those of `worth_of`.
    """
    scale = weights / (rows[0] * rows[1] / (rows[0] + rows[1]))
    return _two_proportions(reference.min(axis=1) / rows[0], (rows[0] * scale, rows[1] * scale), significance)


def _two_proportions(share: Floats | float, rows: tuple[Floats | float, Floats | float], significance: float) -> Floats:
    """The detectable shift of the rarer label's share, of one source or of many."""
    level, power = _normal_scores(significance)
    before, now = rows
    worth, spread = before * now / (before + now), share * (1 - share) / before
    shift = np.asarray(1 / np.sqrt(worth))
    # A fixed point: the variances depend on the shift. It contracts fast, since they do so weakly.
    for _ in range(20):
        last, moved = shift, np.minimum(share + shift, 1.0)
        pooled = (before * share + now * moved) / (before + now)
        null = pooled * (1 - pooled) / worth
        shift = level * np.sqrt(null) + power * np.sqrt(spread + moved * (1 - moved) / now)
        if np.all(shift == last):
            break
    return np.asarray(np.minimum(1.0, shift))


@lru_cache(maxsize=8)
def _normal_scores(significance: float) -> tuple[float, float]:
    return float(ndtri(1 - significance / 2)), float(ndtri(POWER))


def _random_directions(shares: Floats) -> Floats:
    """Directions away from the shares [k], each of total variation 1: `[directions, k]`, the same in each run."""
    rng, labels = np.random.default_rng(0), len(shares)
    half = max(8, min(_DIRECTIONS, _DRAWS // labels) // 2)
    # Gamma numbers over their sum are a Dirichlet draw.
    anywhere = rng.standard_gamma(1.0, (half, labels))
    nearby = rng.standard_gamma(np.broadcast_to(labels * shares, (half, labels)))
    targets = np.concatenate([anywhere, nearby])
    directions = targets / targets.sum(axis=1, keepdims=True) - shares
    return np.asarray(2 * directions / np.abs(directions).sum(axis=1, keepdims=True))


def _pooled(shares: Floats, directions: Floats, rare: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Both with the rare labels as one, the last."""
    if not rare.any():
        return shares, directions
    pool = directions[:, rare].sum(axis=1)
    return np.append(shares[~rare], shares[rare].sum()), np.column_stack([directions[:, ~rare], pool])


def _mean_power(
    shares: Floats, directions: Floats, rows: tuple[float, float], significance: float
) -> Callable[[float], float]:
    """The power at a total variation, as a mean over the directions."""
    degrees = len(shares) - 1
    critical = chdtri(degrees, significance)
    # The distribution function is slow: it is tabulated, evenly in the root of λ, in which the power is smooth.
    roots = np.linspace(0, math.sqrt(chndtrinc(critical, degrees, 1e-4)), 129)
    table = 1 - chndtr(critical, degrees, roots**2)
    squares, part = effective_rows(*rows) * directions**2, rows[1] / sum(rows)
    moves, least = part * directions, (1 - part) * shares

    def power(shift: float) -> float:
        # A direction may lead below a share of 0; then it stands for one that ends there.
        together = np.maximum(shares + shift * moves, least)
        needed = shift * np.sqrt((squares / together).sum(axis=1))
        return float(np.interp(needed, roots, table).mean())

    return power


def _first_reaching(wanted: float, powers: Callable[[float], float]) -> float:
    """Where a rising function reaches a value between 0 and 1; 1 where it does not."""
    high = 1.0
    if powers(high) < wanted:
        return high
    # At a level above the power any shift is enough.
    while high > 1e-9 and powers(high / 2) >= wanted:
        high /= 2
    low = high / 2
    for _ in range(6):
        middle = (low + high) / 2
        low, high = (middle, high) if powers(middle) < wanted else (low, middle)
    # Over so short a way the function is a straight line.
    return float(np.interp(wanted, [powers(low), powers(high)], [low, high]))
