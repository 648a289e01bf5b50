"""How often a number of current rows decides a column, if the rows to come are like those that are there.

Windows are drawn from the shares of the present one and judged as the check judges them. Rows of several sources, or
rows that repeat, are drawn as the independent rows of one source that they are worth, which is how the smallest
detectable shift is computed too.
"""

from dataclasses import dataclass, replace

import numpy as np

from facemon.domain.array_types import Counts, Floats
from facemon.domain.drift_result import Verdict
from facemon.drift.column_evidence import FEWEST_WORTH, Evidence
from facemon.drift.column_tests.column_test import ColumnTest
from facemon.drift.column_verdict import decide
from facemon.drift.dependence import NO_EFFECT, EffectParts
from facemon.drift.design_effect import INDEPENDENT, UNKNOWN_DAYS, DesignEffect
from facemon.drift.homogeneity import effective_rows

_DRAWS = 160


@dataclass(frozen=True, slots=True)
class Asked:
    """What a verdict on a column takes.

    `correction` is the factor from a p-value to the adjusted one, and `min_rows` the fewest rows that are judged.
    """

    threshold: float
    significance: float
    min_rows: int
    correction: float = 1.0


@dataclass(frozen=True, slots=True)
class Days:
    """How many days the current rows span, and of how many pairs of days the reference tells the differences."""

    current: float
    pairs: int


@dataclass(frozen=True, slots=True)
class RowsToCome:
    """A column of both windows, and how more current rows would change what they are worth.

    `reference` and `current` are float64 shares over the same K labels or ordered bins; `reference_rows` and
    `current_rows` are rows by source, [S].
    """

    reference: Floats
    current: Floats
    reference_rows: Floats
    current_rows: Floats
    test: ColumnTest
    parts: EffectParts = NO_EFFECT
    days: Days | None = None
    drops_only: bool = False
    """The score is how far the first share fell, as that of an accuracy, instead of the distance."""

    @property
    def rows(self) -> int:
        """The current rows that are there."""
        return int(self.current_rows.sum())

    def larger_reference(self, factor: float) -> "RowsToCome":
        """The same with a reference of so many times the rows."""
        return replace(self, reference_rows=self.reference_rows * factor)

    def weight(self, rows: float) -> float:
        """Σ n₀n₁/(n₀+n₁) over the sources once there are so many current rows, as many of each source as now."""
        current = self.current_rows * (rows / self.rows)
        return float((self.reference_rows * current / (self.reference_rows + current)).sum())

    def effect(self, rows: float, *, of_same_days: bool = False) -> DesignEffect:
        """The design effect of so many rows; they span more days by as much, unless they are `of_same_days`."""
        grown = self.weight(rows) / self.weight(self.rows)
        by_days, by_sources = self.parts.days, self.parts.sources
        if self.days is not None and by_days != UNKNOWN_DAYS:
            pairs = 1 / (self.days.pairs + 1)
            later = self.days.current * (1 if of_same_days else rows / self.rows)
            spread = (1 / max(later, 1.0) + pairs) / (1 / max(self.days.current, 1.0) + pairs)
            by_days = by_days.scaled(grown * spread)
        # Of the variance between sources, one part is that of rows, and it does not grow.
        by_sources = replace(by_sources, factor=1 + max(0.0, by_sources.factor - 1) * grown)
        return EffectParts(self.parts.rows, by_days, by_sources).largest


def share_decided(column: RowsToCome, rows: float, asked: Asked, *, of_same_days: bool = False) -> float:
    """Return how often so many current rows decide a column, from 0 to 1, with a standard error of 0.03.

    The smaller of two shares is returned: of windows that are all new, and of windows that hold the rows that are
    there and new ones.
    """
    effect = column.effect(rows, of_same_days=of_same_days)
    repeats = effect.is_proven and rows / effect.factor < min(FEWEST_WORTH, asked.min_rows)
    if rows < asked.min_rows or repeats:
        return 0.0
    before = float(column.reference_rows.sum())
    scale = column.weight(rows) / effect.factor / effective_rows(before, rows)
    reference, kept = _counts(column.reference, before * scale), _counts(column.current, column.rows * scale)
    size = max(round(rows * scale), int(kept.sum()))
    if not (reference.sum() and size):
        return 0.0
    worth = (float(reference.sum()), float(size))
    detectable = column.test.detectable(reference, worth, asked.significance)
    effect = DesignEffect(degrees=effect.degrees) if effect.factor > 1 else INDEPENDENT
    random = np.random.default_rng(0)
    new = random.multinomial(size, column.current, _DRAWS)
    more = kept + random.multinomial(size - int(kept.sum()), column.current, _DRAWS)
    return min(_decided(column, reference, draws, detectable, effect, asked) for draws in (new, more))


def _decided(
    column: RowsToCome, reference: Counts, draws: Counts, detectable: float, effect: DesignEffect, asked: Asked
) -> float:
    """The share of windows, one per row of `draws`, that are decided."""
    moved = draws / draws.sum(axis=1, keepdims=True) - reference / reference.sum()
    scores = np.maximum(0.0, -moved[:, 0]) if column.drops_only else column.test.moved(moved)
    decided = 0
    for score, current in zip(scores.tolist(), draws, strict=True):
        # Below the threshold no p-value is looked at.
        p_value = 1.0 if score < asked.threshold else _p_value(column, reference, current, effect)
        evidence = Evidence(min(score, 1.0), detectable=detectable)
        adjusted = min(1.0, p_value * asked.correction)
        decision = decide(evidence, adjusted, asked.threshold, asked.significance)
        decided += decision.verdict is not Verdict.UNDECIDED
    return decided / len(draws)


def _p_value(column: RowsToCome, reference: Counts, current: Counts, effect: DesignEffect) -> float:
    reference, current = column.test.held(reference, current)
    return column.test.p_value(reference[None], current[None], effect)


def _counts(shares: Floats, rows: float) -> Counts:
    """Whole numbers of rows; sums are rounded, so that many rare labels or bins do not all vanish."""
    sums = np.rint(np.cumsum(shares) * round(rows) / shares.sum())
    return np.asarray(np.diff(sums, prepend=0).astype(np.int64))
