"""A drift result with a column of each verdict, sources, and names that every format has to escape."""

from dataclasses import replace
from datetime import UTC, datetime

from facemon.domain.column_shape import ColumnShape
from facemon.domain.drift_result import (
    Check,
    CheckResult,
    ColumnResult,
    DriftResult,
    Side,
    SourceResult,
    Verdict,
)

NASTY = 'a|b <x> & "q"\n::error::50%,\x1b[31m'
GENDER = ColumnResult("gender", "categorical", Verdict.DRIFT, 0.121, 1e-9, 2e-9, 10_000, 812, threshold=0.05)
AGE = ColumnResult("age", "categorical", Verdict.UNDECIDED, n_current=120, reason="120 rows, fewer than min_rows 200")
SIZE = ColumnResult("image_size", "number", Verdict.OK, 0.02, 0.5, 0.5, 10_000, 812, threshold=0.1)
NAME = ColumnResult("filename", "categorical", Verdict.NOT_COMPARED, reason="it names single rows (an identifier)")

DATA = CheckResult(Verdict.OK, 0.1, (SIZE, NAME))
MODEL = CheckResult(Verdict.DRIFT, 0.05, (AGE, GENDER))
EVIDENTLY = CheckResult(
    Verdict.DRIFT,
    0.5,
    (ColumnResult("gender", "categorical", Verdict.DRIFT, 0.3, method="jensenshannon", threshold=0.1),),
)
RESULT = DriftResult(
    Verdict.DRIFT,
    datetime(2026, 11, 23, 2, tzinfo=UTC),
    Side(10_000, "day one", "predictions"),
    Side(812, since=datetime(2026, 11, 22, 2, tzinfo=UTC), until=datetime(2026, 11, 23, 2, tzinfo=UTC)),
    {Check.DATA: DATA, Check.MODEL: MODEL},
    model="age-gender@1",
    notes=("Mind this.",),
)
BY_SOURCE = replace(
    RESULT,
    sources=(
        SourceResult(None, Verdict.OK, 5_000, 400, {Check.DATA: DATA}),
        SourceResult("cam 1", Verdict.DRIFT, 5_000, 412, {Check.DATA: DATA, Check.MODEL: MODEL}),
    ),
)
NASTY_RESULT = replace(
    RESULT,
    reference=Side(10_000, NASTY, "predictions"),
    checks={Check.MODEL: CheckResult(Verdict.DRIFT, 0.05, (replace(GENDER, column=NASTY, reason=NASTY),))},
    sources=(SourceResult(NASTY, Verdict.DRIFT, 5_000, 412, {Check.MODEL: MODEL}),),
)
NOTHING_DECIDED = replace(
    RESULT, verdict=Verdict.UNDECIDED, checks={Check.DATA: CheckResult(Verdict.UNDECIDED, 0.1, (NAME,))}
)
SHAPES = {
    (Check.MODEL, "gender"): ColumnShape(("female", "<male>"), (0.5, 0.5), (0.25, 0.75), is_ordered=False),
    (Check.DATA, "image_size"): ColumnShape(("0 to 1", "1 to 2"), (0.0, 1.0), (0.0, 0.0), is_ordered=True),
}
