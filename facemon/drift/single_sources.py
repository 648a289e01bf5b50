"""Numbers of many sources that are looked at one by one: one array over sources and bins for each column.

Each function returns, number for number, what the one for a single source does; of 64 sources it takes a fraction of
the time.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facemon.distribution_functions import ndtr
from facemon.domain.array_types import Counts, Floats
from facemon.domain.binning import distinct
from facemon.domain.profile import ColumnCounts, ColumnKind
from facemon.drift.design_effect import (
    DECILES,
    DesignEffect,
    SourceRows,
    SourceVariances,
    is_constant,
)
from facemon.drift.distances import aligned
from facemon.drift.homogeneity import effective_rows, limit_p_value, numbers_p_value, supremum_p_value
from facemon.drift.power import detectable_numbers, worth_of
from facemon.drift.row_variances import hourly_variances

_CERTAIN = 1.01
"""A sum of probabilities from here on is above 1, however it is rounded."""


@dataclass(frozen=True, slots=True)
class SingleTest:
    """The score, the p-value and the detectable shift of the rows of one source."""

    score: float
    p_value: float
    detectable: float


@dataclass(frozen=True, slots=True)
class SingleSources:
    """One column of S sources, numbers in K bins that they have together: rows up to and including each bin, [S, K]."""

    rows: tuple[SourceRows, ...]
    bins: NDArray[np.int32]
    before: Counts
    now: Counts

    @classmethod
    def of(cls, rows: Sequence[SourceRows]) -> Self:
        """The table of sources, which have rows in both windows."""
        columns = [each.counts[side] for side in (0, 1) for each in rows]
        bins = distinct(np.concatenate([np.empty(0, np.int32), *(column.bins for column in columns)]))
        below = np.cumsum(_tabulated(columns, bins), axis=1)
        return cls(tuple(rows), bins, below[: len(rows)], below[len(rows) :])

    def variances(self) -> list[SourceVariances]:
        """As `SourceVariances.of` each source."""
        if not self.rows:
            return []
        below = self.before + self.now
        shares = below / below[:, -1:]
        places = np.stack([np.count_nonzero(shares < decile, axis=1) for decile in DECILES], axis=1)
        # Fewer deciles are added up in another order.
        is_plain = np.all(np.diff(places, axis=1) > 0, axis=1)
        at_splits = np.take_along_axis(shares, places, axis=1)
        independent = (at_splits * (1 - at_splits)).sum(axis=1)
        splits = self.bins[places]
        plain = [at for at, each in enumerate(is_plain.tolist()) if each]
        hours = dict(zip(plain, hourly_variances([self.rows[at].hours for at in plain], splits[plain]), strict=True))
        return [
            SourceVariances(splits[at], (hours[at],), (variance,), is_constant=False)
            if at in hours
            else SourceVariances.of([each])
            for at, (each, variance) in enumerate(zip(self.rows, independent.tolist(), strict=True))
        ]

    def tests(self, effects: Sequence[DesignEffect], significance: float) -> list[SingleTest]:
        """As `distances.ks_distance`, `homogeneity.numbers_p_value` and `power.detectable_numbers` of each source."""
        if not self.rows:
            return []
        totals = self.before[:, -1], self.now[:, -1]
        moved = self.now / totals[1][:, None] - self.before / totals[0][:, None]
        scores = np.minimum(np.abs(moved).max(axis=1), 1.0).tolist()
        worth = [
            effective_rows(float(before), float(now)) / effect.factor
            for before, now, effect in zip(totals[0].tolist(), totals[1].tolist(), effects, strict=True)
        ]
        variances, is_edge = self._edges()
        is_certain = _are_certain(np.array(scores), np.array(worth), variances, is_edge)
        p_values = []
        for at, (of_source, score, rows, effect, certain) in enumerate(
            zip(self.rows, scores, worth, effects, is_certain.tolist(), strict=True)
        ):
            edges = variances[at][is_edge[at]]
            if len(edges) == 1:  # two bins are two labels
                before, now = aligned(list(of_source.counts))
                p_value = numbers_p_value(before, now, effect)
            elif score == 0:
                p_value = 1.0
            elif certain:
                p_value = min(limit_p_value(score * math.sqrt(rows), effect.degrees), 1.0)
            else:
                p_value = supremum_p_value(score, rows, edges, effect.degrees)
            p_values.append(p_value)
        return [
            SingleTest(score, p_value, least)
            for score, p_value, least in zip(scores, p_values, self._detectable(effects, significance), strict=True)
        ]

    def _detectable(self, effects: Sequence[DesignEffect], significance: float) -> list[float]:
        rows = [[float(side.total) for side in each.counts] for each in self.rows]
        return [
            detectable_numbers(worth_of((before, now), each.weight / effect.factor), significance)
            for each, (before, now), effect in zip(self.rows, rows, effects, strict=True)
        ]

    def _edges(self) -> tuple[Floats, NDArray[np.bool_]]:
        """The variance of a row at each bin, and which bins a source has; its last bin is not an edge."""
        below = self.before + self.now
        is_edge = np.diff(below, axis=1, prepend=0) > 0
        is_edge &= below < below[:, -1:]
        shares = below / below[:, -1:]
        return shares * (1 - shares), is_edge


def _are_certain(scores: Floats, rows: Floats, variances: Floats, is_edge: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether the sum over the edges, which `supremum_p_value` takes, is above 1: Student's t has longer tails."""
    at = np.nonzero(is_edge)[0]
    tails = ndtr(-(scores * np.sqrt(rows))[at] / np.sqrt(variances[is_edge]))
    return np.asarray(2 * np.bincount(at, tails, len(rows)) > _CERTAIN)


def is_numbers(rows: SourceRows) -> bool:
    """Whether a source has numbers that are not all alike."""
    return rows.counts[0].kind is not ColumnKind.CATEGORICAL and not is_constant([rows])


def _tabulated(columns: Sequence[ColumnCounts], bins: NDArray[np.int32]) -> Counts:
    """The counts of each of the bins, which are all that the columns have, [columns, bins]."""
    table = np.zeros((len(columns), len(bins)), np.int64)
    places = bins.searchsorted(np.concatenate([np.empty(0, np.int32), *(column.bins for column in columns)]))
    places += np.repeat(np.arange(len(columns)) * len(bins), [len(column.bins) for column in columns])
    table.reshape(-1)[places] = np.concatenate([np.empty(0, np.int64), *(column.counts for column in columns)])
    return table
