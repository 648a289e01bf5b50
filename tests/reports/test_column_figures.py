from dataclasses import replace

import pytest

from facemon.domain.drift_result import Check, ColumnResult, Verdict
from facemon.reports.column_figures import column_sentence
from tests.reports.results import AGE, EVIDENTLY, GENDER, SIZE


@pytest.mark.parametrize(
    ("check", "column", "sentence"),
    [
        (Check.MODEL, GENDER, "shift 12.1 pts, limit 5.0 pts, adjusted p 2e-09, 10,000 / 812 rows"),
        (Check.MODEL, AGE, "0 / 120 rows: 120 rows, fewer than min_rows 200"),
        (Check.DATA, SIZE, "shift 0.020, limit 0.100, adjusted p 0.500, 10,000 / 812 rows"),
        (Check.EVIDENTLY, EVIDENTLY.columns[0], "jensenshannon 0.300, limit 0.100, 0 / 0 rows"),
    ],
)
def test_a_sentence_says_what_is_known(check: Check, column: ColumnResult, sentence: str) -> None:
    assert column_sentence(check, column) == sentence


def test_a_small_loss_is_no_negative_zero() -> None:
    assert column_sentence(Check.MODEL, replace(GENDER, score=-0.0004)).startswith("shift 0.0 pts, ")
    assert column_sentence(Check.DATA, replace(SIZE, score=-0.0004)).startswith("shift 0.000, ")


def test_a_p_value_of_nothing_at_all() -> None:
    assert "adjusted p <1e-99," in column_sentence(Check.MODEL, replace(GENDER, p_adjusted=0.0))
    assert "p 0.250," in column_sentence(
        Check.EVIDENTLY, ColumnResult("a", "number", Verdict.OK, 0.25, 0.25, method="ks", threshold=0.05)
    )
