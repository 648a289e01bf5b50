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


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("any", 3), ("never", 0), ("attribute=b", 4), ("attribute=c", 0), ("attribute=d", 0), ("share=0.5", 4),
        ("share=0.9", 0),
    ],
)  # fmt: skip
def test_drift_elsewhere_hides_nothing_that_is_undecided(rule: str, code: int) -> None:
    columns = outcome(a=Verdict.DRIFT, b=Verdict.UNDECIDED, c=Verdict.OK, d=Verdict.NOT_COMPARED)
    assert FailOn.parse(rule).code_of(replace(WHOLE, checks=columns)) == code


def test_a_check_that_compared_nothing_is_undecided_beside_drift_too() -> None:
    nothing = {Check.MODEL: CheckResult(Verdict.UNDECIDED, 0.05, (ColumnResult("b", "number", Verdict.NOT_COMPARED),))}
    beside_drift = replace(WHOLE, checks=outcome(a=Verdict.DRIFT, c=Verdict.OK, d=Verdict.OK) | nothing)
    codes = {rule: FailOn.parse(rule).code_of(beside_drift) for rule in ("attribute=b", "attribute=c", "share=0.9")}
    assert codes == {"attribute=b": 4, "attribute=c": 0, "share=0.9": 4}


@pytest.mark.parametrize(("rows", "code"), [(9, 4), (8, 0)])
def test_undecided_sources_with_half_of_the_rows_count_beside_drift(rows: int, code: int) -> None:
    drifts, quiet = outcome(a=Verdict.DRIFT, b=Verdict.OK), outcome(a=Verdict.OK, b=Verdict.OK)
    ok = SourceResult("ok", Verdict.OK, 9, 9, quiet)
    undecided = SourceResult("undecided", Verdict.UNDECIDED, rows, rows, outcome(a=Verdict.OK, b=Verdict.UNDECIDED))
    also_drifts = replace(undecided, verdict=Verdict.DRIFT, checks=outcome(a=Verdict.DRIFT, b=Verdict.UNDECIDED))
    for each in (undecided, also_drifts):
        found = replace(WHOLE, checks=drifts, sources=(ok, each))
        assert FailOn.parse("attribute=b").code_of(found) == code
