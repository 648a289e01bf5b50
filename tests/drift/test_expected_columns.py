"""Nothing unknown passes: attributes that a side lacks, and columns that were compared before and cannot be now."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from facemon.config.drift import DriftConfig
from facemon.config.model import AttributeConfig
from facemon.domain.drift_result import Check, CheckResult, ColumnResult, DriftResult, Side, Verdict
from facemon.domain.labelled import LabelledCount
from facemon.domain.profile import Profile
from facemon.drift.accuracy import with_accuracy
from facemon.drift.drift_check import run_checks
from facemon.drift.expected_columns import NOTHING_EXPECTED, ExpectedColumns, compared_before
from facemon.drift.sample import IGNORED, Sample
from tests.drift.worlds import binary, single, yes_no

AT = datetime(2026, 11, 28, tzinfo=UTC)
DAY = Side(500, since=AT - timedelta(days=1), until=AT)
LOG = ExpectedColumns(of_log=True)
BEARD, BOTH = single(beard=yes_no(100, 500)), single(beard=yes_no(100, 500), mask=yes_no(250, 500))
NO_FACES = Sample.of_rows(Profile(500, 0, 0, {}))


def columns(
    reference: Sample, current: Sample, expected: ExpectedColumns, check: Check = Check.MODEL,
    attributes: Sequence[AttributeConfig] = (binary("beard"), binary("mask")),
) -> dict[str, ColumnResult]:  # fmt: skip
    result = run_checks(
        reference, current, checks=[check], attributes=attributes, settings=DriftConfig(),
        at=AT, reference_side=Side(0), current_side=Side(0), expected=expected,
    )  # fmt: skip
    return {column.column: column for column in result.checks[check].columns}


@pytest.mark.parametrize(
    ("reference", "current", "expected", "verdict"),
    [
        (BEARD, BOTH, LOG, Verdict.UNDECIDED),
        (BEARD, BEARD, LOG, Verdict.UNDECIDED),
        (BOTH, BEARD, LOG, Verdict.UNDECIDED),
        (BOTH, BOTH, LOG, Verdict.OK),
        (BEARD, BOTH, NOTHING_EXPECTED, Verdict.UNDECIDED),
        (BOTH, BEARD, NOTHING_EXPECTED, Verdict.UNDECIDED),
        (BEARD, BEARD, NOTHING_EXPECTED, Verdict.NOT_COMPARED),
    ],
)
def test_an_attribute_that_a_side_lacks(
    reference: Sample, current: Sample, expected: ExpectedColumns, verdict: Verdict
) -> None:
    found = columns(reference, current, expected)
    assert (found["beard"].verdict, found["mask"].verdict) == (Verdict.OK, verdict)
    if expected.of_log and reference is BEARD:
        way_out = "set a new reference with facemon reference set --since 24h"
        assert found["mask"].reason == f"the reference has no column mask: {way_out}"


def test_where_no_face_was_found_a_column_is_not_missing() -> None:
    found = columns(BOTH, NO_FACES, LOG)
    assert found["mask"].reason == "0 rows, fewer than min_rows 200"
    assert columns(NO_FACES, BOTH, LOG)["mask"].reason == "0 rows in the reference, fewer than min_rows 200"


def test_true_labels_have_no_confidences() -> None:
    sure = single(beard=yes_no(100, 500), beard_confidence=yes_no(1, 500), mask=yes_no(250, 500))
    found = columns(BOTH, sure, LOG)
    assert (found["beard"].verdict, found["beard_confidence"].verdict) == (Verdict.OK, Verdict.NOT_COMPARED)
    # One that was compared before is missed.
    before = ExpectedColumns(of_log=True, before={Check.MODEL: frozenset({"beard_confidence"})})
    missed = columns(BOTH, sure, before)["beard_confidence"]
    assert missed.verdict is Verdict.UNDECIDED
    assert (missed.reason or "").startswith("the reference has no such column, and the last check of record compared")
    assert columns(BOTH, BOTH, before)["beard_confidence"].verdict is Verdict.UNDECIDED


def test_a_data_column_that_was_compared_before() -> None:
    known, grown = single(width=yes_no(1, 500)), single(width=yes_no(1, 500), depth=yes_no(9, 500))
    before = ExpectedColumns(before={Check.DATA: frozenset({"width", "depth"})})
    assert columns(known, grown, NOTHING_EXPECTED, Check.DATA)["depth"].verdict is Verdict.NOT_COMPARED
    assert columns(known, grown, before, Check.DATA)["depth"].verdict is Verdict.UNDECIDED
    assert columns(known, known, before, Check.DATA)["depth"].verdict is Verdict.UNDECIDED
    left_out = replace(known, not_comparable={"depth": IGNORED})
    assert columns(left_out, left_out, before, Check.DATA)["depth"].verdict is Verdict.NOT_COMPARED


def test_an_accuracy_that_was_compared_before() -> None:
    labelled = with_accuracy(BOTH, [LabelledCount("beard", None, 90, 100)])
    assert columns(labelled, BOTH, LOG)["beard_accuracy"].verdict is Verdict.NOT_COMPARED
    before = ExpectedColumns(of_log=True, before={Check.MODEL: frozenset({"beard_accuracy"})})
    for sides in ((labelled, BOTH), (BOTH, BOTH)):
        found = columns(*sides, before)["beard_accuracy"]
        assert found.verdict is Verdict.UNDECIDED
        assert "facemon evaluate compares with true ones" in (found.reason or "")


NOSE = ("nose", "nose_confidence", "nose_value", "nose_accuracy")
NUMBER = AttributeConfig(name="nose", output="out", kind="number")
GONE = "no attribute of the configuration any more"


@pytest.mark.parametrize(
    ("attributes", "column", "reason"),
    [
        *(((binary("beard"),), name, GONE) for name in NOSE),
        ((binary("beard"), NUMBER), "nose", "the attribute nose has no label any more"),
        ((binary("beard"), NUMBER), "nose_confidence", "the attribute nose has no confidence any more"),
        ((binary("beard"), NUMBER), "nose_accuracy", "the attribute nose has no accuracy any more"),
        ((binary("beard"), binary("nose")), "nose_value", "the attribute nose has no value any more"),
    ],
)
@pytest.mark.parametrize("rows", [BEARD, single(beard=yes_no(100, 500), nose=yes_no(100, 500))])
def test_a_column_of_an_attribute_that_was_removed_or_changed_its_kind(
    attributes: Sequence[AttributeConfig], column: str, reason: str, rows: Sample
) -> None:
    due = ExpectedColumns(of_log=True, before={Check.MODEL: frozenset({"beard", *NOSE})})
    found = columns(rows, rows, due, attributes=attributes)
    way_out = "set a new reference with facemon reference set --since 24h"
    assert (found[column].verdict, found[column].reason) == (
        Verdict.UNDECIDED,
        f"{reason}, and the last check of record compared it; {way_out}",
    )
    assert (found[column].attribute, found["beard"].verdict) == ("nose", Verdict.OK)
    nothing = replace(due, before={})
    assert column not in columns(rows, rows, nothing, attributes=(binary("beard"),))
    left_out = replace(rows, not_comparable={"nose": IGNORED})
    assert columns(left_out, left_out, due, attributes=(binary("beard"),))["nose"].verdict is Verdict.NOT_COMPARED


def recorded(name: str, verdict: Verdict, score: float | None, **changes: object) -> DriftResult:
    column = ColumnResult(name, "categorical", verdict, score)
    outcome = CheckResult(verdict, 0.1, (column,))
    result = DriftResult(verdict, AT, Side(500, "normal"), DAY, {Check.DATA: outcome}, "m@1")
    return replace(result, **changes)  # type: ignore[arg-type]


def before(*history: DriftResult, reference: str = "normal", current: Side = DAY) -> frozenset[str]:
    return compared_before(history, model="m@1", reference=reference, current=current).get(Check.DATA, frozenset())


def test_what_counts_as_compared_before() -> None:
    drifted, listed = recorded("a", Verdict.DRIFT, 0.4), recorded("a", Verdict.NOT_COMPARED, None)
    assert before(drifted) == {"a"}
    assert before(listed, drifted) == frozenset()  # only the newest says
    assert before(replace(drifted, model="m@2"), listed) == frozenset()
    assert before(replace(drifted, source="hall"), listed) == frozenset()
    model_only = replace(drifted, checks={Check.MODEL: drifted.checks[Check.DATA]})
    assert before(model_only, drifted) == {"a"}
    assert before() == frozenset()


def test_what_was_undecided_stays_so_until_a_new_reference() -> None:
    undecided = recorded("a", Verdict.UNDECIDED, None)
    assert before(undecided) == {"a"}
    assert before(undecided, reference="newer") == frozenset()
    assert before(recorded("a", Verdict.OK, 0.0), reference="newer") == {"a"}


def test_a_table_follows_that_of_its_name() -> None:
    table = Side(500, "today.csv")
    checked = recorded("a", Verdict.OK, 0.0, current=table)
    assert before(checked) == frozenset()
    assert before(checked, current=Side(9, "today.csv")) == {"a"}
    assert before(checked, current=Side(9, "other.csv")) == frozenset()
    assert before(recorded("a", Verdict.OK, 0.0), current=table) == frozenset()
