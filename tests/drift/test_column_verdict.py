"""The verdict on one column."""

from facemon.domain.drift_result import Verdict
from facemon.drift.column_evidence import Evidence
from facemon.drift.column_verdict import decide


def evidence_of(score: float, detectable: float = 0.01) -> Evidence:
    return Evidence(score=score, detectable=detectable)


def test_a_score_on_the_threshold_counts_whatever_floats_make_of_it() -> None:
    evidence = evidence_of(score=0.6 - 0.5)
    assert evidence.score is not None
    assert evidence.score < 0.1
    assert decide(evidence, 0.001, 0.1, 0.05).verdict is Verdict.DRIFT


def test_a_score_below_the_threshold_is_ok_however_well_it_is_proven() -> None:
    assert decide(evidence_of(score=0.0999), 1e-9, 0.1, 0.05).verdict is Verdict.OK


def test_what_is_not_proven_is_undecided() -> None:
    decision = decide(evidence_of(score=0.2), 0.06, 0.1, 0.05)
    assert decision.verdict is Verdict.UNDECIDED
    assert decision.reason is not None
    assert "do not prove it" in decision.reason


def test_blunt_rows_rule_nothing_out() -> None:
    decision = decide(evidence_of(score=0.0, detectable=0.21), 1.0, 0.1, 0.05)
    assert decision.verdict is Verdict.UNDECIDED
    assert decision.reason == (
        "not enough data to rule out drift: the smallest detectable shift is 0.21, more than twice the threshold 0.1"
    )
    assert decide(evidence_of(score=0.0, detectable=0.2), 1.0, 0.1, 0.05).verdict is Verdict.OK
