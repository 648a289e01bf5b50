from datetime import UTC, datetime

from facemon.reports.text_report import HEADINGS, text_report
from facemon.values.drift_result import Check, CheckResult, ColumnResult, DriftResult, Side, Verdict

RESULT = DriftResult(
    Verdict.DRIFT,
    datetime(2026, 11, 23, 2, tzinfo=UTC),
    Side(10_000, "day one"),
    Side(812, since=datetime(2026, 11, 22, 2, tzinfo=UTC), until=datetime(2026, 11, 23, 2, tzinfo=UTC)),
    {
        Check.DATA: CheckResult(
            Verdict.OK,
            0.1,
            (ColumnResult("image_size", "number", Verdict.OK, 0.02, 0.5, 0.5, 10_000, 812, threshold=0.1),),
        ),
        Check.MODEL: CheckResult(
            Verdict.DRIFT,
            0.05,
            (
                ColumnResult("age", "categorical", Verdict.UNDECIDED, reason="120 rows, fewer than min_rows 200"),
                ColumnResult("gender", "categorical", Verdict.DRIFT, 0.121, 1e-9, 2e-9, 10_000, 812, threshold=0.05),
            ),
        ),
    },
    notes=("Mind this.",),
)  # fmt: skip


def test_drift_comes_first_and_labels_in_points() -> None:
    report = text_report(RESULT)
    assert report.rows == (
        ("model", "gender", "drift", "12.1 pts", "5.0 pts", "2e-09", "10,000 / 812", ""),
        ("model", "age", "undecided", "", "", "", "0 / 0", "120 rows, fewer than min_rows 200"),
        ("data", "image_size", "ok", "0.020", "0.100", "0.500", "10,000 / 812", ""),
    )
    assert all(len(row) == len(HEADINGS) for row in report.rows)
    assert report.summary == (
        "Drift. Current: 812 rows from 2026-11-22 02:00 to 2026-11-23 02:00, reference day one: 10,000 rows.",
        "data: ok (1 ok)",
        "model: drift (1 drifted, 1 undecided)",
    )
    assert report.notes == ("Mind this.",)


def test_the_quiet_columns_may_be_left_out() -> None:
    assert [row[1] for row in text_report(RESULT, with_ok=False).rows] == ["gender", "age"]
