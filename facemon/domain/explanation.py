"""Why a column got its verdict: what both sides hold of it, and what would decide it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from facemon.domain.column_shape import ColumnShape
from facemon.domain.drift_result import Check, ColumnResult
from facemon.domain.times import format_time

_SCHEMA_NAME = "facemon.explanation/1"


@dataclass(frozen=True, slots=True)
class RowsToDecide:
    """Rows that the current data lacks, at least one; none where no number of them would do, for `reason`."""

    rows: int | None
    reason: str | None = None
    remedy: str | None = None
    """A command or a setting that would help; with a number of rows, where these are to be found."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One column of one check."""

    check: Check
    column: ColumnResult
    shape: ColumnShape | None
    """None where a side has nothing of the column."""
    lacking: RowsToDecide | None
    """None for a decided column, and where rows are not what it lacks."""
    at: datetime
    """When it was checked."""
    recorded: bool
    """Whether by a check of record."""

    def document(self) -> dict[str, Any]:
        """The object of `facemon.explanation/1`, ready for JSON."""
        return explanation_document(self)


def explanation_document(explanation: Explanation) -> dict[str, Any]:
    """The object of `facemon.explanation/1`, ready for JSON."""
    column, shape, lacking = explanation.column, explanation.shape, explanation.lacking
    groups = zip(shape.groups, shape.reference, shape.current, strict=True) if shape else ()
    return {
        "schema": _SCHEMA_NAME,
        "check": explanation.check.value,
        "at": format_time(explanation.at),
        "recorded": explanation.recorded,
        "column": column.column,
        "verdict": column.verdict.value,
        "score": column.score,
        "threshold": column.threshold,
        "test": column.test,
        "p_value": column.p_value,
        "p_adjusted": column.p_adjusted,
        "detectable": column.detectable,
        "n_reference": column.n_reference,
        "n_current": column.n_current,
        "reason": column.reason,
        "groups": [{"group": name, "reference": first, "current": second} for name, first, second in groups],
        "rows_to_decide": lacking.rows if lacking else None,
        "no_rows_decide": lacking.reason if lacking else None,
        "remedy": lacking.remedy if lacking else None,
    }
