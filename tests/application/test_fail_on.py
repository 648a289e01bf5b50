from dataclasses import replace
from datetime import UTC, datetime

import pytest

from facemon.application.fail_on import FailOn
from facemon.domain.drift_result import Check, CheckResult, ColumnResult, DriftResult, Side, SourceResult, Verdict


def outcome(**verdicts: Verdict) -> dict[Check, CheckResult]:
    columns = tuple(ColumnResult(name, "categorical", verdict) for name, verdict in verdicts.items())
    return {Check.DATA: CheckResult(Verdict.DRIFT, 0.1, columns)}


WHOLE = DriftResult(Verdict.DRIFT, datetime(2026, 11, 23, tzinfo=UTC), Side(9), Side(9))


@pytest.mark.parametrize(
    ("rule", "is_met"),
    [
        ("any", True), ("never", False), ("attribute=a", True), ("attribute=b", False), ("share=0.5", True),
        ("share=0.6", False),
    ],
)  # fmt: skip
def test_rules(rule: str, is_met: bool) -> None:
    columns = outcome(a=Verdict.DRIFT, b=Verdict.OK, c=Verdict.NOT_COMPARED)
    assert FailOn.parse(rule).is_met(replace(WHOLE, checks=columns)) is is_met
    of_a_source = SourceResult("camera", Verdict.DRIFT, 9, 9, columns)
    quiet = outcome(a=Verdict.OK, b=Verdict.OK, c=Verdict.OK)
    assert FailOn.parse(rule).is_met(replace(WHOLE, checks=quiet, sources=(of_a_source,))) is is_met
