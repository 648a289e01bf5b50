"""Which times of a run are told of, and in which words."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from facemon.domain.prediction import PredictedBatch, Undated
from facemon.predict.observed_times import ObservedTimes

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
DAY, MOMENT = timedelta(days=1), timedelta(microseconds=1)
KEPT = 90 * DAY
TIME = pa.timestamp("us", tz="UTC")
FALLBACK = "logged with the time of prediction"
REASONS = "2 have none, 2 have one that is not a date, 1 has one more than a day ahead of now"
OLD = "observed more than 90 days ago (store.retention_days), the oldest on"
RULE = "; store prune removes them 90 days after their prediction"


def batch(*ages: timedelta, undated: Sequence[Undated] = ()) -> PredictedBatch:
    """Rows that were observed so long before they were predicted."""
    observed, predicted = ([NOW - age for age in ages], [NOW for _ in ages])
    rows = pa.record_batch({"observed_at": pa.array(observed, TIME), "predicted_at": pa.array(predicted, TIME)})
    return PredictedBatch(rows, range(len(ages)), (), tuple(undated))


def said(times: ObservedTimes, images: int = 20) -> list[str]:
    return list(times.warnings(images, FALLBACK))


@pytest.mark.parametrize(
    ("undated", "text"),
    [
        ([], ""),
        ([Undated.MISSING], "1 of 20 images has no EXIF date"),
        ([Undated.MISSING] * 5, "5 of 20 images have no EXIF date"),
        ([Undated.AHEAD], "1 of 20 images has no usable EXIF date (1 has one more than a day ahead of now)"),
        ([*Undated, Undated.MISSING, Undated.INVALID], f"5 of 20 images have no usable EXIF date ({REASONS})"),
    ],
)
@pytest.mark.parametrize("kept", [KEPT, None])
def test_images_without_a_date(undated: list[Undated], text: str, kept: timedelta | None) -> None:
    times = ObservedTimes(kept)
    for each in undated:
        times = times.update(batch(timedelta(0), undated=[each]))
    assert said(times) == ([f"{text}: {FALLBACK}"] if text else [])


def test_rows_beyond_the_retention_and_rows_of_the_future() -> None:
    times = ObservedTimes(KEPT).update(batch(KEPT, -DAY, timedelta(0), DAY))
    assert said(times) == []
    times = times.update(batch(KEPT + MOMENT, -DAY - MOMENT))
    assert said(times) == [
        f"1 row was {OLD} 2026-08-30{RULE}",
        "1 row was dated more than a day ahead of now; no drift check sees them before that time",
    ]
    times = times.update(batch(4 * KEPT, 2 * KEPT, -2 * DAY)).update(batch(KEPT * 3))
    old, ahead = said(times)
    assert old == f"4 rows were {OLD} 2025-12-03{RULE}"
    assert ahead.startswith("2 rows were dated")


def test_what_is_not_logged_outlives_no_retention() -> None:
    assert said(ObservedTimes().update(batch(4 * KEPT, -2 * DAY))) == []
