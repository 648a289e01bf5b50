import time
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from facemon.config.model import AttributeConfig
from facemon.domain.prediction import PredictedBatch, log_schema
from facemon.errors import LockedError
from facemon.store import compaction, segment_writer
from facemon.store.compaction import Compaction, compact
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.process_lock import ProcessLock
from facemon.store.recovery import recover
from facemon.store.retention import prune
from facemon.store.runs import begin_run
from facemon.store.segment import Segment
from facemon.store.segment_writer import SegmentWriter
from facemon.store.verification import verify
from tests.store import children
from tests.store.log_rows import ATTRIBUTES, IDENTITY, MODEL, NOON, log_images, make_batch
from tests.store.oracles import Row, log_rows
from tests.store.sql import sql
from tests.store.test_recovery import leave_behind

LATER = NOON + timedelta(days=30)


def in_order(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row["run"], row["ordinal"], row["face"] or 0))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of 30 rows and more, smaller ones inline."""
    monkeypatch.setattr(segment_writer, "SEGMENT_ROWS", 30)
    monkeypatch.setattr(segment_writer, "INLINE_ROWS", 30)


@pytest.mark.usefixtures("small")
def test_each_date_becomes_one_file_and_nothing_else_changes(ledger: Ledger) -> None:
    log_images(ledger, 200, batch=10, spread=timedelta(hours=160), sources=("a", None))
    rows, totals, profiles = log_rows(ledger), ledger.totals.read(), ledger.profiles.all()
    before = ledger.segments.within()
    assert {segment.path is None for segment in before} == {True, False}
    assert compact(ledger, LATER) == Compaction(len(before), 2, 220)
    assert in_order(log_rows(ledger)) == in_order(rows)
    assert ledger.totals.read() == totals
    assert ledger.profiles.all() == profiles
    assert [segment.path is None for segment in ledger.segments.within()] == [False, False]
    discarded = sql(ledger).execute("SELECT count(*) FROM discards").fetchone()
    assert discarded == (sum(segment.path is not None for segment in before),)
    assert verify(ledger).problems == ()
    assert compact(ledger, LATER) == Compaction(0, 0, 0)


@pytest.mark.usefixtures("small")
def test_an_hour_that_is_not_over_is_left_alone(ledger: Ledger) -> None:
    log_images(ledger, 20, batch=10)
    assert compact(ledger, NOON + timedelta(minutes=59)) == Compaction(0, 0, 0)
    assert compact(ledger, NOON + timedelta(minutes=60)) == Compaction(1, 1, 22)


@pytest.mark.usefixtures("small")
def test_files_stay_below_their_largest_size(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "SMALL_ROWS", 100)
    monkeypatch.setattr(compaction, "LARGEST_ROWS", 120)
    log_images(ledger, 300, batch=10)
    compact(ledger, LATER)
    assert sorted(segment.rows for segment in ledger.segments.within()) == [33, 99, 99, 99]
    compact(ledger, LATER)
    assert verify(ledger).problems == ()


def grouping_takes(seconds: int) -> float:
    """Processor time for as many of the API's seconds."""
    segments = [Segment(f"{at:05}", None, 3, MODEL, at * 10**6, at * 10**6, "") for at in range(seconds)]
    began = time.process_time()
    (group,) = compaction._groups(segments)
    assert len(group) == seconds
    return time.process_time() - began


def test_a_day_of_the_apis_seconds_is_grouped_in_linear_time() -> None:
    """Ten times as many take some ten times as long, where a comparison of each with all would take a hundred."""
    assert grouping_takes(86_400) < 40 * max(grouping_takes(8_640), 0.001)


def test_rows_with_other_columns_are_not_mixed(ledger: Ledger) -> None:
    """An attribute that was added without a new version of the model was not missing in the rows before."""
    log_images(ledger, 20)
    beard = AttributeConfig(name="beard", output="b", kind="binary", labels=("no", "yes"))
    schema = log_schema((*ATTRIBUTES, beard))
    with begin_run(ledger, IDENTITY, NOON) as run:
        rows = [row | {"beard": "yes"} if row["face"] is not None else row for row in
                make_batch(0, 20, run=run.id).rows.to_pylist()]  # fmt: skip
        writer = SegmentWriter(ledger, run)
        writer.add(PredictedBatch(pa.RecordBatch.from_pylist(rows, schema), range(20), ()))
        writer.close()
    log_images(ledger, 20)
    assert compact(ledger, LATER) == Compaction(3, 2, 66)
    assert verify(ledger).problems == ()
    prune(ledger, LATER)
    assert ledger.profiles.all() == {}
    assert verify(ledger).problems == ()


def test_the_name_of_a_file_does_not_grow_with_each_compaction(ledger: Ledger) -> None:
    names = []
    for turn in range(3):
        log_images(ledger, 10, observed=NOON + timedelta(seconds=turn))
        compact(ledger, LATER)
        (segment,) = ledger.segments.within()
        names.append(segment.id)
    assert len(set(names)) == 3
    assert {len(name) for name in names} == {len(names[0])}


def test_one_compaction_at_a_time(ledger: Ledger) -> None:
    with ProcessLock.for_command(ledger.folder, "compact"), pytest.raises(LockedError, match="another facemon compact"):
        compact(ledger, LATER)


def test_what_a_dead_compaction_left_goes_with_the_next(ledger: Ledger) -> None:
    files = leave_behind(ledger, "compact", "x")
    compact(ledger, LATER)
    assert not any(path.exists() for path in files)
    assert sql(ledger).execute("SELECT * FROM intents").fetchall() == []


@pytest.mark.usefixtures("small")
def test_what_retention_takes_meanwhile_does_not_come_back(ledger: Ledger) -> None:
    log_images(ledger, 40, batch=10)
    group = ledger.segments.within()
    ((parts, table),) = compaction._by_schema(ledger, group, [])
    assert prune(ledger, NOON + timedelta(hours=1)).rows == 44
    assert not compaction._fold(ledger, parts, table)
    assert list(compaction._by_schema(ledger, [part for part in group if part.path is None], [])) == []
    assert ledger.segments.within() == []
    assert sql(ledger).execute("SELECT * FROM intents").fetchall() == []
    assert verify(ledger).problems == ()
    assert len(list((ledger.folder / "segments").rglob("*.parquet"))) == 1  # for readers, for a while


@pytest.mark.slow
@pytest.mark.long_proof
def test_a_compaction_that_dies_at_any_step_is_done_by_the_next(tmp_path: Path, at_length: bool) -> None:
    assert children.crash_everywhere("fold", tmp_path, at_length=at_length) >= 20


@pytest.mark.slow
@pytest.mark.long_proof
def test_writers_a_compaction_a_retention_and_readers_at_once(folder: Path, at_length: bool) -> None:
    turns = 30 if at_length else 9
    write = """
    segment_writer.SEGMENT_ROWS = 1
    with open_ledger(folder) as ledger:
        for turn in range(int(sys.argv[2])):
            segment_writer.INLINE_ROWS = 1 if turn % 2 else 1000
            observed = NOON + timedelta(minutes=turn) + (turn % 3) * timedelta(days=1)
            log_images(ledger, 50, batch=10, observed=observed, sources=("a", None))
    """
    repeat = """
    times = 0
    while not (folder / "stop").exists():
        with open_ledger(folder) as ledger:
            if sys.argv[2] == "compact":
                recovery.GRACE_SECONDS = 5
                times += compact(ledger, NOON + timedelta(days=30)).written
            elif sys.argv[2] == "prune":
                times += prune(ledger, NOON + timedelta(hours=6)).segments
            else:
                with ledger.reading():
                    day = NOON + timedelta(days=1)
                    whole = read_window(ledger, day, day + timedelta(hours=1), model=MODEL)
                    cut = read_window(ledger, day - timedelta(seconds=1), day + timedelta(minutes=50), model=MODEL)
                assert whole == cut, "a window from profiles and one from rows differ"
                images = sum(profile.images for profile in whole.values())
                assert images % 10 == 0 and images >= times, (images, times)
                times = images
                assert not verify(ledger).problems, verify(ledger).problems
    print(times)
    """
    open_ledger(folder, create=True).close()
    others = [children.start(repeat, folder, what) for what in ("compact", "prune", "read")]
    for writer in [children.start(write, folder, str(turns)) for _ in range(3)]:
        children.finish(writer)
    (folder / "stop").touch()
    folds, pruned, images = (int(children.finish(other)) for other in others)
    assert folds > 0
    assert pruned > 0
    assert images <= turns * 50
    with open_ledger(folder) as ledger:
        recover(ledger)
        assert verify(ledger).problems == ()
        prune(ledger, NOON + timedelta(hours=6))
        compact(ledger, LATER)
        assert len(log_rows(ledger)) == turns * 2 * 55
        assert verify(ledger).problems == ()
        images_ever = sum(v for key, v in ledger.totals.read().items() if key.metric.startswith("images"))
        assert images_ever == 3 * turns * 50
