"""Design effects of many columns, looked at together: the spread of one column over a few days is a poor estimate."""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from facemon.distribution_functions import psi, zeta
from facemon.domain.array_types import Floats
from facemon.drift.design_effect import DesignEffect, Ratio, beyond_hours

_FEWEST_COLUMNS = 3
"""Fewer columns do not show how much their spreads differ; each then stays with its own."""
_FEWEST_FOR_TREND = 12
"""A line through fewer columns costs more than it tells: false alarms rise by a percentage point."""

Key = TypeVar("Key", bound=Hashable)


def moderated(ratios: Mapping[Key, Ratio], *, lowers: bool = False) -> dict[Key, DesignEffect]:
    """The ratios of all columns, each drawn towards the others (empirical Bayes).

    The prior is a scaled inverse chi-squared distribution, fitted by moments of the logarithms (Smyth 2004, "Linear
    models and empirical Bayes methods", section 6.2). Ratios that have a `row_variance` may follow it: the prior's
    centre is then a line in the logarithm of that variance (Sartor et al. 2006, "Intensity-based hierarchical Bayes
    method"). If all shares move by two points from day to day, the ratio of a rare label is far above the others, and
    the common mean would draw it down. Only where it `lowers` is a ratio above its centre drawn down: with few
    degrees of freedom a column that truly varies more would raise alarms.
    """
    if len(ratios) < _FEWEST_COLUMNS:
        return {name: _effect(ratio.value, ratio.degrees, ratio.hour_rows) for name, ratio in ratios.items()}
    values = np.array([ratio.value for ratio in ratios.values()])
    degrees = np.array([ratio.degrees for ratio in ratios.values()])
    logs = np.log(values) - psi(degrees / 2) + np.log(degrees / 2)
    fitted, variance = _fitted(logs, [ratio.row_variance for ratio in ratios.values()])
    excess = variance - float(zeta(2, degrees / 2).mean())
    # All ratios are alike but for chance: their mean is known no better than all of them together tell.
    prior = 2 * _inverse_trigamma(excess) if excess > 0 else float(degrees.sum())
    prior = min(prior, float(degrees.sum()))
    if excess <= 0:
        shrunk = np.exp(fitted)
    else:
        centres = np.exp(fitted + psi(prior / 2) - math.log(prior / 2))
        shrunk = (prior * centres + degrees * values) / (prior + degrees)
    return {
        name: _effect(
            float(value if lowers else max(value, ratio.value)), float(prior + ratio.degrees), ratio.hour_rows
        )
        for (name, ratio), value in zip(ratios.items(), shrunk, strict=True)
    }


def _fitted(logs: Floats, row_variances: Sequence[float]) -> tuple[Floats, float]:
    """The mean of each column's logarithm, or its place on a line in that of the row's variance; and the variance."""
    variances = np.array(row_variances)
    if len(logs) < _FEWEST_FOR_TREND or np.isnan(variances).any():
        return np.full(len(logs), logs.mean()), float(logs.var(ddof=1))
    places = np.column_stack([np.ones(len(logs)), np.log(variances)])
    line, _, rank, _ = np.linalg.lstsq(places, logs, rcond=None)
    fitted = places @ line
    return fitted, float(((logs - fitted) ** 2).sum() / (len(logs) - int(rank)))


def _effect(ratio: float, degrees: float, hour_rows: float) -> DesignEffect:
    factor = beyond_hours(ratio, hour_rows)
    return DesignEffect(factor, degrees, ratio if factor > ratio else None)


def _inverse_trigamma(value: float) -> float:
    """The x at which the trigamma function is `value`, by Newton's method (Smyth 2004, appendix)."""
    x = 0.5 + 1 / value
    for _ in range(50):
        now = float(zeta(2, x))
        step = now * (1 - now / value) / (-2 * float(zeta(3, x)))
        x += step
        if abs(step) < 1e-9 * x:
            break
    return x
