import hashlib
import os
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from facemon.errors import FacemonError
from facemon.store.file_system import file_system_of
from facemon.store.layout import FOLDERS
from facemon.store.ledger.header import STORE_VERSION
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from tests.patience import HANG_S
from tests.store import children
from tests.store.log_rows import log_images
from tests.store.sql import sql

ADD = "INSERT INTO drift_results (at, document) VALUES (?, '')"


def states(folder: Path) -> dict[str, str]:
    """The hash of every file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in folder.rglob("*")
    }


def test_there_is_no_store_until_one_is_made(folder: Path) -> None:
    with pytest.raises(FacemonError, match="there is no store"):
        open_ledger(folder)
    assert not folder.exists()
    open_ledger(folder, create=True).close()
    open_ledger(folder).close()
    assert sorted(entry.name for entry in folder.iterdir()) == sorted([*FOLDERS, "ledger.sqlite"])


@pytest.mark.slow
def test_many_creators_at_one_moment_make_one_store(folder: Path) -> None:
    """Eight processes make the same forty stores, each at a time that they agreed on."""
    script = """
    print("ready", flush=True)
    begin = float(sys.stdin.readline())
    for turn in range(40):
        time.sleep(max(0, begin + turn * 0.05 - time.time() - 0.002))
        while time.time() < begin + turn * 0.05:
            pass
        with open_ledger(folder / str(turn), create=True) as ledger, ledger.writing():
            sql(ledger).execute("INSERT INTO drift_results (at, document) VALUES (?, '')", (int(sys.argv[2]),))
    """
    folder.mkdir()
    creators = [children.start(script, folder, number, stdin=subprocess.PIPE) for number in range(8)]
    for creator in creators:
        assert creator.stdout is not None
        assert creator.stdout.readline() == "ready\n"
    moment = f"{time.time() + 0.2}\n"
    for creator in creators:
        assert creator.stdin is not None
        creator.stdin.write(moment)
        creator.stdin.flush()
    for creator in creators:
        _, err = creator.communicate(timeout=HANG_S)
        assert creator.returncode == 0, err
    for store in folder.iterdir():
        with open_ledger(store) as ledger:
            numbers = [row[0] for row in sql(ledger).execute("SELECT at FROM drift_results ORDER BY at")]
        assert numbers == list(range(8))


@pytest.mark.parametrize("left", ["ledger.new", "ledger.new-journal", "ledger.new-wal"])
def test_what_a_dead_creator_left_is_no_obstacle(folder: Path, left: str) -> None:
    folder.mkdir()
    (folder / "locks").mkdir()
    (folder / left).write_bytes(b"half a ledger")
    open_ledger(folder, create=True).close()
    assert not (folder / left).exists()


def test_a_folder_with_other_things_is_not_made_a_store(folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.doc").write_text("years of work")
    before = states(folder)
    with pytest.raises(FacemonError, match=r"not empty: it holds thesis\.doc"):
        open_ledger(folder, create=True)
    assert states(folder) == before


def test_a_log_without_its_ledger_is_not_made_a_store(folder: Path) -> None:
    folder.mkdir()
    (folder / "ledger.sqlite-wal").write_bytes(b"of a ledger that was deleted")
    with pytest.raises(FacemonError, match="lost its ledger"):
        open_ledger(folder, create=True)


def test_a_file_is_no_folder(folder: Path) -> None:
    folder.write_text("")
    with pytest.raises(FacemonError, match="no store can be made"):
        open_ledger(folder, create=True)


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("version", [0, -1, STORE_VERSION + 1, 999])
def test_a_store_of_an_unknown_version_is_left_alone(folder: Path, version: int, create: bool) -> None:
    with open_ledger(folder, create=True) as ledger:
        log_images(ledger, 50)
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    before = states(folder)
    with pytest.raises(FacemonError, match=rf"has version {version}; .* reads versions 1 to {STORE_VERSION}"):
        open_ledger(folder, create=create)
    assert states(folder) == before


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"SQLite format 3\0", b"SQLite format 3\0" + bytes(84), b"x" * 9000]
)
def test_a_file_that_is_no_ledger_is_left_alone(folder: Path, content: bytes) -> None:
    folder.mkdir()
    (folder / "ledger.sqlite").write_bytes(content)
    before = states(folder)
    with pytest.raises(FacemonError, match="is not a facemon ledger"):
        open_ledger(folder, create=True)
    assert states(folder) == before


def test_a_database_of_somebody_else_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as connection:
        connection.execute("CREATE TABLE bills (amount)")
    before = states(folder)
    with pytest.raises(FacemonError, match="is not a facemon ledger"):
        open_ledger(folder)
    assert states(folder) == before


def test_a_damaged_ledger_is_a_message(folder: Path) -> None:
    open_ledger(folder, create=True).close()
    path = folder / "ledger.sqlite"
    content = bytearray(path.read_bytes())
    content[100:4096] = bytes([255]) * 3996
    path.write_bytes(content)
    with pytest.raises(FacemonError, match="is damaged: database disk image is malformed"):
        open_ledger(folder)


def test_a_second_ledger_in_a_process_does_not_cost_the_first_its_locks(folder: Path) -> None:
    """Closing a file drops all of a process's locks on it: the log would be deleted under the first ledger."""
    script = """
    with open_ledger(folder) as ledger, ledger.writing():
        sql(ledger).execute("INSERT INTO drift_results (at, document) VALUES (2, '')")
    """
    with open_ledger(folder, create=True) as first:
        with first.writing():
            sql(first).execute(ADD, (1,))
        open_ledger(folder).close()
        children.run(script, folder)
        with first.writing():
            sql(first).execute(ADD, (3,))
        children.run(script, folder)
    with open_ledger(folder) as ledger:
        rows = sql(ledger).execute("SELECT at FROM drift_results ORDER BY id").fetchall()
    assert rows == [(1,), (2,), (3,), (2,)]


def fail_in_the_block(ledger: Ledger) -> None:
    with ledger.writing():
        sql(ledger).execute(ADD, (1,))
        raise KeyboardInterrupt


def fail_at_the_commit(ledger: Ledger) -> None:
    sql(ledger).execute("PRAGMA foreign_keys = ON")
    with ledger.writing():
        sql(ledger).execute(ADD, (1,))
        sql(ledger).execute("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
        sql(ledger).execute("CREATE TABLE parts (parent REFERENCES parents DEFERRABLE INITIALLY DEFERRED)")
        sql(ledger).execute("INSERT INTO parts VALUES (7)")


@pytest.mark.parametrize(
    ("fail", "error"), [(fail_in_the_block, KeyboardInterrupt), (fail_at_the_commit, FacemonError)]
)
def test_a_transaction_that_fails_changes_nothing(
    ledger: Ledger, fail: Callable[[Ledger], None], error: type[BaseException]
) -> None:
    with pytest.raises(error):
        fail(ledger)
    assert not sql(ledger).in_transaction
    with ledger.writing():
        sql(ledger).execute(ADD, (2,))
    assert sql(ledger).execute("SELECT at FROM drift_results").fetchall() == [(2,)]


def test_writing_within_reading_is_refused_and_leaves_the_reader_whole(ledger: Ledger) -> None:
    with ledger.reading():
        sql(ledger).execute("SELECT 1 FROM totals").fetchall()
        with pytest.raises(FacemonError, match="transaction"), ledger.writing():
            pass
        assert sql(ledger).in_transaction


def test_a_reader_sees_one_state(ledger: Ledger) -> None:
    count = "SELECT count(*) FROM drift_results"
    with open_ledger(ledger.folder) as other, ledger.reading():
        assert sql(ledger).execute(count).fetchone() == (0,)
        with other.writing():
            sql(other).execute(ADD, (1,))
        assert sql(ledger).execute(count).fetchone() == (0,)
    assert sql(ledger).execute(count).fetchone() == (1,)


UNTOUCHED = """
try:
    open_ledger(folder, create=sys.argv[2] == "create").close()
except FacemonError as error:
    print(error.message)
"""


@pytest.mark.parametrize("mode", [0o555, 0o444, 0o000])
def test_a_folder_without_permission_is_a_message(folder: Path, mode: int) -> None:
    wrapper = children.without_privileges()
    with open_ledger(folder, create=True) as ledger:
        log_images(ledger, 20)
    before = states(folder)
    folder.chmod(mode)
    try:
        said = children.run(UNTOUCHED, folder, "open", wrapper=wrapper)
    finally:
        folder.chmod(0o755)
    assert "cannot be" in said
    assert states(folder) == before


def test_a_parent_without_permission_is_a_message(folder: Path) -> None:
    wrapper = children.without_privileges()
    folder.mkdir(mode=0o555)
    said = children.run(UNTOUCHED, folder / "store", "create", wrapper=wrapper)
    assert "no store can be made" in said
    assert "Permission denied" in said


def test_a_locks_folder_without_permission_is_a_message(folder: Path) -> None:
    wrapper = children.without_privileges()
    open_ledger(folder, create=True).close()
    (folder / "locks").chmod(0o555)
    script = """
    try:
        log_images(open_ledger(folder), 10)
    except FacemonError as error:
        print(error.message)
    """
    said = children.run(script, folder, wrapper=wrapper)
    (folder / "locks").chmod(0o755)
    assert "cannot be taken: Permission denied" in said


def test_a_read_only_mount_is_a_message(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    script = """
    import hashlib, subprocess
    def states():
        return {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}
    with open_ledger(folder, create=True) as ledger:
        log_images(ledger, 20)
    before = states()
    subprocess.run(["mount", "-o", "remount,ro", str(folder.parent)], check=True)
    for create in (False, True):
        try:
            open_ledger(folder, create=create).close()
        except FacemonError as error:
            print(error.message)
    assert states() == before and before
    try:
        open_ledger(folder.parent / "new", create=True)
    except FacemonError as error:
        print(error.message)
    """
    said = children.run(script, disk / "store", wrapper=children.in_small_disk(disk, 8)).splitlines()
    assert [line.split()[-3:] for line in said[:2]] == [["read-only", "file", "system"]] * 2
    assert "no store can be made" in said[2]
    assert "Read-only file system" in said[2]


def test_a_disk_that_is_full_from_the_start_is_a_message(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    script = """
    filler = folder.parent / "filler"
    try:
        filler.write_bytes(bytes(2 ** 20))
    except OSError:
        pass
    try:
        open_ledger(folder, create=True)
    except FacemonError as error:
        print(error.message)
    filler.unlink()
    open_ledger(folder, create=True).close()
    """
    said = children.run(script, disk / "store", wrapper=children.in_small_disk(disk, 1))
    assert "no store can be made" in said
    assert "full" in said


def test_the_last_mount_on_a_point_says_what_a_folder_lies_on(tmp_path: Path) -> None:
    """As with an automounter, which mounts the network file system over itself."""
    disk = tmp_path / "disk"
    disk.mkdir()
    (tmp_path / "link").symlink_to(disk)
    script = """
    import subprocess
    from facemon.store.file_system import file_system_of
    subprocess.run(["mount", "-t", "ramfs", "none", str(folder)], check=True)
    print(file_system_of(folder / "store"), file_system_of(folder.parent / "link"))
    """
    said = children.run(script, disk, wrapper=children.in_small_disk(disk, 1))
    assert said.split() == ["ramfs", "ramfs"]
    assert file_system_of(Path(os.sep, "proc")) == "proc"
