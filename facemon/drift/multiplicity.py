"""The correction for looking at many columns at once."""

from collections.abc import Sequence

import numpy as np


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Benjamini-Hochberg adjusted p-values, in the order given.

    If those at most q count as drift, q bounds the expected share of false ones (Benjamini & Hochberg 1995,
    also under positive dependence: Benjamini & Yekutieli 2001); with no drift at all it bounds the chance
    of any alarm.
    """
    if not p_values:
        return []
    values = np.asarray(p_values, dtype=float)
    order = np.argsort(values, kind="stable")[::-1]
    ranks = np.arange(len(values), 0, -1)
    steps = np.minimum.accumulate(values[order] * (len(values) / ranks))
    result = np.empty_like(values)
    result[order] = np.minimum(steps, 1.0)
    return [float(value) for value in result]
