"""How many rows the columns of a result lack, from the samples that were compared."""

from collections.abc import Iterable

from facemon.config.drift import DriftConfig
from facemon.domain.drift_result import ACCURACY, LABEL, Check, ColumnResult, DriftResult, Verdict
from facemon.domain.explanation import RowsToDecide
from facemon.drift.dependence import NO_EFFECT, Comparison, effect_parts, layout_of
from facemon.drift.drift_check import FAMILIES_OF_LOG
from facemon.drift.rows_to_decide import rows_to_decide
from facemon.drift.sample import Sample, alike
from facemon.drift.strange_cells import way_out_of
from facemon.drift.window_ladder import spans_of


def lacking_rows(
    result: DriftResult,
    check: Check,
    columns: Iterable[ColumnResult],
    reference: Sample,
    current: Sample,
    settings: DriftConfig,
) -> dict[str, RowsToDecide | None]:
    """Return by name what would decide each of some columns of a check; None for decided ones.

    Samples that lack rows, as once retention has taken them, leave the figures of the result to go by. The design
    effects are estimated from the columns of both checks, as for the verdict.
    """
    reference, current = alike(reference, current)
    found = {
        column.column: (comparison, column.measure)
        for own, outcome in result.checks.items()
        if own.is_own
        for column in outcome.columns
        if (comparison := _comparison(column, reference, current, settings)) is not None
    }
    comparisons = {name: comparison for name, (comparison, _) in found.items()}
    # Accuracies are tested without one.
    parts = effect_parts({name: comparison for name, (comparison, measure) in found.items() if measure != ACCURACY})
    correction = _correction(result, check, settings)
    return {
        column.column: _of_strange_cells(column, reference, current)
        or rows_to_decide(
            column,
            settings,
            comparisons.get(column.column),
            parts.get(column.column, NO_EFFECT),
            correction=correction,
        )
        for column in columns
    }


def _of_strange_cells(column: ColumnResult, reference: Sample, current: Sample) -> RowsToDecide | None:
    """What would decide a column that is undecided because of cells that are not labels; None for all others."""
    is_tested = column.verdict is not Verdict.UNDECIDED or column.p_value is not None
    way_out = None if is_tested or column.measure != LABEL else way_out_of(reference, current, column.column)
    return RowsToDecide(None, "cells that are not labels could mean anything", way_out) if way_out else None


def _comparison(column: ColumnResult, reference: Sample, current: Sample, settings: DriftConfig) -> Comparison | None:
    """How the rows of a column were compared; None where a sample has no rows of it."""
    name, sides, days = column.column, (reference, current), reference.whole_days.get(column.column)
    if column.measure == ACCURACY:
        name, sides, days = column.attribute or "", (reference.accuracy(), current.accuracy()), None
    first, second = (side.column(name) for side in sides)
    if not (first and second and first.total and second.total and first.kind is second.kind):
        return None
    return Comparison(layout_of(*sides, name, settings.cluster), days, sides[1].days)


def _correction(result: DriftResult, check: Check, settings: DriftConfig) -> float:
    """The factor from a p-value to the adjusted one, for the next column that is proven.

    With M tests of the check, over its columns and windows, it is M over one more than the columns that drifted
    (Benjamini & Hochberg 1995), times the families of tests.
    """
    columns, windows, families = result.checks[check].columns, 1, 1
    if result.current.since is not None and result.current.until is not None:
        span = result.current.until - result.current.since
        families = FAMILIES_OF_LOG if result.source is None else 1
        if any(column.window is not None for column in columns):
            windows = max(1, sum(each <= span for each in spans_of(settings.window, settings.widen_to)))
    elif result.sources:
        families = 2
    tests = sum(column.p_value is not None for column in columns)
    drifted = sum(column.verdict is Verdict.DRIFT for column in columns)
    return max(1.0, families * tests * windows / (1 + drifted))
