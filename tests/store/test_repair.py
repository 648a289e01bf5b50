"""Damage of each kind, beside each operation of the store, and what repair makes of it."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facemon.errors import FacemonError, LockedError
from facemon.store import log_balance, segment_writer
from facemon.store import repair as repair_module
from facemon.store.compaction import compact
from facemon.store.layout import SET_ASIDE
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.process_lock import ProcessLock
from facemon.store.repair import Repair, repair
from facemon.store.retention import prune
from facemon.store.row_counts import LATENCIES
from facemon.store.segment_files import SegmentDamagedError, read_rows
from facemon.store.set_aside import KEPT_AT_LEAST, lost_rows, prune_set_aside, read_records
from facemon.store.verification import verify
from tests.store import children
from tests.store.damage import DAMAGE, files_of
from tests.store.log_rows import MODEL, NOON, log_images
from tests.store.sql import sql

LATER = NOON + timedelta(days=3650)
NOW = datetime(2026, 11, 29, tzinfo=UTC)
each_damage = pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four files and inline segments on two dates, some rows with a source."""
    folder = tmp_path_factory.mktemp("logged") / "store"
    with pytest.MonkeyPatch.context() as patch, open_ledger(folder, create=True) as ledger:
        patch.setattr(segment_writer, "SEGMENT_ROWS", 60)
        patch.setattr(segment_writer, "INLINE_ROWS", 40)
        log_images(ledger, 240, batch=20, spread=timedelta(hours=100), sources=("a", None))
        log_images(ledger, 20, spread=timedelta(hours=100))
        assert verify(ledger).problems == ()
        assert len(files_of(ledger)) == 4
    return folder


@pytest.fixture
def log(logged: Path, folder: Path) -> Iterator[Ledger]:
    """A copy of `logged`, for one test."""
    shutil.copytree(logged, folder)
    with open_ledger(folder) as ledger:
        yield ledger


def rows_in(ledger: Ledger) -> int:
    return int(sql(ledger).execute("SELECT coalesce(sum(rows), 0) FROM segments").fetchone()[0])


def counted(ledger: Ledger) -> dict[object, float]:
    return {key: value for key, value in ledger.totals.read().items() if key.metric != LATENCIES}


def drop(ledger: Ledger) -> Repair:
    return repair(ledger, drop_damaged=True, now=NOW)


def mend(ledger: Ledger) -> Repair:
    return repair(ledger, drop_damaged=False, now=NOW)


@each_damage
def test_a_damaged_segment_is_dropped_and_the_log_is_whole_again(log: Ledger, damage: Callable[[Path], None]) -> None:
    rows, before = rows_in(log), counted(log)
    hurt = next(each for each in log.segments.within() if each.path)
    damage(log.folder / str(hurt.path))
    told = mend(log)
    assert [record.segment for record in told.would_drop] == [hurt.id]
    assert told.left.problems
    assert rows_in(log) == rows
    assert not (log.folder / SET_ASIDE).exists()
    done = drop(log)
    assert [(record.segment, record.rows) for record in done.dropped] == [(hurt.id, hurt.rows)]
    assert done.left.problems == () == verify(log).problems
    assert rows_in(log) == rows - hurt.rows
    assert counted(log) == before
    (record,) = read_records(log.folder)
    assert (record.model, record.first_observed, record.rows) == (MODEL, hurt.first_observed, hurt.rows)
    assert str(hurt.path) in record.text
    assert mend(log).left.problems == ()


@each_damage
def test_the_others_go_on_beside_a_damaged_segment(log: Ledger, damage: Callable[[Path], None]) -> None:
    hurt = files_of(log)[0]
    rows = rows_in(log)
    damage(hurt)
    assert str(hurt) in "\n".join(verify(log).problems)
    left_out: list[SegmentDamagedError] = []
    tables = list(read_rows(log, log.segments.within(), 0, 2**62, proven=True, left_out=left_out))
    assert [str(hurt) in error.message for error in left_out] == [True]
    (lost,) = (
        sql(log).execute("SELECT rows FROM segments WHERE path IS NOT NULL ORDER BY first_observed, id").fetchone()
    )
    assert sum(table.num_rows for table in tables) == rows - lost
    folded = compact(log, LATER)
    assert (folded.written >= 1, len(folded.left_out)) == (True, 1)
    assert rows_in(log) == rows
    pruned = prune(log, LATER)
    assert len(pruned.left_out) == 1
    assert rows_in(log) == lost
    assert drop(log).left.problems == ()
    assert rows_in(log) == 0


@each_damage
def test_a_file_that_comes_back_is_taken_in_again(log: Ledger, damage: Callable[[Path], None], tmp_path: Path) -> None:
    hurt, before, rows = files_of(log)[1], counted(log), rows_in(log)
    whole = hurt.read_bytes()
    damage(hurt)
    drop(log)
    assert lost_rows(log, NOON, LATER, MODEL) == rows - rows_in(log)
    (hurt.parent / "under another name.parquet").write_bytes(whole)
    done = mend(log)
    assert len(done.taken_in) == 1
    assert done.left.problems == ()
    assert (rows_in(log), counted(log)) == (rows, before)
    assert lost_rows(log, NOON, LATER, MODEL) == 0
    # Once more: it is there already.
    (hurt.parent / "again.parquet").write_bytes(whole)
    assert len(mend(log).foreign) == 1
    assert (rows_in(log), verify(log).problems) == (rows, ())
    compact(log, LATER)
    prune(log, LATER)
    assert verify(log).problems == ()


def test_a_file_in_another_folder_is_put_back(log: Ledger) -> None:
    moved, cut = files_of(log)[:2]
    target = log.folder / "segments" / "moved.parquet"
    moved.rename(target)
    copy = log.folder / "segments" / "of a backup.parquet"
    copy.write_bytes(cut.read_bytes())
    cut.write_bytes(b"PAR1")
    done = mend(log)
    assert sorted(done.put_back) == sorted(path.relative_to(log.folder).as_posix() for path in (moved, cut))
    assert (done.would_drop, done.left.problems) == ([], ())
    assert not target.exists()
    assert len(list((log.folder / SET_ASIDE).iterdir())) == 1


@pytest.mark.parametrize("name", [f"{'c' * 241}.parquet", f"{'é' * 120}.parquet", "c" * 255])
def test_a_foreign_file_with_a_long_name_is_moved_too(log: Ledger, name: str) -> None:
    for _ in range(2):
        (log.folder / "segments" / name).write_bytes(b"foreign")
        (moved,) = mend(log).foreign
        assert (log.folder / moved).read_bytes() == b"foreign"
    assert len(list((log.folder / SET_ASIDE).iterdir())) == 2


def test_foreign_files_are_moved_out_of_the_log(log: Ledger) -> None:
    folder = log.folder / "segments" / "date=2026-11-22"
    (folder / "stray.parquet").write_bytes(b"of another store")
    (folder / "copy.parquet").write_bytes(files_of(log)[0].read_bytes())
    (folder / ".left.parquet.part").write_bytes(b"half")
    assert len(verify(log).problems) == 3
    done = mend(log)
    assert len(done.foreign) == 3
    assert all((log.folder / path).is_file() for path in done.foreign)
    assert done.left.problems == ()


def test_files_of_living_writers_stay(log: Ledger) -> None:
    path = "segments/date=2026-11-22/x.parquet"
    with ProcessLock.waiting(log.folder / "locks" / "living.lock"):
        with log.writing():
            sql(log).execute("INSERT INTO intents VALUES ('x', 'living', ?)", (path,))
        for name in (path, "segments/date=2026-11-22/.x.parquet.part"):
            (log.folder / name).write_bytes(b"being written")
        assert mend(log).foreign == []
        assert (log.folder / path).exists()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE totals SET value = value + 7 WHERE metric = 'images_processed_total'",
        "UPDATE totals SET value = value - 7 WHERE metric = 'images_processed_total'",
        "DELETE FROM totals WHERE metric <> 'model_inference_latency_seconds'",
        "DELETE FROM profiles WHERE source = 'a'",
        "UPDATE profiles SET hour = hour + 1000",
        "UPDATE profiles SET data = x'0bad'",
        "INSERT INTO totals VALUES ('model_predictions_total', '[\"beard\", \"no\", \"faces@1\"]', '', 5)",
    ],
)
def test_sums_are_computed_anew_and_no_total_falls(log: Ledger, change: str) -> None:
    with log.writing():
        assert sql(log).execute(change).rowcount
    before = counted(log)
    assert verify(log).problems
    done = mend(log)
    assert done.totals or done.profiles
    assert done.left.problems == () == verify(log).problems
    after = counted(log)
    assert all(after[key] >= value - 1e-6 for key, value in before.items())


def test_an_inline_segment_that_cannot_be_decoded(log: Ledger) -> None:
    with log.writing():
        sql(log).execute("UPDATE segments SET data = x'00ff' WHERE path IS NULL")
    before, done = counted(log), drop(log)
    assert done.dropped
    assert done.left.problems == ()
    assert counted(log) == before
    record = next(each for each in read_records(log.folder) if each.path is None)
    assert (log.folder / SET_ASIDE / record.name).read_bytes() == b"\x00\xff"


def test_rows_that_arrive_meanwhile_are_counted(log: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    files_of(log)[0].unlink()
    before = counted(log)

    balance = log_balance.balance

    def with_a_writer(ledger: Ledger, *arguments: object, **options: object) -> tuple[int, int]:
        with open_ledger(ledger.folder) as other:
            log_images(other, 50, spread=timedelta(hours=100), sources=("a", "b"))
        return balance(ledger, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(repair_module, "balance", with_a_writer)
    assert drop(log).left.problems == ()
    assert sum(counted(log).values()) > sum(before.values())


def test_no_other_repair_compaction_or_retention_runs_beside_it(log: Ledger) -> None:
    for command in ("compact", "prune"):
        with ProcessLock.for_command(log.folder, command), pytest.raises(LockedError, match="is running"):
            mend(log)


def test_a_file_that_may_not_be_read_is_not_lost(log: Ledger) -> None:
    """A process that lacks a permission must not give up rows that others can read."""
    wrapper = children.without_privileges()
    files_of(log)[0].chmod(0)
    script = """
    from facemon.store.repair import repair
    with open_ledger(folder) as ledger:
        try:
            repair(ledger, drop_damaged=True, now=NOON)
        except FacemonError as error:
            print(error.message, error.hint)
    """
    said = children.run(script, log.folder, wrapper=wrapper)
    assert "Permission denied" in said
    assert not (log.folder / SET_ASIDE).exists()
    files_of(log)[0].chmod(0o600)
    assert verify(log).problems == ()


def test_retention_removes_what_was_set_aside(log: Ledger) -> None:
    hurt = files_of(log)[0]
    hurt.write_bytes(b"")
    drop(log)
    assert len(list((log.folder / SET_ASIDE).iterdir())) == 2
    assert prune_set_aside(log.folder, NOON, NOW + 2 * KEPT_AT_LEAST) == 0
    assert prune_set_aside(log.folder, LATER, NOW + KEPT_AT_LEAST) == 0
    assert prune_set_aside(log.folder, LATER, NOW + 2 * KEPT_AT_LEAST) == 1
    assert list((log.folder / SET_ASIDE).iterdir()) == []
    for name in ("ledger-20261129T000000/ledger.sqlite", "foreign.parquet"):
        (log.folder / SET_ASIDE / name).parent.mkdir(exist_ok=True)
        (log.folder / SET_ASIDE / name).touch()
    assert prune_set_aside(log.folder, LATER, datetime.now(UTC)) == 0
    assert prune_set_aside(log.folder, LATER, datetime.now(UTC) + 2 * KEPT_AT_LEAST) == 2
    assert list((log.folder / SET_ASIDE).iterdir()) == []


def test_a_record_says_in_plain_words_what_is_lost(log: Ledger) -> None:
    hurt = files_of(log)[0]
    hurt.unlink()
    drop(log)
    (record,) = (log.folder / SET_ASIDE).glob("*.json")
    document = json.loads(record.read_text())
    assert document["segment"]["reason"] == "is missing"
    assert document["set_aside_at"] == "2026-11-29T00:00:00.000000Z"


def test_an_error_that_is_not_damage_stops(log: Ledger) -> None:
    """What has the right bytes and cannot be read is not given up."""
    (path, *_) = files_of(log)
    path.write_bytes(b"written so by a facemon to come")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with log.writing():
        sql(log).execute("UPDATE segments SET sha256 = ? WHERE path = ?", (digest, str(path.relative_to(log.folder))))
    with pytest.raises(FacemonError, match="although it is the file that was written"):
        drop(log)


@pytest.mark.slow
@pytest.mark.long_proof
@pytest.mark.parametrize("operation", ["drop", "take_in"])
def test_a_repair_that_dies_is_completed_by_the_next(operation: str, tmp_path: Path, at_length: bool) -> None:
    assert children.crash_everywhere(operation, tmp_path, at_length=at_length, deaths=1) >= 15
