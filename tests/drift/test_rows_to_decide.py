from dataclasses import replace

import pytest

from facemon.drift.rows_to_decide import rows_to_decide
from facemon.values.drift_result import ColumnResult, Verdict
from tests.drift.worlds import judge, single, yes_no


def column(reference: tuple[int, int], current: tuple[int, int]) -> ColumnResult:
    (found,) = judge(single(beard=yes_no(*reference)), single(beard=yes_no(*current)), "beard", min_rows=20).columns
    return found


@pytest.mark.parametrize("current", [(33, 100), (45, 120)])
def test_as_many_rows_as_it_says_decide(current: tuple[int, int]) -> None:
    found = column((3000, 10_000), current)
    assert found.verdict is Verdict.UNDECIDED
    lacking = rows_to_decide(found, 0.05, 20)
    assert lacking is not None
    assert lacking.rows is not None
    rows = current[1] + lacking.rows
    assert column((3000, 10_000), (round(current[0] * rows / current[1]), rows)).verdict is not Verdict.UNDECIDED
    fewer = current[1] + lacking.rows // 10
    assert column((3000, 10_000), (round(current[0] * fewer / current[1]), fewer)).verdict is Verdict.UNDECIDED


def test_a_reference_that_is_too_small_is_told() -> None:
    lacking = rows_to_decide(column((30, 100), (3000, 10_000)), 0.05, 20)
    assert lacking is not None
    assert lacking.rows is None
    assert "the reference is too small" in (lacking.reason or "")


def test_min_rows_is_a_limit_of_its_own() -> None:
    few = replace(column((3000, 10_000), (3, 10)), detectable=None)
    lacking = rows_to_decide(few, 0.05, 200)
    assert lacking is not None
    assert lacking.rows == 190
    assert rows_to_decide(column((3000, 10_000), (3000, 10_000)), 0.05, 20) is None
