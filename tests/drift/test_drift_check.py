from datetime import UTC, datetime

from facemon.config.drift import DriftConfig
from facemon.drift.drift_check import EVIDENTLY_NOTE, LABELS_NOTE, run_checks
from facemon.values.drift_result import (
    Check,
    CheckResult,
    DriftResult,
    Side,
    Verdict,
    from_document,
    to_document,
)
from tests.drift.worlds import binary, single, yes_no

AT = datetime(2026, 11, 23, 2, tzinfo=UTC)
EVIDENTLY = CheckResult(Verdict.DRIFT, 0.5, ())


def checked(current_yes: int = 150, **options: object) -> DriftResult:
    return run_checks(
        single(beard=yes_no(150, 500)),
        single(beard=yes_no(current_yes, 500)),
        checks=[Check.MODEL],
        attributes=[binary("beard")],
        settings=DriftConfig(),
        at=AT,
        reference_side=Side(0, name="day one", kind=str(options.pop("kind", "predictions"))),
        current_side=Side(0),
        **options,  # type: ignore[arg-type]
    )


def test_the_rows_come_from_the_samples() -> None:
    result = checked()
    assert (result.reference, result.current.rows) == (Side(500, "day one", "predictions"), 500)
    assert (result.verdict, list(result.checks), result.notes) == (Verdict.OK, [Check.MODEL], ())


def test_a_reference_of_labels_says_what_it_means() -> None:
    assert checked(kind="labels").notes == (LABELS_NOTE,)


def test_evidently_decides_only_when_it_is_named() -> None:
    beside = checked(evidently=EVIDENTLY)
    assert (beside.verdict, beside.checks[Check.EVIDENTLY], beside.notes) == (Verdict.OK, EVIDENTLY, (EVIDENTLY_NOTE,))
    assert checked(evidently=EVIDENTLY, evidently_decides=True).verdict is Verdict.DRIFT


def test_the_json_reads_back() -> None:
    result = checked(current_yes=300)
    assert result.verdict is Verdict.DRIFT
    assert from_document(to_document(result)) == result
