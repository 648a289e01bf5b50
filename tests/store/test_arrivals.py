"""Rows that were logged too late for the check that should have seen them."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pyarrow as pa
import pytest

from facemon.domain.prediction import PredictedBatch
from facemon.domain.times import hour_of
from facemon.store.arrivals import Arrivals
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.live_writer import LiveWriter
from facemon.store.retention import prune
from facemon.store.retry import RetryWriter, failed_inputs, reopen_run
from facemon.store.segment_files import read_segment
from tests.store.log_rows import IDENTITY, MODEL, NOON, SCHEMA, log_images, make_batch
from tests.store.sql import sql

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SINCE = NOON + 20 * timedelta(minutes=1)
"""A window's start that cuts the hour from noon on."""
Counted = list[tuple[int, int, int]]


def counted(ledger: Ledger, model: str = MODEL) -> Counted:
    """Hours from noon, and their numbers of rows."""
    query = "SELECT hour, logged, checked FROM arrivals WHERE model = ? ORDER BY hour"
    return [(hour - hour_of(NOON), *rest) for hour, *rest in sql(ledger).execute(query, (model,))]


def check(ledger: Ledger, since: datetime = SINCE, model: str = MODEL) -> int:
    """What a check of record tells and enters."""
    with ledger.reading():
        arrivals = ledger.arrivals.read(model)
    with ledger.writing():
        ledger.arrivals.mark_checked(arrivals)
    return arrivals.late_rows(since)


def test_rows_before_the_window_are_late_once(ledger: Ledger) -> None:
    log_images(ledger, 10, observed=NOON - 5 * HOUR)
    assert check(ledger) == 0  # the first check: nothing is late since a last one
    log_images(ledger, 20, observed=NOON - 5 * HOUR)
    log_images(ledger, 30, observed=NOON - HOUR)
    log_images(ledger, 40, observed=NOON)  # in the hour that the window's start cuts
    log_images(ledger, 50, observed=NOON + HOUR)
    assert counted(ledger) == [(-5, 33, 11), (-1, 33, 0), (0, 44, 0), (1, 55, 0)]
    assert check(ledger) == 22 + 33
    assert check(ledger) == 0
    log_images(ledger, 10, observed=NOON)
    assert check(ledger, NOON) == 0
    log_images(ledger, 10, observed=NOON)
    assert check(ledger, NOON + HOUR - timedelta(microseconds=1)) == 0
    log_images(ledger, 10, observed=NOON)
    assert check(ledger, NOON + HOUR) == 11


def test_each_model_has_checks_of_its_own(ledger: Ledger) -> None:
    with ledger.writing():
        sql(ledger).executemany("INSERT INTO arrivals VALUES (?, ?, 5, ?)", [("a", 0, 2), ("b", 0, 1), ("c", 0, 0)])
    assert check(ledger, model="a") == 3
    assert check(ledger, model="b") == 4
    assert check(ledger, model="c") == 0
    assert check(ledger, model="unknown") == 0


def test_rows_that_come_while_a_check_reads_are_late_for_the_next(ledger: Ledger) -> None:
    log_images(ledger, 10)
    check(ledger)
    log_images(ledger, 10, observed=NOON - HOUR)
    with ledger.reading():
        arrivals = ledger.arrivals.read(MODEL)
    for hours in (1, 2):
        log_images(ledger, 20, observed=NOON - hours * HOUR)
    with ledger.writing():
        ledger.arrivals.mark_checked(arrivals)
    assert arrivals.late_rows(SINCE) == 11
    assert check(ledger) == 44


def test_a_check_never_knows_more_rows_than_there_are(ledger: Ledger) -> None:
    log_images(ledger, 20, observed=NOON - HOUR)
    with ledger.reading():
        arrivals = ledger.arrivals.read(MODEL)
    retry(ledger, observed=NOON - 7 * HOUR)
    with ledger.writing():
        ledger.arrivals.mark_checked(arrivals)
    assert counted(ledger) == [(-7, 2, 0), (-1, 20, 20)]


def test_a_result_that_is_not_entered_marks_nothing(ledger: Ledger) -> None:
    log_images(ledger, 10)
    check(ledger)
    log_images(ledger, 10, observed=NOON - HOUR)

    def fail_in_the_end() -> None:
        with ledger.writing():
            ledger.arrivals.mark_checked(ledger.arrivals.read(MODEL))
            raise KeyError

    with pytest.raises(KeyError):
        fail_in_the_end()
    assert check(ledger) == 11


def test_what_the_api_logs_is_counted_once(ledger: Ledger) -> None:
    with LiveWriter(partial(open_ledger, ledger.folder), IDENTITY, print) as writer:
        for first in (0, 10, 20):
            writer.write([make_batch(first, 10, run="")], {})
    assert counted(ledger) == [(0, 33, 0)]


def retry(ledger: Ledger, *, observed: datetime | None, faces: int = 1) -> None:
    """Predict all failed inputs of the newest run again; their time is the old one, or another that could be read."""
    run = reopen_run(ledger, IDENTITY)
    assert run is not None
    with run:
        old = failed_inputs(ledger, run, MODEL)
        rows = [
            {"run": run.id, "ordinal": ordinal, "image": "i", "model": MODEL, "origin": "batch", "face": face,
             "observed_at": observed or datetime.fromtimestamp(micros / 1e6, UTC), "predicted_at": NOON + DAY}
            for ordinal, micros in old.items() for face in range(faces)
        ]  # fmt: skip
        writer = RetryWriter(ledger, run, MODEL)
        writer.add(PredictedBatch(pa.RecordBatch.from_pylist(rows, SCHEMA), tuple(old), ()))
        writer.close()


@pytest.mark.parametrize("is_checked", [True, False])
def test_an_image_that_is_predicted_again_has_not_arrived_again(ledger: Ledger, is_checked: bool) -> None:
    log_images(ledger, 10, observed=NOON - 9 * HOUR)
    if is_checked:
        check(ledger)
    log_images(ledger, 20, observed=NOON - HOUR)
    check(ledger)
    retry(ledger, observed=None)
    assert counted(ledger)[1:] == [(-1, 22, 22)]
    assert check(ledger) == 0


def test_only_more_faces_than_the_failed_row_are_late(ledger: Ledger) -> None:
    log_images(ledger, 20, observed=NOON - HOUR)
    check(ledger)
    retry(ledger, observed=None, faces=3)
    assert counted(ledger) == [(-1, 26, 22)]
    assert check(ledger) == 4


@pytest.mark.parametrize("is_checked", [True, False])
def test_a_date_that_could_be_read_moves_the_rows(ledger: Ledger, is_checked: bool) -> None:
    log_images(ledger, 20, observed=NOON)
    if is_checked:
        check(ledger)
    retry(ledger, observed=NOON - 7 * HOUR)
    assert counted(ledger) == ([(-7, 2, 0), (0, 20, 20)] if is_checked else [(-7, 2, 0), (0, 20, 0)])
    assert check(ledger) == (2 if is_checked else 0)


def test_rows_of_an_upgraded_store_were_not_counted(ledger: Ledger) -> None:
    log_images(ledger, 20, observed=NOON - HOUR)
    with ledger.writing():
        sql(ledger).execute("DELETE FROM arrivals")
    assert ledger.arrivals.read(MODEL) == Arrivals(MODEL, {}, is_first=True)
    retry(ledger, observed=NOON - 7 * HOUR)
    assert counted(ledger) == [(-7, 2, 0)]
    assert prune(ledger, NOON).rows == 20
    with ledger.writing():
        ledger.arrivals.replace({(MODEL, 1): 5}, {})
    assert counted(ledger) == [(-7, 2, 0)]


def test_old_hours_are_forgotten_and_late_rows_are_not(ledger: Ledger) -> None:
    """The night's pruning may come before the check that is to tell of a backfill."""
    for age in range(5):
        log_images(ledger, 10, observed=NOON - age * DAY)
    check(ledger)
    log_images(ledger, 10, observed=NOON - 4 * DAY, predicted=NOON)
    assert prune(ledger, NOON - DAY).rows == 33
    assert counted(ledger) == [(-4 * 24, 22, 11), (-24, 11, 11), (0, 11, 11)]
    assert check(ledger) == 11
    assert prune(ledger, NOON + timedelta(microseconds=1)).rows == 33
    # What is left tells that there was a check.
    assert counted(ledger) == [(0, 11, 11)]
    prune(ledger, NOON + DAY)
    assert counted(ledger) == [(0, 11, 11)]
    log_images(ledger, 10, observed=NOON - HOUR)
    assert check(ledger) == 11


def test_a_model_that_nobody_checks_takes_no_more_hours_than_its_rows(ledger: Ledger) -> None:
    for age in range(5):
        log_images(ledger, 10, observed=NOON - age * DAY)
    prune(ledger, NOON - 2 * DAY)
    assert [hour // 24 for hour, *_ in counted(ledger)] == [-2, -1, 0]
    with ledger.writing():
        sql(ledger).execute("DELETE FROM segments")
        ledger.arrivals.prune(NOON + HOUR)
    assert counted(ledger) == []


def test_a_day_takes_24_entries_however_much_is_logged(ledger: Ledger) -> None:
    for minute in range(0, 1440, 20):
        log_images(ledger, 3, observed=NOON + minute * timedelta(minutes=1))
    assert len(counted(ledger)) == 24
    rows = sum(read_segment(ledger, segment).num_rows for segment in ledger.segments.within())
    assert sum(logged for _, logged, _ in counted(ledger)) == rows
