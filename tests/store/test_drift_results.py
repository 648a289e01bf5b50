from dataclasses import replace
from datetime import timedelta

from facemon.domain.drift_result import Check, CheckResult, ColumnResult, DriftResult, Side, SourceResult, Verdict
from facemon.domain.times import micros
from facemon.store.drift_results import drift_history, record_drift
from facemon.store.drift_states import CheckState, DriftGauge, SourceState
from facemon.store.ledger.protocol import Ledger
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
    assert ledger.checks.gauges() == [
        DriftGauge(MODEL, "model", "gender", "confidence", 0.01, 0.5, False, 300, False),
        DriftGauge(MODEL, "model", "gender", "label", 0.12, 2e-9, True, 300, False),
    ]
    assert ledger.checks.states() == [CheckState(MODEL, "model", 0.05, micros(NOON), micros(NOON))]


def test_an_undecided_column_keeps_its_last_decided_score(ledger: Ledger) -> None:
    record_drift(ledger, result(LABEL))
    undecided = replace(LABEL, verdict=Verdict.UNDECIDED, score=0.9, p_adjusted=0.8, n_current=3)
    later = replace(result(undecided, verdict=Verdict.UNDECIDED), at=NOON + timedelta(hours=1))
    record_drift(ledger, later)
    assert ledger.checks.gauges() == [DriftGauge(MODEL, "model", "gender", "label", 0.12, 2e-9, True, 3, True)]
    assert ledger.checks.states() == [CheckState(MODEL, "model", 0.05, micros(NOON + timedelta(hours=1)), micros(NOON))]
    assert list(drift_history(ledger)) == [later, result(LABEL)]
    assert list(drift_history(ledger, 1)) == [later]


def test_a_column_that_was_never_decided_has_no_score(ledger: Ledger) -> None:
    record_drift(ledger, result(replace(LABEL, verdict=Verdict.UNDECIDED), verdict=Verdict.UNDECIDED))
    assert ledger.checks.gauges() == [DriftGauge(MODEL, "model", "gender", "label", None, None, None, 300, True)]
    assert ledger.checks.states() == [CheckState(MODEL, "model", 0.05, micros(NOON), None)]


def test_a_column_that_is_compared_no_more_goes(ledger: Ledger) -> None:
    record_drift(ledger, result(LABEL, CONFIDENCE))
    record_drift(ledger, result(replace(LABEL, column="image_size", attribute=None), check=Check.DATA))
    record_drift(ledger, result(CONFIDENCE, replace(LABEL, verdict=Verdict.NOT_COMPARED)))
    found = {(gauge.check, gauge.attribute, gauge.measure) for gauge in ledger.checks.gauges()}
    assert found == {("model", "gender", "confidence"), ("data", "image_size", "label")}


def test_evidentlys_numbers_are_no_gauges(ledger: Ledger) -> None:
    record_drift(ledger, result(LABEL, check=Check.EVIDENTLY))
    assert ledger.checks.gauges() == []
    assert ledger.checks.states() == []
    assert len(list(drift_history(ledger))) == 1


def test_the_gauges_of_one_model_are_not_those_of_another(ledger: Ledger) -> None:
    record_drift(ledger, result(LABEL, CONFIDENCE))
    before = ledger.checks.gauges()
    quiet = replace(LABEL, verdict=Verdict.OK, score=0.004)
    record_drift(ledger, replace(result(quiet, verdict=Verdict.OK, model="other@2"), at=NOON + timedelta(hours=1)))
    other = DriftGauge("other@2", "model", "gender", "label", 0.004, 2e-9, False, 300, False)
    assert ledger.checks.gauges() == [*before, other]
    first, second = ledger.checks.states()
    assert (first.model, first.at, second.model, second.at) == (
        MODEL, micros(NOON), "other@2", micros(NOON + timedelta(hours=1)),
    )  # fmt: skip


def with_sources(whole: DriftResult, sources: dict[str | None, Verdict], *checks: Check) -> DriftResult:
    """The result, in which each check of each source has the verdict."""
    found = tuple(
        SourceResult(name, verdict, 500, 90, {check: CheckResult(verdict, 0.05, ()) for check in checks})
        for name, verdict in sources.items()
    )
    return replace(whole, sources=found)


def test_each_source_shows_what_was_found_in_its_rows(ledger: Ledger) -> None:
    verdicts: dict[str | None, Verdict] = {"a": Verdict.DRIFT, "b": Verdict.OK, None: Verdict.UNDECIDED}
    record_drift(ledger, with_sources(result(LABEL), verdicts, Check.MODEL, Check.EVIDENTLY))
    at = micros(NOON)
    assert ledger.checks.source_states() == [
        SourceState(MODEL, "model", None, None, 90, True, at),
        SourceState(MODEL, "model", "a", True, 90, False, at),
        SourceState(MODEL, "model", "b", False, 90, False, at),
    ]


def test_a_source_that_is_judged_no_more_goes(ledger: Ledger) -> None:
    def known() -> list[tuple[str, str, str | None, bool | None]]:
        return [(each.model, each.check, each.source, each.detected) for each in ledger.checks.source_states()]

    data = result(LABEL, check=Check.DATA)
    record_drift(ledger, with_sources(result(LABEL), {"a": Verdict.DRIFT, "b": Verdict.OK}, Check.MODEL))
    record_drift(ledger, with_sources(data, {"a": Verdict.OK}, Check.DATA))
    record_drift(ledger, with_sources(result(LABEL, model="other@1"), {"a": Verdict.OK}, Check.MODEL))
    record_drift(ledger, with_sources(result(LABEL), {"a": Verdict.UNDECIDED}, Check.MODEL))
    others = [(MODEL, "data", "a", False), (MODEL, "model", "a", None), ("other@1", "model", "a", False)]
    assert known() == others
    # Neither a look nor a check of another kind changes them; one that judges no sources takes its own away.
    record_drift(ledger, with_sources(result(LABEL), {"a": Verdict.DRIFT}, Check.MODEL), for_gauges=False)
    record_drift(ledger, result(LABEL, check=Check.EVIDENTLY))
    assert known() == others
    record_drift(ledger, result(LABEL))
    assert known() == [others[0], others[2]]
