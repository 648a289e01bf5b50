from dataclasses import replace
from datetime import timedelta

from facemon.store.drift_results import (
    CheckState,
    DriftGauge,
    drift_history,
    read_drift_checks,
    read_drift_gauges,
    record_drift,
)
from facemon.store.ledger import Ledger
from facemon.values.drift_result import Check, CheckResult, ColumnResult, DriftResult, Side, Verdict
from facemon.values.times import micros
from tests.store.log_rows import MODEL, NOON

LABEL = ColumnResult("gender", "categorical", Verdict.DRIFT, 0.12, 1e-9, 2e-9, 500, 300, attribute="gender")
CONFIDENCE = ColumnResult(
    "gender_confidence", "number", Verdict.OK, 0.01, 0.5, 0.5, 500, 300, attribute="gender", measure="confidence"
)
LEFT_OUT = ColumnResult("beard", "categorical", Verdict.NOT_COMPARED, attribute="beard")


def result(
    *columns: ColumnResult, check: Check = Check.MODEL, verdict: Verdict = Verdict.DRIFT, model: str = MODEL
) -> DriftResult:
    return DriftResult(
        verdict,
        NOON,
        Side(500, "normal", "predictions"),
        Side(300),
        {check: CheckResult(verdict, 0.05, columns)},
        model=model,
    )


def test_gauges_show_what_was_found(ledger: Ledger) -> None:
    record_drift(ledger, result(LABEL, CONFIDENCE, LEFT_OUT))
    assert read_drift_gauges(ledger.connection) == [
        DriftGauge(MODEL, "model", "gender", "confidence", 0.01, 0.5, False, 300, False),
        DriftGauge(MODEL, "model", "gender", "label", 0.12, 2e-9, True, 300, False),
    ]
    assert read_drift_checks(ledger.connection) == [CheckState(MODEL, "model", 0.05, micros(NOON), micros(NOON))]


def test_an_undecided_column_keeps_its_last_decided_score(ledger: Ledger) -> None:
    record_drift(ledger, result(LABEL))
    undecided = replace(LABEL, verdict=Verdict.UNDECIDED, score=0.9, p_adjusted=0.8, n_current=3)
    later = replace(result(undecided, verdict=Verdict.UNDECIDED), at=NOON + timedelta(hours=1))
    record_drift(ledger, later)
    assert read_drift_gauges(ledger.connection) == [
        DriftGauge(MODEL, "model", "gender", "label", 0.12, 2e-9, True, 3, True)
    ]
    assert read_drift_checks(ledger.connection) == [
        CheckState(MODEL, "model", 0.05, micros(NOON + timedelta(hours=1)), micros(NOON))
    ]
    assert list(drift_history(ledger)) == [later, result(LABEL)]
    assert list(drift_history(ledger, 1)) == [later]


def test_a_column_that_was_never_decided_has_no_score(ledger: Ledger) -> None:
    record_drift(ledger, result(replace(LABEL, verdict=Verdict.UNDECIDED), verdict=Verdict.UNDECIDED))
    assert read_drift_gauges(ledger.connection) == [
        DriftGauge(MODEL, "model", "gender", "label", None, None, None, 300, True)
    ]
    assert read_drift_checks(ledger.connection) == [CheckState(MODEL, "model", 0.05, micros(NOON), None)]


def test_a_column_that_is_compared_no_more_goes(ledger: Ledger) -> None:
    record_drift(ledger, result(LABEL, CONFIDENCE))
    record_drift(ledger, result(replace(LABEL, column="image_size", attribute=None), check=Check.DATA))
    record_drift(ledger, result(CONFIDENCE, replace(LABEL, verdict=Verdict.NOT_COMPARED)))
    found = {(gauge.check, gauge.attribute, gauge.measure) for gauge in read_drift_gauges(ledger.connection)}
    assert found == {("model", "gender", "confidence"), ("data", "image_size", "label")}


def test_evidentlys_numbers_are_no_gauges(ledger: Ledger) -> None:
    record_drift(ledger, result(LABEL, check=Check.EVIDENTLY))
    assert read_drift_gauges(ledger.connection) == []
    assert read_drift_checks(ledger.connection) == []
    assert len(list(drift_history(ledger))) == 1


def test_the_gauges_of_one_model_are_not_those_of_another(ledger: Ledger) -> None:
    record_drift(ledger, result(LABEL, CONFIDENCE))
    before = read_drift_gauges(ledger.connection)
    quiet = replace(LABEL, verdict=Verdict.OK, score=0.004)
    record_drift(ledger, replace(result(quiet, verdict=Verdict.OK, model="other@2"), at=NOON + timedelta(hours=1)))
    other = DriftGauge("other@2", "model", "gender", "label", 0.004, 2e-9, False, 300, False)
    assert read_drift_gauges(ledger.connection) == [*before, other]
    first, second = read_drift_checks(ledger.connection)
    assert (first.model, first.at, second.model, second.at) == (
        MODEL, micros(NOON), "other@2", micros(NOON + timedelta(hours=1)),
    )  # fmt: skip
