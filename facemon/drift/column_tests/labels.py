"""Labels: total variation, by the generalised Cochran-Mantel-Haenszel test, rare and new labels exactly."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from facemon.domain.array_types import Counts, Floats
from facemon.drift.column_tests.column_test import ColumnTest, Tables
from facemon.drift.design_effect import DesignEffect
from facemon.drift.distances import total_variation
from facemon.drift.homogeneity import rare_labels
from facemon.drift.new_labels import new_labels_test, with_new_labels
from facemon.drift.power import detectable_labels, detectable_of_pairs
from facemon.drift.single_labels import SingleLabels, is_pair
from facemon.drift.within_sources import labels_within


class Labels(ColumnTest):
    """The test of labels, of which "missing" is one like any other."""

    method = "total_variation"
    tables: ClassVar[Tables] = ((is_pair, SingleLabels.of),)

    def distance(self, reference: Counts, current: Counts) -> float:
        return total_variation(reference, current)

    def moved(self, differences: Floats) -> Floats:
        return np.asarray(np.abs(differences).sum(axis=-1) / 2)

    def p_value(self, reference: Counts, current: Counts, effect: DesignEffect) -> float:
        p_value = labels_within(reference, current, effect)
        return with_new_labels(p_value, new_labels_test(reference, current, effect.factor))

    def detectable(self, reference: Counts, rows: tuple[float, float], significance: float) -> float:
        return detectable_labels(reference, rows, significance)

    def detectable_between(self, reference: Counts, rows: tuple[float, float], significance: float) -> float:
        return detectable_labels(reference, rows, significance)

    def groups(self, reference: Counts, current: Counts) -> Floats:
        """Of labels, rare ones as one group; of two complementary groups one is enough."""
        rare = rare_labels(reference, current)
        groups = np.eye(len(rare))[:, ~rare]
        if rare.any():
            groups = np.column_stack([groups, rare.astype(np.float64)])
        return groups[:, :1] if groups.shape[1] == 2 else groups

    def name(self, sources: int, keys: int) -> str:
        if sources > 1:
            return f"Cochran-Mantel-Haenszel over {sources} sources"
        return "exact mid-p" if keys < 3 else "chi-squared, rare labels exact"

    def held(self, reference: Counts, current: Counts) -> tuple[Counts, Counts]:
        """Return both without the labels that neither window has."""
        held = (reference + current) > 0
        return reference[held], current[held]

    def detectable_shifts(
        self,
        references: Sequence[Counts],
        rows: Sequence[tuple[float, float]],
        weights: Sequence[float],
        significance: float,
    ) -> list[float]:
        """Return them, computing the columns of two labels together."""
        if type(self).detectable is not Labels.detectable:
            return super().detectable_shifts(references, rows, weights, significance)
        pairs = [at for at, counts in enumerate(references) if len(counts) == 2]
        counts = np.array([references[at] for at in pairs], np.int64).reshape(-1, 2)
        sides = np.array([rows[at] for at in pairs], np.int64).reshape(-1, 2)
        sizes = np.array([weights[at] for at in pairs])
        of_pairs = detectable_of_pairs(counts, (sides[:, 0], sides[:, 1]), sizes, significance).tolist()
        found = dict(zip(pairs, of_pairs, strict=True))
        return [
            found[at] if at in found else self.detectable_shift(references[at], rows[at], weights[at], significance)
            for at in range(len(references))
        ]
