from dataclasses import replace
from datetime import UTC, datetime

from facemon.domain.column_shape import ColumnShape
from facemon.domain.drift_result import Check, ColumnResult, Verdict
from facemon.domain.explanation import Explanation
from facemon.reports.explanation_report import explanation_report

COLUMN = ColumnResult("beard", "categorical", Verdict.OK, 0.01, 0.4, 0.4, 10_000, 1000, detectable=0.0464)


def sentences_of(column: ColumnResult) -> tuple[str, ...]:
    explanation = Explanation(Check.MODEL, column, None, None, datetime(2026, 11, 20, tzinfo=UTC), recorded=True)
    return explanation_report(explanation).sentences


def test_a_share_that_is_nearly_the_same_has_no_negative_zero() -> None:
    shape = ColumnShape(("no", "yes"), (0.5002, 0.4998), (0.4999, 0.5001), is_ordered=False)
    explanation = Explanation(Check.MODEL, COLUMN, shape, None, datetime(2026, 11, 20, tzinfo=UTC), recorded=True)
    assert [row[3] for row in explanation_report(explanation).rows] == ["+0.0 pts", "+0.0 pts"]


def test_it_says_what_the_rows_would_detect() -> None:
    told = "a shift of 0.0464 would be detected with 80 % power, for one column looked at alone"
    assert told in sentences_of(COLUMN)
    assert not any("power" in sentence for sentence in sentences_of(replace(COLUMN, detectable=None)))
