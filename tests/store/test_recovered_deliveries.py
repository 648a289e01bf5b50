"""A ledger that was recovered: deliveries whose rows it has are not registered again, lost ones are collected anew."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from facemon.object_storage.object_folder import ObjectFolder
from facemon.store.backup import back_up
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger_recovery import recover_ledger
from facemon.store.retention import prune
from facemon.store.shared_log.collecting import collect
from facemon.store.verification import verify
from tests.store.damage import files_of
from tests.store.delivered import deliver, shared_folder
from tests.store.sql import sql

NOW = datetime(2026, 11, 29, tzinfo=UTC)
PAGE = 4096


@pytest.fixture
def objects(tmp_path: Path) -> ObjectFolder:
    objects = shared_folder(tmp_path / "log")
    assert all(deliver(objects, number) for number in (1, 2, 3))
    return objects


@pytest.fixture
def collected(objects: ObjectFolder, folder: Path) -> Path:
    """A store with three deliveries."""
    with open_ledger(folder, create=True) as ledger:
        collect(ledger, objects)
    return folder


def damage_index(folder: Path) -> None:
    """Damage what can be left out: all tables can be read."""
    with open_ledger(folder) as ledger:
        (page,) = sql(ledger).execute("SELECT rootpage FROM sqlite_schema WHERE name = 'segments_by_time'").fetchone()
        sql(ledger).execute("PRAGMA wal_checkpoint(TRUNCATE)")
    overwrite(folder, (page - 1) * PAGE, PAGE)


def overwrite(folder: Path, start: int, size: int) -> None:
    path = folder / "ledger.sqlite"
    content = bytearray(path.read_bytes())
    content[start : start + size] = b"\xa5" * size
    path.write_bytes(content)


def recover(folder: Path, backup: Path | None = None) -> None:
    recover_ledger(folder, backup, NOW, mode="private", as_root=False)


def collected_anew(folder: Path, objects: ObjectFolder) -> tuple[int, int, float]:
    """How many deliveries are registered now; the rows and the images in the totals then."""
    with open_ledger(folder) as ledger:
        found = collect(ledger, objects)
        assert (found.damaged, found.jobs[0].missing) == ([], [])
        assert verify(ledger).problems == ()
        totals = ledger.totals.read()
        images = sum(value for key, value in totals.items() if key.metric == "images_processed_total")
        return found.jobs[0].new, ledger.size().rows, images


def test_rows_that_retention_removed_do_not_come_back(collected: Path, objects: ObjectFolder) -> None:
    with open_ledger(collected) as ledger:
        assert prune(ledger, datetime(2100, 1, 1, tzinfo=UTC)).rows > 90
    damage_index(collected)
    recover(collected)
    assert collected_anew(collected, objects) == (0, 0, 90)


def test_rows_in_files_are_not_registered_again(collected: Path, objects: ObjectFolder) -> None:
    with open_ledger(collected) as ledger:
        rows = ledger.size().rows
    overwrite(collected, 0, PAGE)
    recover(collected)
    assert collected_anew(collected, objects) == (0, rows, 90)


def test_rows_that_are_lost_are_collected_anew(collected: Path, objects: ObjectFolder) -> None:
    with open_ledger(collected) as ledger:
        rows, files = ledger.size().rows, files_of(ledger)
    overwrite(collected, 0, PAGE)
    files[0].unlink()
    recover(collected)
    assert collected_anew(collected, objects) == (1, rows, 90)


def test_what_is_newer_than_a_backup_is_collected_anew(objects: ObjectFolder, folder: Path, tmp_path: Path) -> None:
    held = {entry.key: objects.read(entry.key) or b"" for entry in objects.listed("deliveries/")}
    objects.remove(sorted(held)[1:])
    with open_ledger(folder, create=True) as ledger:
        collect(ledger, objects)
        back_up(ledger, tmp_path / "saved.tar")
        for key, content in held.items():
            objects.write(key, content)
        assert collect(ledger, objects).jobs[0].new == 2
        rows = ledger.size().rows
    shutil.rmtree(folder)
    recover(folder, tmp_path / "saved.tar")
    assert collected_anew(folder, objects) == (2, rows, 90)
