"""Labels of many sources that are looked at one by one: one array over the sources for a column of two labels.

Each function returns what the one for a single source does; of 64 sources it takes a fraction of the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from facemon.domain.array_types import Counts
from facemon.domain.profile import ColumnKind
from facemon.drift.design_effect import DesignEffect, SourceRows, SourceVariances
from facemon.drift.distances import aligned
from facemon.drift.homogeneity import labels_p_value, pair_p_values
from facemon.drift.new_labels import are_known, new_labels_test, with_new_labels
from facemon.drift.power import detectable_of_pairs
from facemon.drift.row_variances import hourly_variances
from facemon.drift.single_sources import SingleTest


@dataclass(frozen=True, slots=True)
class SingleLabels:
    """One column of S sources that have two labels each, their own ones: the rows of either in each window, [S, 2]."""

    rows: tuple[SourceRows, ...]
    before: Counts
    now: Counts

    @classmethod
    def of(cls, rows: Sequence[SourceRows]) -> Self:
        """The table of sources, which have rows in both windows."""
        sides = [counts for each in rows for counts in aligned(list(each.counts))]
        table = np.array(sides, np.int64).reshape(-1, 2, 2)
        return cls(tuple(rows), table[:, 0], table[:, 1])

    def variances(self) -> list[SourceVariances]:
        """As `SourceVariances.of` each source."""
        both = (self.before + self.now).tolist()
        hours = hourly_variances([each.hours for each in self.rows], None)
        return [
            SourceVariances(None, (hourly,), (2 * first * second / (first + second) ** 2,), is_constant=False)
            for hourly, (first, second) in zip(hours, both, strict=True)
        ]

    def tests(self, effects: Sequence[DesignEffect], significance: float) -> list[SingleTest]:
        """The test of each source, given its design effect."""
        if not self.rows:
            return []
        rows = self.before.sum(axis=1), self.now.sum(axis=1)
        moved = np.abs(self.now / rows[1][:, None] - self.before / rows[0][:, None])
        scores = np.minimum(moved.sum(axis=1) / 2, 1.0)
        weights = np.array([each.weight / effect.factor for each, effect in zip(self.rows, effects, strict=True)])
        detectable = detectable_of_pairs(self.before, rows, weights, significance)
        facts = zip(scores.tolist(), self._p_values(effects), detectable.tolist(), strict=True)
        return [SingleTest(*each) for each in facts]

    def _p_values(self, effects: Sequence[DesignEffect]) -> list[float]:
        """As `labels_p_value` with `new_labels_test` of each source."""
        by_limit, is_normal = pair_p_values(self.before, self.now, effects)
        is_known = are_known(self.before, self.now, np.array([effect.factor for effect in effects]))
        found = []
        for at, (p_value, normal, known, effect) in enumerate(
            zip(by_limit.tolist(), is_normal.tolist(), is_known.tolist(), effects, strict=True)
        ):
            labels = p_value if normal else labels_p_value(self.before[at], self.now[at], effect)
            new = None if known else new_labels_test(self.before[at, None], self.now[at, None], effect.factor)
            found.append(with_new_labels(labels, new))
        return found


def is_pair(rows: SourceRows) -> bool:
    """Whether a source has two labels."""
    first, second = rows.counts
    if first.kind is not ColumnKind.CATEGORICAL:
        return False
    if first.labels == second.labels:
        return len(first.labels) == 2
    return len({*first.labels, *second.labels}) == 2
