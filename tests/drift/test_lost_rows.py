"""A window that lacks rows: what was found stays found, and nothing is cleared."""

from datetime import UTC, datetime

import pytest

from facemon.domain.drift_result import (
    Check,
    CheckResult,
    ColumnResult,
    DriftResult,
    Side,
    SourceResult,
    Verdict,
    from_document,
    to_document,
)
from facemon.drift.lost_rows import with_lost_rows


def result(verdict: Verdict) -> DriftResult:
    columns = (ColumnResult("beard", "categorical", verdict), ColumnResult("age", "number", Verdict.NOT_COMPARED))
    checks = {Check.MODEL: CheckResult(verdict, 0.1, columns)}
    source = SourceResult("hall", verdict, 10, 10, checks)
    return DriftResult(verdict, datetime(2026, 11, 29, tzinfo=UTC), Side(10), Side(10), checks, sources=(source,))


@pytest.mark.parametrize("verdict", [Verdict.DRIFT, Verdict.UNDECIDED, Verdict.OK])
def test_nothing_is_cleared(verdict: Verdict) -> None:
    found = with_lost_rows(result(verdict), 5)
    expected = Verdict.UNDECIDED if verdict is Verdict.OK else verdict
    parts: list[DriftResult | SourceResult] = [found, *found.sources]
    for each in parts:
        assert each.verdict is expected
        assert each.checks[Check.MODEL].verdict is expected
        assert [column.verdict for column in each.checks[Check.MODEL].columns] == [expected, Verdict.NOT_COMPARED]
    assert "Up to 5 rows of this window were" in found.notes[-1]
    assert from_document(to_document(found)) == found


def test_a_window_that_lacks_nothing_stays_as_it_is() -> None:
    assert with_lost_rows(result(Verdict.OK), 0) == result(Verdict.OK)
