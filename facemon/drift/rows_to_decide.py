"""How many more rows would turn an undecided column into a decided one."""

import math

from facemon.drift.column_verdict import BLUNT
from facemon.drift.distribution_functions import ndtri
from facemon.drift.homogeneity import effective_rows
from facemon.drift.power import POWER
from facemon.values.drift_result import ColumnResult, Verdict
from facemon.values.explanation import RowsToDecide


def rows_to_decide(column: ColumnResult, significance: float, min_rows: int) -> RowsToDecide | None:
    """How many more current rows an undecided column needs; None where it is decided or more rows are no answer.

    The standard error of a difference falls with the root of the effective rows n·m/(n+m), so the detectable shift
    does. It must reach the score, where that is to be proven, or twice the threshold, where a column is to be
    cleared; the level is the one that the correction over all columns has left (p over adjusted p). Sources that
    lend their rows a common level make it more. Rare labels make it fewer, up to several times: with more rows the test
    tells more of them apart, and the shift falls faster than by the root.
    """
    if column.verdict is not Verdict.UNDECIDED or column.score is None:
        return None
    lacking = max(0, min_rows - column.n_current)
    if column.detectable is None or column.threshold is None:
        return RowsToDecide(lacking) if lacking and column.n_reference >= min_rows else None
    target, detectable = BLUNT * column.threshold, column.detectable
    if column.score >= column.threshold > 0:
        target = column.score
        detectable *= _stricter(column, significance)
    if target <= 0:
        return None
    reference = float(column.n_reference)
    needed = effective_rows(reference, column.n_current) * (detectable / target) ** 2
    if needed >= reference:
        least = math.ceil(needed)
        return RowsToDecide(None, f"the reference is too small: it takes one of more than {least:,} rows")
    wanted = math.ceil(needed * reference / (reference - needed))
    return RowsToDecide(max(wanted - column.n_current, lacking))


def _stricter(column: ColumnResult, significance: float) -> float:
    """By how much the detectable shift grows at the adjusted level."""
    if not column.p_value or not column.p_adjusted:
        return 1.0
    level = significance * min(1.0, column.p_value / column.p_adjusted)
    plain, strict = (float(ndtri(1 - each / 2) + ndtri(POWER)) for each in (significance, level))
    return strict / plain
