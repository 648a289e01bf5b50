"""The plan in words."""

from dataclasses import replace
from datetime import timedelta

import pytest

from facemon.domain.decision_plan import CheckPlan, DecisionPlan, Detected, Rate, Remedy, SourcesPlan
from facemon.domain.drift_result import Check, CheckResult, ColumnResult, DriftResult, Side, Verdict
from facemon.reports.plan_report import images_in_words, plan_facts, undecided_sentences
from tests.drift.worlds import NOW

DAY = timedelta(days=1)
DATA = CheckPlan(Check.DATA, 0.1, 120, 5_000, None, 433, 4 * DAY)
MODEL = CheckPlan(
    Check.MODEL, 0.05, 250, 5_000, Detected("gender", 0.0831, is_label=True), 2_800, None,
    (Remedy(widen_to=28 * DAY), Remedy(reference_days=28, threshold=0.06), Remedy(threshold=0.08)),
)  # fmt: skip
PLAN = DecisionPlan(DAY, 14 * DAY, 200, Rate(120.4, "log"), (DATA, MODEL))
BLUNT = ColumnResult("gender", "categorical", Verdict.UNDECIDED, 0.01, 0.5, 1.0, 5_000, 250, detectable=0.2)
FEW = ColumnResult("image_size", "number", Verdict.UNDECIDED, n_reference=5_000, n_current=120)


def result(*checks: tuple[Check, ColumnResult], span: timedelta = DAY) -> DriftResult:
    held = {check: CheckResult(column.verdict, 0.05, (column,)) for check, column in checks}
    return DriftResult(Verdict.UNDECIDED, NOW, Side(5_000, "spring"), Side(250, since=NOW - span, until=NOW), held)


def test_all_that_is_known_at_a_rate() -> None:
    assert dict(plan_facts(PLAN)) == {
        "images a day": "120, as logged lately",
        "data check": "decides a threshold of 0.1 with 4d of images, about 440 images",
        "data at present": "24h hold 120 rows, fewer than min_rows 200",
        "model check": (
            "never decides a threshold of 0.05 at 120 images a day: "
            "take drift.widen_to: 28d, 28 days of reference and a threshold of 0.06 or a threshold of 0.08"
        ),
        "model at present": "24h detect 8.3 pts of gender",
    }  # fmt: skip


def test_numbers_are_detected_as_distances() -> None:
    plan = replace(PLAN, checks=(replace(DATA, detects=Detected("image_size", 0.1234, is_label=False)),))
    assert dict(plan_facts(plan))["data at present"] == "24h detect KS 0.123 of image_size"


@pytest.mark.parametrize(
    ("reference_rows", "said"),
    [
        (40, "the reference holds 40 rows, fewer than min_rows 200"),
        (5_000, "the 500 rows of 24h repeat each other too much for any verdict"),
    ],
)
def test_why_nothing_is_detected(reference_rows: int, said: str) -> None:
    plan = replace(PLAN, checks=(replace(DATA, rows=500, reference_rows=reference_rows),))
    assert dict(plan_facts(plan))["data at present"] == said


def test_without_a_rate() -> None:
    plan = DecisionPlan(DAY, 14 * DAY, 200, None, tuple(
        replace(each, window=None, rows=None, detects=None, remedies=()) for each in (DATA, replace(MODEL, images=None))
    ))  # fmt: skip
    assert dict(plan_facts(plan)) == {
        "data check": "decides a threshold of 0.1 with about 440 images",
        "model check": "never decides a threshold of 0.05: no number of images will do, the reference is too small",
    }


def test_where_nothing_helps() -> None:
    plan = replace(PLAN, checks=(replace(MODEL, remedies=()),), rate=Rate(0.25, "reference"))
    facts = dict(plan_facts(plan))
    assert facts["images a day"] == "0.2, as in the reference"
    assert facts["model check"] == "never decides a threshold of 0.05 at 0.2 images a day: it takes more of them"


def test_each_undecided_check_gets_one_sentence() -> None:
    sentences = undecided_sentences(PLAN, result((Check.DATA, FEW), (Check.MODEL, BLUNT)))
    assert sentences == (
        "The data check decides a threshold of 0.1 with 4d of images, about 440 images.",
        f"The model check {dict(plan_facts(PLAN))['model check']}.",
    )
    decided = replace(BLUNT, verdict=Verdict.OK)
    assert len(undecided_sentences(PLAN, result((Check.DATA, FEW), (Check.MODEL, decided)))) == 1


def test_where_the_rows_are_enough_the_column_is_to_be_explained() -> None:
    """A quiet run of as many rows is decided; this one has a score that is not proven."""
    (sentence,) = undecided_sentences(PLAN, result((Check.DATA, replace(FEW, score=0.1)), span=4 * DAY))
    assert sentence == "Add --explain image_size for what would decide the data check."


def test_what_rows_do_not_decide_is_left_to_the_table() -> None:
    missing = replace(FEW, n_current=5_000, reason="the current data has no such column")
    assert undecided_sentences(PLAN, result((Check.DATA, missing))) == ()
    both = DriftResult(
        Verdict.UNDECIDED, NOW, Side(5_000), Side(0), {Check.DATA: CheckResult(Verdict.UNDECIDED, 0.1, (missing, FEW))}
    )
    (sentence,) = undecided_sentences(PLAN, both)
    assert sentence.startswith("Apart from image_size, the data check decides ")


@pytest.mark.parametrize(
    "column",
    [replace(BLUNT, test="cluster-robust t over 9 sources and 9 sources"), replace(BLUNT, detectable=None)],
    ids=["between sources", "repeated frames"],
)
def test_what_more_rows_do_not_decide_is_to_be_explained(column: ColumnResult) -> None:
    (sentence,) = undecided_sentences(PLAN, result((Check.MODEL, column)))
    assert sentence == "Add --explain gender for what would decide the model check."


def test_a_window_that_happens_to_be_empty_says_how_many_images_it_takes() -> None:
    """At the log's usual rate a day would be enough, and today there is nothing."""
    plan = replace(PLAN, checks=(replace(DATA, window=DAY),))
    (sentence,) = undecided_sentences(plan, result((Check.DATA, replace(FEW, n_current=0))))
    assert sentence == "The data check decides a threshold of 0.1 with 24h of images, about 440 images."


def test_sources_that_alone_are_undecided() -> None:
    plan = replace(PLAN, sources=SourcesPlan(3, 7 * DAY))
    fine = result((Check.MODEL, replace(BLUNT, verdict=Verdict.OK)))
    assert undecided_sentences(plan, fine) == ("By source, most rows are decided with 7d of images.",)
    never = replace(PLAN, sources=SourcesPlan(3, None, (Remedy(widen_to=28 * DAY),)))
    said = "most rows are never decided at 120 images a day: take drift.widen_to: 28d"
    assert dict(plan_facts(never))["by source"] == said


@pytest.mark.parametrize(
    ("images", "words"), [(7, "7 images"), (99, "99 images"), (541, "550 images"), (12_001, "13,000 images")]
)
def test_images_are_rounded_up(images: int, words: str) -> None:
    assert images_in_words(images) == words
