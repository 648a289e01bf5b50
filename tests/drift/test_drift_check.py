from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from facemon.config.drift import DriftConfig
from facemon.domain.drift_result import (
    Check,
    CheckResult,
    DriftResult,
    Side,
    Verdict,
    from_document,
    to_document,
)
from facemon.drift.drift_check import EVIDENTLY_NOTE, LABELS_NOTE, join_evidently, run_checks
from facemon.drift.multiplicity import adjusted
from facemon.drift.sample import Sample
from facemon.drift.source_verdicts import NO_HOURS_NOTE
from tests.drift.worlds import binary, profile, single, yes_no

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
    assert (result.verdict, list(result.checks), result.notes) == (Verdict.OK, [Check.MODEL], (NO_HOURS_NOTE,))


def test_a_reference_of_labels_says_what_it_means() -> None:
    assert checked(kind="labels").notes == (LABELS_NOTE, NO_HOURS_NOTE)


def test_evidently_decides_only_when_it_is_named() -> None:
    beside = join_evidently(checked(), EVIDENTLY, decides=False)
    assert (beside.verdict, beside.checks[Check.EVIDENTLY], beside.notes) == (
        Verdict.OK,
        EVIDENTLY,
        (NO_HOURS_NOTE, EVIDENTLY_NOTE),
    )
    assert join_evidently(checked(), EVIDENTLY, decides=True).verdict is Verdict.DRIFT


def test_the_json_reads_back() -> None:
    result = checked(current_yes=300)
    assert result.verdict is Verdict.DRIFT
    assert from_document(to_document(result)) == result


def seen_by(cameras: Mapping[str | None, int]) -> Sample:
    return Sample.of_sources({name: profile({"beard": yes_no(yes, 500)}) for name, yes in cameras.items()})


def by_source(now: Mapping[str | None, int]) -> DriftResult:
    return run_checks(
        seen_by({f"c{number}": 150 for number in range(8)}),
        seen_by(now),
        checks=[Check.MODEL],
        attributes=[binary("beard")],
        settings=DriftConfig(),
        at=AT,
        reference_side=Side(0),
        current_side=Side(0),
        by_source=True,
    )


def test_one_source_that_drifts_is_found_among_quiet_ones() -> None:
    result = by_source({**{f"c{number}": 150 for number in range(7)}, "c7": 260})
    assert result.checks[Check.MODEL].verdict is not Verdict.DRIFT  # the whole moved by 2.75 points
    assert [each.source for each in result.sources] == [f"c{number}" for number in range(8)]
    assert [each.verdict for each in result.sources] == [Verdict.OK] * 7 + [Verdict.DRIFT]
    assert result.verdict is Verdict.DRIFT
    assert from_document(to_document(result)) == result


def test_sources_are_corrected_over_all_of_them_and_for_the_whole() -> None:
    result = by_source({f"c{number}": 150 + 6 * number for number in range(8)})
    columns = [each.checks[Check.MODEL].columns[0] for each in result.sources]
    whole = result.checks[Check.MODEL].columns[0]
    assert whole.p_adjusted == pytest.approx(2 * (whole.p_value or 0))
    p_values = [column.p_value or 0.0 for column in columns]
    expected = [min(1.0, 2 * p_value) for p_value in adjusted(p_values)]
    assert [column.p_adjusted for column in columns] == pytest.approx(expected)


def test_a_source_of_one_side_only_is_unknown() -> None:
    result = by_source({**{f"c{number}": 150 for number in range(7)}, "new": 150, None: 150})
    found = {each.source: (each.verdict, each.reference_rows, each.current_rows) for each in result.sources}
    assert found["c7"] == (Verdict.UNDECIDED, 500, 0)
    assert found["new"] == (Verdict.UNDECIDED, 0, 500)
    assert found[None] == (Verdict.UNDECIDED, 0, 500)
    # The whole is fine, and they hold less than half of the rows.
    assert result.verdict is Verdict.OK
    silent = {each.source for each in result.sources if each.is_silent}
    assert silent == {"c7"}
    sides = ("Only the reference has rows of c7.", "Only the current data has rows of new.")
    assert result.notes == (*sides, NO_HOURS_NOTE)


def test_sources_without_a_verdict_that_hold_half_of_the_rows_leave_all_undecided() -> None:
    result = by_source({f"c{number}": 150 for number in range(4)})
    assert result.checks[Check.MODEL].verdict is Verdict.OK
    assert result.verdict is Verdict.UNDECIDED
