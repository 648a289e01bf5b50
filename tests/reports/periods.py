"""Reports of a period as values: a plain one, and one of as many sources, columns and checks as a page may have."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from facemon.domain.column_shape import ColumnShape
from facemon.domain.drift_result import Check, CheckResult, ColumnResult, DriftResult, Side, SourceResult, Verdict
from facemon.domain.period_report import (
    Accuracy,
    Beside,
    ColumnBeside,
    Mark,
    MarkKind,
    Origin,
    PeriodReport,
    Thumbnail,
    Volume,
)
from tests.reports.results import NASTY

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
END = BEGIN + 30 * DAY
SHAPE = ColumnShape(("female", "male"), (0.5, 0.5), (0.25, 0.75), is_ordered=False)
RANGES = ColumnShape(
    ("missing", "below 2", "from 2"), (0.1, 0.4, 0.5), (0.0, 0.5, 0.5), is_ordered=True, cuts=(1.0, 2.0)
)


def check(at: datetime, verdict: Verdict, columns: int = 1, score: float = 0.02) -> DriftResult:
    found = tuple(
        ColumnResult(
            f"column {at_}", "categorical" if at_ % 2 else "number", verdict, score, 0.5, 0.5, 900, 300, threshold=0.1,
            window="24h", reason="too few rows" if verdict is Verdict.UNDECIDED else None,
        )
        for at_ in range(columns)
    )  # fmt: skip
    silent = SourceResult("yard", Verdict.OK, 300, 0, {}, last_seen=at - 2 * DAY)
    current = Side(300, since=at - DAY, until=at)
    checks = {Check.DATA: CheckResult(verdict, 0.1, found)}
    return DriftResult(verdict, at, Side(900, "normal"), current, checks, model="small@1", sources=(silent,))


def volumes(sources: int, days: int) -> Iterator[Volume]:
    for day in range(days):
        for source in range(sources):
            name = None if source == 0 else f"camera {source}"
            yield Volume((BEGIN + day * DAY).date(), name, 100, 95, 1, 5)


VERDICTS = (Verdict.UNDECIDED, Verdict.OK, Verdict.DRIFT)
REPORT = PeriodReport(
    since=BEGIN,
    until=END,
    made_at=END,
    version="1",
    model="small@1",
    source=None,
    window=DAY,
    volumes=tuple(volumes(3, 30)),
    marks=(Mark(BEGIN + 3 * DAY, MarkKind.REFERENCE, "normal", "after the new lens"),),
    beside=Beside(
        "normal",
        END - DAY,
        END,
        (
            ColumnBeside("gender", "gender", "The label.", "face", SHAPE, 900, 300),
            ColumnBeside("image_size", "megapixels", "Megapixels.", "image", RANGES, 900, 300),
            ColumnBeside("image_contrast", "luma", "", "image", None, 900, 0),
        ),
    ),
    checks=tuple(check(BEGIN + (5 + at) * DAY, verdict) for at, verdict in enumerate(VERDICTS)),
    accuracy=(Accuracy(BEGIN + 9 * DAY, "gender", 90, 100, (0.83, 0.94)),),
    late_rows=7,
    plan=None,
    origin=Origin({"hourly profiles": 720}, "0" * 64),
)
NASTY_REPORT = replace(
    REPORT,
    model=NASTY,
    source=NASTY,
    volumes=(Volume(BEGIN.date(), NASTY, 1, 1, 0, 0),),
    marks=(Mark(BEGIN, MarkKind.REFERENCE, NASTY, NASTY),),
    beside=Beside(
        NASTY,
        END - DAY,
        END,
        (ColumnBeside(NASTY, NASTY, NASTY, "face", ColumnShape((NASTY,), (1.0,), (1.0,), is_ordered=False), 1, 1),),
    ),
    checks=(replace(check(BEGIN, Verdict.DRIFT), notes=(NASTY,), reference=Side(1, NASTY)),),
    accuracy=(Accuracy(BEGIN, NASTY, 1, 1, (0.2, 1.0)),),
    thumbnails=(Thumbnail(NASTY, NASTY, NASTY, BEGIN, NASTY, b"\xff", NASTY),),
)
LARGE_REPORT = replace(
    REPORT,
    volumes=tuple(volumes(64, 30)),
    checks=tuple(
        check(BEGIN + hour * timedelta(hours=1), VERDICTS[hour // 7 % 3], columns=64, score=hour / 9_000)
        for hour in range(720)
    ),
    beside=replace(REPORT.beside, columns=64 * REPORT.beside.columns[:1]),
)
