"""Which checks decide: facemon's own, and Evidently's where it is alone."""

import pytest

from facemon.domain.deciding_checks import deciding_checks, deciding_columns
from facemon.domain.drift_result import Check
from tests.reports.results import RESULT

OUTCOME = next(iter(RESULT.checks.values()))


@pytest.mark.parametrize(
    ("asked", "decide"),
    [
        ((Check.DATA,), {Check.DATA}),
        ((Check.EVIDENTLY,), {Check.EVIDENTLY}),
        ((Check.EVIDENTLY, Check.MODEL), {Check.MODEL}),
        (tuple(Check), {Check.DATA, Check.MODEL}),
        ((), set()),
    ],
)
def test_evidently_decides_only_where_it_is_alone(asked: tuple[Check, ...], decide: set[Check]) -> None:
    checks = dict.fromkeys(asked, OUTCOME)
    assert set(deciding_checks(checks)) == decide
    assert deciding_columns(checks) == list(OUTCOME.columns) * len(decide)
