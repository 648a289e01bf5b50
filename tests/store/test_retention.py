from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facemon.domain.prediction import PredictedBatch
from facemon.domain.times import hour_of, micros
from facemon.errors import LockedError
from facemon.store import segment_writer
from facemon.store.compaction import compact
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.process_lock import ProcessLock
from facemon.store.retention import Pruning, prune
from facemon.store.retry import RetryWriter, failed_inputs, reopen_run
from facemon.store.segment_files import read_segment
from facemon.store.totals import differences, sum_totals
from facemon.store.verification import verify
from tests.store import children
from tests.store.kept_stores import KeptStore
from tests.store.log_rows import IDENTITY, MODEL, NOON, SCHEMA, log_images
from tests.store.oracles import Row, log_rows
from tests.store.sql import sql

DAY = timedelta(days=1)
MIDNIGHT = NOON + timedelta(hours=12)
RETENTION, WINDOW = 90 * DAY, 1 * DAY
MOST_BEYOND = 8 * DAY
"""A row may stay with the others of its file: one date of observation, and one week of prediction."""


@pytest.mark.parametrize("is_compacted", [False, True])
def test_old_rows_go_and_the_totals_stay(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, is_compacted: bool) -> None:
    monkeypatch.setattr(segment_writer, "SEGMENT_ROWS", 30)
    monkeypatch.setattr(segment_writer, "INLINE_ROWS", 30)
    log_images(ledger, 200, batch=10, spread=timedelta(hours=480), sources=("a", None))
    totals = ledger.totals.read()
    midnight = NOON + timedelta(hours=12)
    if is_compacted:
        compact(ledger, NOON + timedelta(days=30))
    old = [row for row in log_rows(ledger) if row["observed_at"] < midnight]
    assert prune(ledger, midnight).rows == len(old) > 0
    assert {row["observed_at"] >= midnight for row in log_rows(ledger)} == {True}
    assert ledger.totals.read() == totals
    assert verify(ledger).problems == ()
    assert prune(ledger, midnight) == Pruning(0, 0)
    prune(ledger, NOON + timedelta(days=30))
    assert log_rows(ledger) == []
    assert ledger.profiles.all() == {}
    departed = ledger.totals.departed()
    latencies = {key: v for key, v in totals.items() if key.metric == "model_inference_latency_seconds"}
    assert differences(sum_totals(departed, latencies), totals) == []
    assert verify(ledger).problems == ()


def test_a_segment_that_reaches_beyond_stays_whole(ledger: Ledger) -> None:
    log_images(ledger, 100, spread=timedelta(hours=10))
    assert prune(ledger, NOON + timedelta(minutes=30)) == Pruning(0, 0)
    last = max(row["observed_at"] for row in log_rows(ledger))
    assert prune(ledger, last) == Pruning(0, 0)
    assert prune(ledger, last + timedelta(microseconds=1)) == Pruning(1, 110)


@pytest.mark.parametrize("is_compacted", [False, True])
@pytest.mark.parametrize("is_upgraded", [False, True])
def test_a_backfill_stays_as_long_as_what_was_observed_today(
    ledger: Ledger, is_compacted: bool, is_upgraded: bool
) -> None:
    """Old photographs that were predicted a moment ago were once removed by the next night's pruning."""
    log_images(ledger, 50, observed=NOON)
    log_images(ledger, 30, observed=NOON, predicted=NOON + 200 * DAY)
    if is_compacted:
        compact(ledger, NOON + 201 * DAY)
    if is_upgraded:
        forget_predictions(ledger)
    after_prediction = NOON + 200 * DAY
    assert prune(ledger, after_prediction) == Pruning(1, 55)
    (kept,) = ledger.segments.within()
    # Read once, then known.
    assert kept.last_predicted == micros(after_prediction)
    assert prune(ledger, after_prediction) == Pruning(0, 0)
    assert prune(ledger, after_prediction + timedelta(microseconds=1)) == Pruning(1, 33)
    assert verify(ledger).problems == ()


def test_late_rows_do_not_keep_all_rows_of_their_date(ledger: Ledger) -> None:
    """However often a date is folded anew, its files hold one week of predictions each."""
    for day in range(40):
        for hour in (0, 23):
            at, predicted = MIDNIGHT + timedelta(hours=hour), MIDNIGHT + day * DAY + timedelta(hours=12)
            log_images(ledger, 3, observed=at, predicted=predicted)
        compact(ledger, MIDNIGHT + (day + 1) * DAY)
    for segment in ledger.segments.within():
        predicted_at = read_segment(ledger, segment)["predicted_at"].to_pylist()
        assert max(predicted_at) - min(predicted_at) < 7 * DAY
    assert len(ledger.segments.within()) == 6


def test_one_retention_at_a_time(ledger: Ledger) -> None:
    with ProcessLock.for_command(ledger.folder, "prune"), pytest.raises(LockedError, match="another facemon prune"):
        prune(ledger, NOON)


@pytest.mark.slow
@pytest.mark.long_proof
def test_a_retention_that_dies_at_any_step_is_done_by_the_next(tmp_path: Path, at_length: bool) -> None:
    assert children.crash_everywhere("remove", tmp_path, at_length=at_length) >= 10


def forget_predictions(ledger: Ledger) -> None:
    """Leave the segments as the upgrade of an older store leaves them."""
    with ledger.writing():
        sql(ledger).execute("UPDATE segments SET last_predicted = NULL")


class Life:
    """A store that is used for months, beside an independent account of its rows."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.now = NOON
        self.checked: set[tuple[str, int, int]] | None = None
        """The rows of the log when a check of record last looked, by run, ordinal and hour."""
        self.was_upgraded = False

    def log(self, images: int, age: timedelta, spread: timedelta) -> None:
        log_images(self.ledger, images, observed=self.now - age, spread=spread, predicted=self.now)

    def fold(self) -> None:
        compact(self.ledger, self.now)

    def upgrade(self) -> None:
        forget_predictions(self.ledger)
        self.was_upgraded = True

    def retry(self) -> None:
        run = reopen_run(self.ledger, IDENTITY)
        if run is None:
            return
        with run:
            failed = failed_inputs(self.ledger, run, MODEL)
            rows = [
                {"run": run.id, "ordinal": ordinal, "image": f"{ordinal:06}.jpg", "predicted_at": self.now, "face": 0,
                 "observed_at": datetime.fromtimestamp(0, NOON.tzinfo) + timedelta(microseconds=observed),
                 "model": MODEL, "origin": "batch", "gender": "male"}
                for ordinal, observed in list(failed.items())[:2]
            ]  # fmt: skip
            writer = RetryWriter(self.ledger, run, MODEL)
            if rows:
                ordinals = tuple(list(failed)[:2])
                writer.add(PredictedBatch(pa.RecordBatch.from_pylist(rows, SCHEMA), ordinals, ()))
            writer.close()

    def check(self) -> None:
        with self.ledger.reading():
            arrivals = self.ledger.arrivals.read(MODEL)
            rows = {(row["run"], row["ordinal"], hour_of(row["observed_at"])) for row in log_rows(self.ledger)}
        since = self.now - WINDOW
        late = 0
        if self.checked is not None:
            new = [row for row in log_rows(self.ledger) if identity(row) not in self.checked]
            late = sum(hour_of(row["observed_at"]) < hour_of(since) for row in new)
        assert arrivals.late_rows(since) == late
        with self.ledger.writing():
            self.ledger.arrivals.mark_checked(arrivals)
        if rows or self.checked is not None:
            self.checked = rows

    def night(self) -> None:
        """Check, then prune: what goes must have been old by both of its times."""
        self.check()
        before = self.now - RETENTION
        rows = log_rows(self.ledger)
        pruned = prune(self.ledger, before)
        left = {face_of(row): row for row in log_rows(self.ledger)}
        gone = [row for row in rows if face_of(row) not in left]
        assert pruned.rows == len(gone)
        assert all(later_of(row) < before for row in gone)
        if not self.was_upgraded:
            assert all(later_of(row) >= before - MOST_BEYOND for row in left.values())
        assert verify(self.ledger).problems == ()


def identity(row: Row) -> tuple[str, int, int]:
    return row["run"], row["ordinal"], hour_of(row["observed_at"])


def face_of(row: Row) -> tuple[str, int, int | None]:
    return row["run"], row["ordinal"], row["face"]


def later_of(row: Row) -> datetime:
    time: datetime = max(row["observed_at"], row["predicted_at"])
    return time


@contextmanager
def _small_segments() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segment_writer, "SEGMENT_ROWS", 12)
        patch.setattr(segment_writer, "INLINE_ROWS", 8)
        yield


ages = st.one_of(st.just(timedelta(0)), st.integers(0, 220 * 24).map(lambda hours: timedelta(hours=hours)))
steps = st.one_of(
    st.tuples(st.just("log"), st.integers(1, 25), ages, st.sampled_from([timedelta(0), timedelta(hours=400)])),
    st.tuples(st.sampled_from(["fold", "retry", "night", "night", "check"])),
    st.tuples(st.just("upgrade")),
)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(life=st.lists(st.tuples(st.integers(0, 45 * 24), steps), min_size=3, max_size=14))
def test_no_row_goes_before_its_time(life: list[tuple[int, tuple[object, ...]]]) -> None:
    """Whatever is logged, folded, retried and upgraded in between; and late rows are those that a count finds."""
    with _small_segments(), TemporaryDirectory() as folder, open_ledger(Path(folder), create=True) as ledger:
        lived = Life(ledger)
        for hours, (name, *arguments) in life:
            lived.now += timedelta(hours=hours)
            getattr(lived, str(name))(*arguments)
        lived.night()


def test_rows_of_an_older_version_go_when_both_of_their_times_are_past(kept_store: KeptStore) -> None:
    with open_ledger(kept_store.store) as ledger:
        times = sorted({later_of(row) for row in log_rows(ledger)})
        for before in (times[0], times[len(times) // 2], times[-1]):
            young = {face_of(row) for row in log_rows(ledger) if later_of(row) >= before}
            prune(ledger, before)
            assert young <= {face_of(row) for row in log_rows(ledger)}
        assert prune(ledger, times[-1] + timedelta(microseconds=1)).rows > 0
        assert log_rows(ledger) == []
        assert verify(ledger).problems == ()
