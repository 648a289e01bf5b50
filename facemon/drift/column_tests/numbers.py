"""Numbers: the distance of Kolmogorov and Smirnov over ordered bins, missing values first."""

from typing import ClassVar

import numpy as np

from facemon.domain.array_types import Counts, Floats
from facemon.drift.column_tests.column_test import ColumnTest, Tables
from facemon.drift.design_effect import DesignEffect
from facemon.drift.distances import ks_distance
from facemon.drift.homogeneity import rare_labels
from facemon.drift.power import detectable_labels, detectable_numbers
from facemon.drift.single_sources import SingleSources, is_numbers
from facemon.drift.within_sources import numbers_within

_SPLITS = np.linspace(0.1, 0.9, 9)
"""Numbers are split at the deciles of both windows together."""
_CONSTANT = np.ones(1, dtype=np.int64)


class Numbers(ColumnTest):
    """The test of numbers and of confidences, in their fixed bins."""

    method = "ks"
    tables: ClassVar[Tables] = ((is_numbers, SingleSources.of),)

    def distance(self, reference: Counts, current: Counts) -> float:
        return ks_distance(reference, current)

    def moved(self, differences: Floats) -> Floats:
        return np.asarray(np.abs(np.cumsum(differences, axis=-1)).max(axis=-1))

    def p_value(self, reference: Counts, current: Counts, effect: DesignEffect) -> float:
        return numbers_within(reference, current, effect)

    def detectable(self, reference: Counts, rows: tuple[float, float], significance: float) -> float:
        return detectable_numbers(rows, significance)

    def detectable_between(self, reference: Counts, rows: tuple[float, float], significance: float) -> float:
        """Return that of a constant column, which has no spread to tell it from."""
        return detectable_labels(_CONSTANT, rows, significance)

    def groups(self, reference: Counts, current: Counts) -> Floats:
        """Of bins, those below each split: the deciles, and the first bin where it is not a rare one.

        The first bin is that of missing values, where there are any.
        """
        shares = np.cumsum(reference + current) / (reference + current).sum()
        ends = np.searchsorted(shares, _SPLITS)
        if not rare_labels(reference, current)[0]:
            ends = np.append(ends, 0)
        ends = np.unique(ends[ends < len(shares) - 1]) if (ends < len(shares) - 1).any() else np.zeros(1, dtype=np.intp)
        return (np.arange(len(shares))[:, None] <= ends).astype(np.float64)

    def name(self, sources: int, keys: int) -> str:
        return f"stratified Kolmogorov-Smirnov over {sources} sources" if sources > 1 else "Kolmogorov-Smirnov"
