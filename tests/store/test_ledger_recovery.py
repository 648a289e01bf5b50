"""Pages of the ledger that are damaged: one clear message, and a way back that keeps every row of every file."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from facemon.errors import FacemonError, LockedError, UsageError
from facemon.store import segment_writer
from facemon.store.backup import back_up
from facemon.store.compaction import compact
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.ledger_errors import DamagedLedgerError
from facemon.store.ledger_recovery import Recovery, recover_ledger
from facemon.store.process_lock import ProcessLock, writer_lock_path
from facemon.store.recovery import GRACE_SECONDS, recover
from facemon.store.references import list_references, set_from_window
from facemon.store.retention import prune
from facemon.store.verification import verify
from tests.store import children
from tests.store.damage import files_of, flip_bytes
from tests.store.kept_stores import NEWEST, KeptStore
from tests.store.log_rows import MODEL, NOON, log_images, make_batch
from tests.store.sql import sql
from tests.store.test_permissions import modes

NOW = datetime(2026, 11, 29, tzinfo=UTC)
LATER = NOON + timedelta(days=3650)
GARBAGE = b"\xa5"


def overwrite(path: Path, start: int, end: int) -> None:
    content = bytearray(path.read_bytes())
    content[start:end] = GARBAGE * (min(end, len(content)) - start)
    path.write_bytes(content)


LEDGER_DAMAGE: dict[str, Callable[[Path], object]] = {
    "header": lambda path: overwrite(path, 0, 100),
    "first page": lambda path: overwrite(path, 100, 4096),
    "second page": lambda path: overwrite(path, 4096, 8192),
    "all but the first page": lambda path: overwrite(path, 4096, path.stat().st_size),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[: 3 * 4096]),
    "empty": lambda path: path.write_bytes(b""),
    "other bytes": lambda path: path.write_bytes(b"not a ledger at all" * 999),
}
each_damage = pytest.mark.parametrize("damage", LEDGER_DAMAGE.values(), ids=LEDGER_DAMAGE.keys())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stores and the archive that the tests begin with: `before`, `saved.tar.gz` and `after`."""
    work = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch, open_ledger(work / "store", create=True) as ledger:
        small_files(patch)
        log_images(ledger, 120, batch=20, spread=timedelta(hours=100), sources=("a", None))
        set_from_window(ledger, "normal", NOON, LATER, model=MODEL, note="", now=NOON)
    shutil.copytree(work / "store", work / "before")
    with pytest.MonkeyPatch.context() as patch, open_ledger(work / "store") as ledger:
        small_files(patch)
        back_up(ledger, work / "saved.tar.gz")
        compact(ledger, LATER)
        log_images(ledger, 80, batch=20, observed=NOON + timedelta(days=5), sources=("b",))
        compact(ledger, LATER)
    (work / "store").rename(work / "after")
    return work


def small_files(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(segment_writer, "SEGMENT_ROWS", 40)
    patch.setattr(segment_writer, "INLINE_ROWS", 20)


@pytest.fixture
def log(made: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of 120 images, most of them in files."""
    small_files(monkeypatch)
    return shutil.copytree(made / "before", folder)


@pytest.fixture
def backup(made: Path, log: Path, tmp_path: Path) -> Path:
    """A backup of it, after which compaction folded what it holds, and 80 images were logged."""
    shutil.rmtree(log)
    shutil.copytree(made / "after", log)
    return shutil.copyfile(made / "saved.tar.gz", tmp_path / "saved.tar.gz")


def recovered(folder: Path, backup: Path | None) -> Recovery:
    return recover_ledger(folder, backup, NOW, mode="private", as_root=False)


def rows_in(folder: Path) -> int:
    with open_ledger(folder) as ledger:
        assert verify(ledger).problems == ()
        return int(sql(ledger).execute("SELECT sum(rows) FROM segments").fetchone()[0])


def images_in(folder: Path) -> float:
    with open_ledger(folder) as ledger:
        totals = ledger.totals.read()
    return sum(value for key, value in totals.items() if key.metric == "images_processed_total")


@each_damage
def test_every_use_of_a_damaged_ledger_says_so(log: Path, damage: Callable[[Path], object], tmp_path: Path) -> None:
    damage(log / "ledger.sqlite")
    uses: list[Callable[[Ledger], object]] = [
        verify, recover, list_references, lambda ledger: compact(ledger, LATER), lambda ledger: log_images(ledger, 10),
        lambda ledger: back_up(ledger, tmp_path / "x.tar"), lambda ledger: sql(ledger).execute("VACUUM"),
    ]  # fmt: skip
    said, errors = 0, list[FacemonError]()
    for use in uses:
        try:
            with open_ledger(log) as ledger:
                found = use(ledger)
                said += bool(getattr(found, "is_ledger_damaged", False))
        except FacemonError as error:
            errors.append(error)
    # A use that needs no damaged page may succeed.
    assert said + len(errors) >= 2
    assert all(isinstance(error, DamagedLedgerError) for error in errors), errors
    assert all(str(log / "ledger.sqlite") in error.message for error in errors)
    assert all("facemon store recover" in str(error.hint) for error in errors)


@each_damage
def test_a_backup_and_all_newer_files_come_together(log: Path, backup: Path, damage: Callable[[Path], object]) -> None:
    whole, images = rows_in(log), images_in(log)
    damage(log / "ledger.sqlite")
    done = recovered(log, backup)
    assert (done.backup_rows, done.newer_rows, done.ledger_rows) == (132, 88, 0)
    assert rows_in(log) == whole == 220
    assert images_in(log) == images
    assert done.damaged == []
    assert done.kept is not None
    assert (done.kept / "ledger.sqlite").is_file()
    with open_ledger(log) as ledger:
        assert [reference.name for reference in list_references(ledger)] == ["normal"]
        log_images(ledger, 10)
        compact(ledger, LATER)
    assert rows_in(log) == 231
    assert not (log / "recovering").exists()
    assert set(modes(log).values()) == {"700", "600"}


@each_damage
def test_without_a_backup_the_files_are_the_log(log: Path, damage: Callable[[Path], object]) -> None:
    with open_ledger(log) as ledger:
        compact(ledger, LATER)
    damage(log / "ledger.sqlite")
    done = recovered(log, None)
    assert (done.backup_rows, done.newer_rows, done.references) == (0, 132, 1)
    assert rows_in(log) == 132


def test_rows_that_the_ledger_held_are_read_where_it_can_be(log: Path, backup: Path) -> None:
    """A page of a table that has nothing to do with them is damaged: no row and no count is lost."""
    with open_ledger(log) as ledger:
        log_images(ledger, 12, batch=4, observed=NOON + timedelta(days=6))
        (page,) = sql(ledger).execute("SELECT rootpage FROM sqlite_schema WHERE name = 'profiles'").fetchone()
    images = images_in(log)
    overwrite(log / "ledger.sqlite", (page - 1) * 4096, page * 4096)
    done = recovered(log, backup)
    assert (done.ledger_rows, done.lost_rows, done.keeps_counters) == (13, 0, True)
    assert rows_in(log) == 233
    assert images_in(log) == images


def test_lost_rows_are_counted_and_no_counter_falls(log: Path, backup: Path) -> None:
    with open_ledger(log) as ledger:
        log_images(ledger, 12, observed=NOON + timedelta(days=6))
        with ledger.writing():
            sql(ledger).execute("UPDATE segments SET data = x'00' WHERE path IS NULL")
        (page,) = sql(ledger).execute("SELECT rootpage FROM sqlite_schema WHERE name = 'profiles'").fetchone()
        newest = files_of(ledger)[-1]
    images = images_in(log)
    flip_bytes(newest)
    overwrite(log / "ledger.sqlite", (page - 1) * 4096, page * 4096)
    done = recovered(log, backup)
    assert done.lost_rows == 13 + 88
    assert len(done.damaged) == 1
    assert rows_in(log) == 132
    assert images_in(log) == images


def test_a_backup_alone_is_restored_into_an_empty_folder(backup: Path, tmp_path: Path) -> None:
    for target in (tmp_path / "new", tmp_path / "empty"):
        if target.name == "empty":
            target.mkdir()
        done = recovered(target, backup)
        assert (done.backup_rows, done.newer_rows, done.kept) == (132, 0, None)
        assert rows_in(target) == 132


def test_a_lost_ledger_is_recovered_and_never_replaced_by_an_empty_one(log: Path, backup: Path) -> None:
    (log / "ledger.sqlite").unlink()
    for create in (True, False):
        with pytest.raises(FacemonError, match="lost its ledger") as caught:
            open_ledger(log, create=create)
        assert "facemon store recover" in (caught.value.hint or "")
    (log / "segments").rename(log / "elsewhere")
    (log / "recovering").mkdir()  # as of a recovery that was killed
    with pytest.raises(FacemonError, match="lost its ledger"):
        open_ledger(log, create=True)
    (log / "elsewhere").rename(log / "segments")
    recovered(log, backup)
    assert rows_in(log) == 220


def test_a_damaged_file_of_the_log_comes_from_the_backup(log: Path, tmp_path: Path) -> None:
    target = tmp_path / "saved.tar"
    with open_ledger(log) as ledger:
        back_up(ledger, target)
        first, second = files_of(ledger)[:2]
    flip_bytes(first)
    second.unlink()
    overwrite(log / "ledger.sqlite", 0, 100)
    recovered(log, target)
    assert rows_in(log) == 132


def test_a_retry_that_is_newer_than_the_backup_adds_no_half_images(log: Path, backup: Path) -> None:
    """The image failed in the backup; its rows of two faces are in a newer file: it stays the one or the other."""
    with open_ledger(log) as ledger:
        (run,) = sql(ledger).execute("SELECT id FROM runs ORDER BY started").fetchone()
        new = make_batch(2, 30, run=run, seed=7, predicted=NOON + timedelta(days=9))
    path = log / "segments" / "retried.parquet"
    pa.parquet.write_table(pa.Table.from_batches([new.rows]), path)
    overwrite(log / "ledger.sqlite", 0, 100)
    recovered(log, backup)
    assert rows_in(log) == 220


def test_rows_that_were_pruned_before_the_backup_are_not_counted_again(log: Path, tmp_path: Path) -> None:
    """Their files stay for an hour, and nothing but the backup tells that they were given up."""
    with open_ledger(log) as ledger:
        prune(ledger, NOON + timedelta(hours=4))
        given_up, left = ledger.files.given_up(), verify(ledger).rows
        back_up(ledger, tmp_path / "saved.tar")
    assert given_up
    images = images_in(log)
    overwrite(log / "ledger.sqlite", 0, 100)
    done = recovered(log, tmp_path / "saved.tar")
    assert (done.backup_rows, done.newer_rows) == (left, 0)
    assert rows_in(log) == left
    assert images_in(log) == images
    assert not any((log / path).exists() for path in given_up)
    assert {path.name for path in (log / "set-aside").rglob("*.parquet")} == {Path(path).name for path in given_up}


def test_files_that_a_backup_gave_up_an_hour_ago_take_no_rows_along(log: Path, tmp_path: Path) -> None:
    with open_ledger(log) as ledger:
        prune(ledger, NOON + timedelta(hours=4))
        back_up(ledger, tmp_path / "saved.tar")
    overwrite(log / "ledger.sqlite", 0, 100)
    recovered(log, tmp_path / "saved.tar")
    rows = rows_in(log)
    with open_ledger(log) as ledger:
        with ledger.writing():
            sql(ledger).execute("UPDATE discards SET since = since - ?", (GRACE_SECONDS + 2,))
        recover(ledger)
    assert rows_in(log) == rows


@pytest.mark.parametrize("kept_store", NEWEST[:1], indirect=True)
def test_a_backup_of_an_older_version_is_upgraded(kept_store: KeptStore, tmp_path: Path) -> None:
    with open_ledger(kept_store.store, upgrade=False) as ledger:
        back_up(ledger, tmp_path / "old.tar")
    overwrite(kept_store.store / "ledger.sqlite", 0, 100)
    done = recovered(kept_store.store, tmp_path / "old.tar")
    with open_ledger(kept_store.store) as ledger:
        assert verify(ledger).problems == ()
        assert verify(ledger).rows == done.backup_rows > 0


def test_a_whole_ledger_is_not_replaced(log: Path, backup: Path) -> None:
    with pytest.raises(UsageError, match="is not damaged"):
        recovered(log, backup)


def test_who_writes_is_not_robbed_of_the_store(log: Path, backup: Path) -> None:
    overwrite(log / "ledger.sqlite", 0, 100)
    with ProcessLock.waiting(writer_lock_path(log, "a-run")), pytest.raises(LockedError, match="a-run: process"):
        recovered(log, backup)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is not a whole archive"), (b"x" * 9999, "is not a whole archive"), (None, "No such file")],
)
def test_a_file_that_is_not_a_backup_changes_nothing(
    log: Path, tmp_path: Path, content: bytes | None, said: str
) -> None:
    overwrite(log / "ledger.sqlite", 0, 100)
    before = modes(log)
    if content is not None:
        (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(FacemonError, match=said):
        recovered(log, tmp_path / "x.tar")
    assert modes(log) == before


def test_a_cut_archive_changes_nothing(log: Path, backup: Path) -> None:
    overwrite(log / "ledger.sqlite", 0, 100)
    shutil.rmtree(log / "segments")
    (log / "segments").mkdir()
    backup.write_bytes(backup.read_bytes()[:-2000])
    with pytest.raises(FacemonError, match="is not a whole archive"):
        recovered(log, backup)
    assert (log / "ledger.sqlite").read_bytes()[:1] == GARBAGE


@pytest.mark.slow
@pytest.mark.long_proof
def test_a_recovery_that_dies_is_completed_by_the_next(tmp_path: Path, at_length: bool) -> None:
    assert children.crash_everywhere("recover", tmp_path, at_length=at_length, deaths=1) >= 15
