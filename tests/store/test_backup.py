import os
import shutil
import subprocess
import tarfile
from datetime import timedelta
from pathlib import Path

import pytest

from facemon.errors import FacemonError, LockedError, UsageError
from facemon.store.compaction import compact
from facemon.store.layout import FOLDERS
from facemon.store.ledger.opening import open_ledger
from facemon.store.process_lock import ProcessLock, writer_lock_path
from facemon.store.recovery import BACKUP_WRITER, GRACE_SECONDS, recover
from facemon.store.verification import verify
from tests.conftest import RunFacemon
from tests.store import children
from tests.store.backups import backed_up, restore
from tests.store.kept_stores import NEWEST, KeptStore
from tests.store.log_rows import NOON, log_images
from tests.store.sql import sql
from tests.store.store_facts import facts
from tests.store.test_migrations import assert_holds, contents


@pytest.mark.parametrize("kept_store", NEWEST, indirect=True)
def test_a_store_of_any_version_is_backed_up_as_it_is(kept_store: KeptStore, tmp_path: Path) -> None:
    # What is written does not depend on the suffix, so that each version takes one of them.
    suffix = (".tar", ".tar.gz", ".tgz")[kept_store.version % 3]
    before = contents(kept_store.store)
    done = backed_up(kept_store.store, tmp_path / f"saved{suffix}")
    assert contents(kept_store.store) == before
    assert done.rows == sum(count for count, _ in kept_store.facts["rows"].values())
    store = restore(tmp_path / f"saved{suffix}", tmp_path / "restored")
    assert store.name == ".facemon"
    with open_ledger(store, upgrade=False) as ledger:
        assert ledger.version == kept_store.version
    now = facts(store)
    for part in kept_store.facts.keys() - {"exported", "version"}:
        assert_holds(now[part], kept_store.facts[part], part)


def test_an_archive_holds_what_the_ledger_names_and_no_more(full_store: Path, tmp_path: Path) -> None:
    (full_store / "reports" / "page.html").write_text("made anew at any time")
    done = backed_up(full_store, tmp_path / "saved.tar")
    with tarfile.open(tmp_path / "saved.tar") as archive:
        names = {name for name in archive.getnames() if archive.getmember(name).isfile()}
    with open_ledger(full_store) as ledger:
        paths = {path for (path,) in sql(ledger).execute("SELECT path FROM segments WHERE path IS NOT NULL")}
        discarded = {path for (path,) in sql(ledger).execute("SELECT path FROM discards")}
    assert names == {f"store/{path}" for path in (*paths, "ledger.sqlite")}
    assert discarded
    assert done.files == len(paths)
    assert done.bytes == (tmp_path / "saved.tar").stat().st_size
    store = restore(tmp_path / "saved.tar", tmp_path / "restored")
    assert sorted(path.name for path in store.iterdir()) == sorted([*FOLDERS, "ledger.sqlite"])
    with open_ledger(store) as ledger:
        assert verify(ledger).problems == ()
        log_images(ledger, 10)
        assert verify(ledger).problems == ()


def runs_in(store: Path) -> int:
    with open_ledger(store) as ledger:
        return int(sql(ledger).execute("SELECT count(*) FROM runs").fetchone()[0])


WRITE = """
from datetime import timedelta
segment_writer.INLINE_ROWS = 20
with open_ledger(folder) as ledger:
    print("begun", flush=True)
    for turn in range(10 ** 6):
        log_images(ledger, 60, batch=15, observed=NOON + timedelta(hours=turn % 50), spread=timedelta(hours=160))
        if turn % 3 == 2:
            compact(ledger, NOON + timedelta(days=3650))
        if turn % 7 == 6:
            prune(ledger, NOON + timedelta(hours=turn % 50))
"""


@pytest.mark.slow
def test_a_backup_beside_a_writer_is_one_committed_state(full_store: Path, tmp_path: Path) -> None:
    writer = children.start(WRITE, full_store)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "begun\n"
    rows, turn = set[int](), 0
    try:
        while len(rows) < 4:
            turn += 1
            before = runs_in(full_store)
            done = backed_up(full_store, tmp_path / f"{turn}.tar")
            with open_ledger(restore(tmp_path / f"{turn}.tar", tmp_path / str(turn))) as ledger:
                found = verify(ledger)
            assert found.problems == ()
            assert found.rows == done.rows
            assert runs_in(tmp_path / str(turn) / "store") >= before
            rows.add(done.rows)
            assert writer.poll() is None
    finally:
        writer.kill()
        writer.communicate()


def test_files_given_up_stay_while_a_backup_runs(full_store: Path) -> None:
    with open_ledger(full_store) as ledger:
        with ledger.writing():
            sql(ledger).execute("UPDATE discards SET since = since - ?", (GRACE_SECONDS + 1,))
        given_up = [path for (path,) in sql(ledger).execute("SELECT path FROM discards")]
        with ProcessLock.for_command(full_store, BACKUP_WRITER):
            recover(ledger)
            assert all((full_store / path).exists() for path in given_up)
        recover(ledger)
        assert not any((full_store / path).exists() for path in given_up)


def test_one_backup_at_a_time(full_store: Path, tmp_path: Path) -> None:
    with (
        ProcessLock.for_command(full_store, BACKUP_WRITER),
        pytest.raises(LockedError, match="another facemon backup is running"),
    ):
        backed_up(full_store, tmp_path / "saved.tar")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("saved", "a backup is an archive"),
        ("saved.zip", "a backup is an archive"),
        ("there.tar", "is there already"),
        ("folder.tar", "is there already"),
        ("store/segments/saved.tar", "lies in the store"),
        ("store/saved.tar", "lies in the store"),
    ],
)
def test_a_target_that_cannot_be_meant_is_refused(full_store: Path, tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "there.tar").write_text("of last week")
    (tmp_path / "folder.tar").mkdir()
    before = contents(tmp_path)
    with pytest.raises(UsageError, match=message) as caught:
        backed_up(full_store, tmp_path / name)
    assert caught.value.hint
    assert contents(tmp_path) == before


def test_a_folder_that_is_not_there_is_a_message(full_store: Path, tmp_path: Path) -> None:
    with pytest.raises(FacemonError, match=r"cannot be made: .*: No such file"):
        backed_up(full_store, tmp_path / "nowhere" / "saved.tar")


def test_a_folder_that_cannot_be_written_is_a_message(full_store: Path, tmp_path: Path) -> None:
    wrapper = children.without_privileges()
    target = tmp_path / "locked"
    target.mkdir(mode=0o555)
    script = """
    from facemon.store.backup import back_up
    try:
        with open_ledger(folder) as ledger:
            back_up(ledger, Path(sys.argv[2]))
    except FacemonError as error:
        print(error.message, "|", error.hint)
    """
    said = children.run(script, full_store, target / "saved.tar", wrapper=wrapper)
    assert "cannot be made" in said
    assert "Permission denied" in said
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("mebibytes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_full_disk_is_a_message_and_leaves_nothing(full_store: Path, tmp_path: Path, mebibytes: int) -> None:
    with open_ledger(full_store) as ledger:
        log_images(ledger, 5_000, batch=1_000)
        compact(ledger, NOON + timedelta(days=1))
        with ledger.writing():
            noise = os.urandom(1_500_000).hex()
            sql(ledger).execute("INSERT INTO drift_results (at, document) VALUES (1, ?)", (noise,))
    disk = tmp_path / "disk"
    disk.mkdir()
    script = """
    from facemon.store.backup import back_up
    try:
        with open_ledger(folder) as ledger:
            back_up(ledger, Path(sys.argv[2], "saved.tar"))
    except FacemonError as error:
        print(error.message)
    print(list(Path(sys.argv[2]).iterdir()))
    """
    said = children.run(script, full_store, disk, wrapper=children.in_small_disk(disk, mebibytes)).splitlines()
    assert "cannot be made" in said[0]
    assert said[1] == "[]"


def test_a_store_that_lacks_a_file_is_no_backup(full_store: Path, tmp_path: Path) -> None:
    with open_ledger(full_store) as ledger:
        (path,) = sql(ledger).execute("SELECT path FROM segments WHERE path IS NOT NULL").fetchone()
    (full_store / path).unlink()
    with pytest.raises(FacemonError, match=f"cannot be made: .*{path}: No such file") as caught:
        backed_up(full_store, tmp_path / "saved.tar")
    assert "store verify" in (caught.value.hint or "")
    assert [entry.name for entry in tmp_path.iterdir()] == ["store"]


@pytest.mark.slow
@pytest.mark.parametrize("kept_store", NEWEST[:1], indirect=True)
def test_the_command_saves_a_store_before_its_upgrade(
    kept_store: KeptStore, facemon: RunFacemon, tmp_path: Path
) -> None:
    """Back up, upgrade, lose everything, unpack, and be where one was."""
    done = facemon("store", "backup", "saved.tar.gz", cwd=kept_store.folder)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith(f"wrote saved.tar.gz: store version {kept_store.version}, ")
    again = facemon("store", "backup", "saved.tar.gz", cwd=kept_store.folder)
    assert again.returncode == 2
    assert "saved.tar.gz is there already" in again.stderr
    assert "upgraded" in facemon("store", "verify", cwd=kept_store.folder).stderr
    shutil.rmtree(kept_store.store)
    subprocess.run(["tar", "-xf", "saved.tar.gz"], cwd=kept_store.folder, check=True)
    assert f'"version": {kept_store.version}' in facemon("store", "info", "--json", cwd=kept_store.folder).stdout
    assert facemon("store", "verify", cwd=kept_store.folder).returncode == 0
    quiet = facemon("-q", "store", "backup", "quiet.tar", cwd=kept_store.folder)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    assert writer_lock_path(kept_store.store, BACKUP_WRITER).exists() is False
