"""How many more rows would turn an undecided column into a decided one, or what else would."""

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from facemon.config.drift import DriftConfig
from facemon.distribution_functions import ndtri
from facemon.domain.counted import counted
from facemon.domain.drift_result import ACCURACY, BETWEEN_SOURCES, ColumnResult, Verdict
from facemon.domain.explanation import RowsToDecide
from facemon.drift.column_tests.registry import column_test
from facemon.drift.column_verdict import BLUNT
from facemon.drift.dependence import NO_EFFECT, Clustered, Comparison, EffectParts, Layout, TooFewClusters, Within
from facemon.drift.design_effect import INDEPENDENT, UNKNOWN_DAYS
from facemon.drift.distances import aligned
from facemon.drift.homogeneity import effective_rows
from facemon.drift.power import POWER
from facemon.drift.verdict_odds import Asked, Days, RowsToCome, share_decided
from facemon.drift.within_sources import differences, weights

_WANTED = 0.8
"""How often the promised rows decide."""
_STEP = 1.08
"""Numbers of rows are tried in steps of this factor, which is as exact as a promise can be."""
_PLENTY = 50
"""So many times the rows of the larger window are as good as any number of them."""
_LARGEST_REFERENCE = 1_000
"""So many times the rows of the reference are the most that a remedy asks for."""

_BY_SOURCE = "facemon drift-check --by source judges the sources that both windows hold"
_SET_REFERENCE = "facemon reference set with a longer --since"
_LABEL_REFERENCE = "facemon evaluate with true labels of more of the reference's images"


def rows_to_decide(
    column: ColumnResult,
    settings: DriftConfig,
    comparison: Comparison | None = None,
    parts: EffectParts = NO_EFFECT,
    *,
    correction: float = 1.0,
) -> RowsToDecide | None:
    """Return how many more current rows an undecided column needs; None for a decided one, or if that is not known.

    The number is the smallest of those tried, in steps of 8 %, with which at least 80 % of windows that are drawn
    from the current shares are decided (`verdict_odds.share_decided`). Where no number of rows does that, `reason`
    says why, and `remedy` what would help.

    `comparison` holds the counts of the column, by source, and `parts` what is known of its design effect;
    `correction` is the factor from its p-value to the adjusted one once its shift is proven. Without a comparison
    the number follows from the result alone (`_by_root_law`).
    """
    if column.verdict is not Verdict.UNDECIDED or column.score is None or not column.threshold:
        return None
    if column.n_reference < settings.min_rows:
        few = f"the reference holds {column.n_reference:,} rows, fewer than min_rows {settings.min_rows}"
        is_labelled = column.measure == ACCURACY
        return RowsToDecide(None, few, _LABEL_REFERENCE if is_labelled else _SET_REFERENCE)
    if comparison is None:
        return _by_root_law(column, settings)
    if not isinstance(comparison.layout, Within):
        return _between_sources(comparison.layout)
    asked = Asked(column.threshold, settings.significance, settings.min_rows, correction)
    return _within_sources(_rows_to_come(column, comparison, comparison.layout, parts), asked)


def _within_sources(known: RowsToCome, asked: Asked) -> RowsToDecide:
    def is_enough(known: RowsToCome, rows: float) -> bool:
        return share_decided(known, rows, asked) >= _WANTED

    before = float(known.reference_rows.sum())
    most = _PLENTY * max(known.rows, before, asked.min_rows)
    if not is_enough(known, most):
        return _no_number(known, most, is_enough)
    total = _first(known.rows, most, lambda rows: is_enough(known, rows))
    return RowsToDecide(total - known.rows, remedy=_where_from(known, total, asked))


def _where_from(known: RowsToCome, total: int, asked: Asked) -> str | None:
    """Where so many rows are to be found, if more is to say of them than their number."""
    if known.days is None:
        return None
    days = math.ceil(max(known.days.current, 1.0) * total / known.rows)
    hold = counted(days, "day holds", "days hold")
    held = f"at this rate {hold} so many: facemon drift-check --since {days}d compares them"
    if share_decided(known, total, asked, of_same_days=True) < _WANTED:
        return f"more rows of the same days do not decide, because days differ; {held}"
    return held


def _no_number(known: RowsToCome, most: float, is_enough: Callable[[RowsToCome, float], bool]) -> RowsToDecide:
    """Why not even `most` rows are enough, and what would help."""
    alike = replace(known, parts=replace(known.parts, sources=INDEPENDENT))
    if is_enough(alike, most):
        reason = "sources changed differently, and more rows of the same sources do not narrow how much they differ"
        return RowsToDecide(None, reason, "facemon drift-check --by source judges each by itself")
    if is_enough(replace(alike, parts=replace(alike.parts, days=UNKNOWN_DAYS)), most):
        reason = "the days of the reference differ so much that no number of current days shows the shift"
        return RowsToDecide(None, reason, f"a reference of more days: {_SET_REFERENCE}")
    factors = _LARGEST_REFERENCE
    if not is_enough(known.larger_reference(factors), most * factors):
        return RowsToDecide(None, "the score is too near the threshold", "another threshold under drift.columns")
    before = float(known.reference_rows.sum())
    return _too_small(
        _first(before, before * factors, lambda rows: is_enough(known.larger_reference(rows / before), most * factors))
    )


def _between_sources(layout: Layout) -> RowsToDecide:
    """Why more rows do not help where the spread between sources is the yardstick."""
    if isinstance(layout, Clustered) and layout.paired:
        reason = "the spread between sources is the yardstick, and more rows of the same sources do not narrow it"
        return RowsToDecide(None, reason, "facemon drift-check --source NAME judges one by itself")
    few = f"{layout.clusters} are too few to tell how much they differ" if isinstance(layout, TooFewClusters) else ""
    reason = f"the windows hold different sources, and {few or 'how much they differ is the yardstick'}"
    return RowsToDecide(None, f"{reason}: it takes more sources, not more rows of these", _BY_SOURCE)


def _rows_to_come(column: ColumnResult, comparison: Comparison, layout: Within, parts: EffectParts) -> RowsToCome:
    sides = np.stack(aligned([counts for source in layout.sources for counts in source.counts]))
    reference, current = sides[::2], sides[1::2]
    shares = weights(reference, current) @ (reference / reference.sum(axis=1, keepdims=True))
    shares /= shares.sum()
    # The score is the mean difference within sources, and a changed mix of sources is none.
    moved = np.maximum(shares + differences(reference, current), 0.0)
    days, now = comparison.days, comparison.current_days
    return RowsToCome(
        shares,
        moved / moved.sum(),
        reference.sum(axis=1).astype(np.float64),
        current.sum(axis=1).astype(np.float64),
        column_test(layout.sources[0].counts[0]),
        parts,
        None if now is None else Days(now, days.pairs if days else 0),
        drops_only=column.measure == ACCURACY,
    )


def _by_root_law(column: ColumnResult, settings: DriftConfig) -> RowsToDecide | None:
    """The rows that follow from the smallest detectable shift, which falls with the root of the effective rows.

    It must reach the score, where that is to be proven at the level that the correction has left (p over adjusted p),
    or twice the threshold. None where that says that the rows are enough already.
    """
    if column.test and column.test.startswith(BETWEEN_SOURCES):
        return RowsToDecide(None, "how much sources differ is the yardstick, not the number of rows", _BY_SOURCE)
    if column.detectable is None or column.threshold is None:
        return None
    target, detectable = BLUNT * column.threshold, column.detectable
    if column.score is not None and column.score >= column.threshold:
        target = column.score
        detectable *= _stricter(column, settings.significance)
    reference = float(column.n_reference)
    needed = effective_rows(reference, column.n_current) * (detectable / target) ** 2
    if needed >= reference:
        return _too_small(math.ceil(needed))
    more = math.ceil(needed * reference / (reference - needed)) - column.n_current
    return RowsToDecide(more) if more > 0 else None


def _too_small(rows: int) -> RowsToDecide:
    digits = max(0, len(str(rows)) - 2)
    least = f"{-(-rows // 10**digits) * 10**digits:,}"
    return RowsToDecide(None, f"the reference is too small: it takes one of about {least} rows", _SET_REFERENCE)


def _stricter(column: ColumnResult, significance: float) -> float:
    """By how much the detectable shift grows at the adjusted level."""
    if not column.p_value or not column.p_adjusted:
        return 1.0
    level = significance * min(1.0, column.p_value / column.p_adjusted)
    plain, strict = (float(ndtri(1 - each / 2) + ndtri(POWER)) for each in (significance, level))
    return strict / plain


def _first(start: float, most: float, is_enough: Callable[[float], bool]) -> int:
    """The first number of rows above `start` that is enough, of those that are tried; `most` is."""
    steps = math.ceil(math.log(most / start, _STEP))
    numbers = [max(math.ceil(start * _STEP**power), math.floor(start) + 1) for power in range(1, steps + 1)]
    return numbers[bisect_left(numbers, True, key=is_enough, hi=len(numbers) - 1)]
