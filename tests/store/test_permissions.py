"""A store belongs to one user: its files have the same permissions whatever the umask, and root locks no user out.

Other users are real processes: where the tests do not run as root, those that need one are skipped.
"""

import os
import pwd
import stat
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from facemon.errors import FacemonError
from facemon.store import segment_writer
from facemon.store.backup import back_up
from facemon.store.compaction import compact
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.ledger_recovery import recover_ledger
from facemon.store.permissions import MODES, Permissions, apply_mode
from facemon.store.process_lock import ProcessLock, writer_lock_path
from facemon.store.recovery import recover
from facemon.store.references import set_from_window
from facemon.store.repair import repair
from facemon.store.report_files import write_page_of_record, write_report
from facemon.store.verification import verify
from tests.store import children
from tests.store.damage import files_of
from tests.store.kept_stores import NEWEST, KeptStore
from tests.store.log_rows import MODEL, NOON, log_images
from tests.store.sql import sql

OTHER_GROUP = 54321


def modes(folder: Path) -> dict[str, str]:
    """The permissions of everything in a store."""
    return {
        str(path.relative_to(folder)): f"{stat.S_IMODE(path.stat().st_mode):o}" for path in [folder, *folder.rglob("*")]
    }


def owners(folder: Path) -> set[int]:
    return {path.stat().st_uid for path in [folder, *folder.rglob("*")]}


def use_fully(folder: Path, **options: object) -> None:
    """Make everything that a store can hold."""
    with open_ledger(folder, create=True, **options) as ledger:  # type: ignore[arg-type]
        log_images(ledger, 100, batch=50, spread=timedelta(hours=200))
        log_images(ledger, 10)
        compact(ledger, NOON + timedelta(days=3650))
        set_from_window(ledger, "normal", NOON, NOON + timedelta(days=9), model=MODEL, note="", now=NOON)
        write_page_of_record(folder / "reports", NOON, "<html>")
        files_of(ledger)[0].write_bytes(b"")
        repair(ledger, drop_damaged=True, now=NOON)
        assert verify(ledger).problems == ()


def give(folder: Path, user: int, group: int) -> None:
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, user, group)


@pytest.fixture
def nobodys(folder: Path, open_folder: Path) -> Path:
    """A store that belongs to nobody, in a folder that every user may enter."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a store away")
    store = open_folder / "store"
    with open_ledger(store, create=True) as ledger:
        log_images(ledger, 50)
    nobody = pwd.getpwnam("nobody")
    give(store, nobody.pw_uid, nobody.pw_gid)
    return store


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty rows are a file."""
    monkeypatch.setattr(segment_writer, "INLINE_ROWS", 50)


@pytest.mark.parametrize(
    ("umask", "mode", "files", "folders"),
    [(0o000, "private", "600", "700"), (0o777, "private", "600", "700"), (0o077, "group", "660", "2770")],
)
def test_files_have_the_stores_permissions_whatever_the_umask(
    folder: Path, tmp_path: Path, umask: int, mode: str, files: str, folders: str
) -> None:
    before = os.umask(umask)
    try:
        use_fully(folder, mode=mode)
        with open_ledger(folder) as ledger, ProcessLock.waiting(writer_lock_path(folder, "held")):
            with ledger.writing():
                sql(ledger).execute("DELETE FROM drift_results")
            back_up(ledger, tmp_path / "saved.tar")
            found = modes(folder)
    finally:
        os.umask(before)
    assert {path: is_ for path, is_ in found.items() if is_ not in (files, folders)} == {}
    assert {"locks/held.lock", "ledger.sqlite-wal", "ledger.sqlite-shm", "reports/latest.html"} <= found.keys()
    assert any(path.startswith("set-aside/") for path in found)
    assert all((folder / path).is_dir() == (is_ == folders) for path, is_ in found.items())
    assert f"{stat.S_IMODE((tmp_path / 'saved.tar').stat().st_mode):o}" == files


@pytest.mark.parametrize("kept_store", NEWEST[:1], indirect=True)
def test_the_copy_that_an_upgrade_keeps_is_like_the_ledger(kept_store: KeptStore) -> None:
    (kept_store.store / "ledger.sqlite").chmod(0o640)
    open_ledger(kept_store.store).close()
    (kept,) = kept_store.store.glob("ledger.v*.sqlite")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640


def test_a_report_elsewhere_is_for_other_people(tmp_path: Path) -> None:
    assert stat.S_IMODE(write_report(tmp_path / "page.html", "x").stat().st_mode) == 0o644


def test_an_open_store_stays_as_it_is_until_it_is_closed(folder: Path) -> None:
    with open_ledger(folder, create=True) as ledger:
        log_images(ledger, 100, batch=100)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    with open_ledger(folder) as ledger:
        log_images(ledger, 100, batch=100, observed=NOON + timedelta(days=2))
        assert set(modes(folder).values()) == {"755", "644"}
        changed, foreign = apply_mode(folder, MODES["private"])
        assert (changed, foreign) == (len(modes(folder)), 0)
        log_images(ledger, 10)
        assert verify(ledger).problems == ()
        assert set(modes(folder).values()) == {"700", "600"}
    assert apply_mode(folder, MODES["private"]) == (0, 0)
    assert Permissions.of(folder).text == "private"


def test_root_writes_to_nobodys_store_only_when_told_to(nobodys: Path) -> None:
    before = modes(nobodys)
    with open_ledger(nobodys) as ledger:
        assert verify(ledger).problems == ()
        for write in (recover, log_some, lambda each: repair(each, drop_damaged=False, now=NOON), with_transaction):
            with pytest.raises(FacemonError, match="belongs to nobody: root does not write to it") as caught:
                write(ledger)
            assert "sudo -u nobody facemon" in (caught.value.hint or "")
    with pytest.raises(FacemonError, match="belongs to nobody"):
        open_ledger(nobodys, create=True)
    assert modes(nobodys) == before
    assert owners(nobodys) == {pwd.getpwnam("nobody").pw_uid}


def log_some(ledger: Ledger) -> None:
    log_images(ledger, 10)


def with_transaction(ledger: Ledger) -> None:
    with ledger.writing():
        pytest.fail("a transaction began")


def test_what_root_writes_when_told_to_belongs_to_the_stores_user(nobodys: Path) -> None:
    use_fully(nobodys, as_root=True)
    assert owners(nobodys) == {pwd.getpwnam("nobody").pw_uid}
    script = """
    with open_ledger(folder) as ledger:
        segment_writer.INLINE_ROWS = 50
        log_images(ledger, 100, batch=100, observed=NOON + timedelta(hours=1))
        compact(ledger, NOON + timedelta(days=3650))
        print(verify(ledger).problems)
    """
    assert children.run(script, nobodys, wrapper=children.as_nobody()) == "()\n"


def test_a_backup_by_root_is_nobodys_once_it_is_unpacked(nobodys: Path, tmp_path: Path) -> None:
    with open_ledger(nobodys) as ledger:
        back_up(ledger, tmp_path / "saved.tar")
    (tmp_path / "restored").mkdir()
    subprocess.run(["tar", "-xf", tmp_path / "saved.tar", "-C", tmp_path / "restored"], check=True)
    assert owners(tmp_path / "restored" / "store") == {pwd.getpwnam("nobody").pw_uid}
    assert owners(nobodys) == {pwd.getpwnam("nobody").pw_uid}


def test_root_gives_away_nothing_outside_of_the_store(nobodys: Path, tmp_path: Path) -> None:
    """As a store's user could try who wants a file of root's."""
    (tmp_path / "secret").write_text("of root")
    (tmp_path / "secret").chmod(0o640)
    (nobodys / "segments" / "linked").symlink_to(tmp_path / "secret")
    (nobodys / "locks" / "compact.lock").symlink_to(tmp_path / "secret")
    # As a hard link looks from inside of the store.
    (nobodys / "twin").write_text("of root")
    os.link(nobodys / "twin", nobodys.parent / "outside")
    assert apply_mode(nobodys, MODES["private"]) == (0, 3)
    with pytest.raises(FacemonError, match="cannot be taken"), open_ledger(nobodys, as_root=True) as ledger:
        compact(ledger, NOON)
    found = (tmp_path / "secret").stat()
    assert (found.st_uid, stat.S_IMODE(found.st_mode), found.st_size) == (0, 0o640, 7)
    assert (nobodys / "twin").stat().st_uid == 0


@pytest.mark.parametrize("with_backup", [True, False])
def test_a_store_that_root_recovers_stays_its_users(nobodys: Path, tmp_path: Path, with_backup: bool) -> None:
    backup = tmp_path / "saved.tar" if with_backup else None
    with open_ledger(nobodys, as_root=True) as ledger:
        compact(ledger, NOON + timedelta(days=3650))
        back_up(ledger, tmp_path / "saved.tar")
    (nobodys / "ledger.sqlite").write_bytes(b"damaged" * 9999)
    with pytest.raises(FacemonError, match="belongs to nobody"):
        recover_ledger(nobodys, backup, NOON, mode="private", as_root=False)
    recover_ledger(nobodys, backup, NOON, mode="private", as_root=True)
    assert owners(nobodys) == {pwd.getpwnam("nobody").pw_uid}
    assert children.run(OPEN, nobodys, "open", wrapper=children.as_nobody()) == "written\n"


def test_a_store_that_root_makes_in_another_users_folder_is_that_users(open_folder: Path) -> None:
    wrapper = children.as_nobody()
    nobody = pwd.getpwnam("nobody")
    os.chown(open_folder, nobody.pw_uid, nobody.pw_gid)
    with pytest.raises(FacemonError, match="belongs to nobody"):
        open_ledger(open_folder, create=True)
    assert list(open_folder.iterdir()) == []
    open_ledger(open_folder, create=True, as_root=True).close()
    assert owners(open_folder) == {nobody.pw_uid}
    assert children.run(OPEN, open_folder, "open", wrapper=wrapper) == "written\n"


OPEN = """
for way in sys.argv[2:]:
    try:
        with open_ledger(folder, create=way == "create") as ledger:
            segment_writer.INLINE_ROWS = 50
            log_images(ledger, 100, batch=100, observed=NOON + timedelta(days=3))
            print("written")
    except FacemonError as error:
        print(error.message, "|", error.hint)
"""


@pytest.mark.parametrize("mode", [0o644, 0o600])
def test_another_user_is_told_whose_store_it_is(open_folder: Path, mode: int) -> None:
    wrapper = children.as_nobody()
    store = open_folder / "store"
    with open_ledger(store, create=True) as ledger:
        log_images(ledger, 20)
    apply_mode(store, mode)
    before = modes(store)
    tried = children.run(OPEN, store, "open", "create", wrapper=wrapper).splitlines()
    assert len(tried) == 2
    for said in tried:
        assert "belongs to root, and nobody may not write to it" in said
        assert "sudo -u root facemon" in said
        assert "store.mode: group" in said
    assert modes(store) == before


def test_members_of_the_group_do_not_lock_each_other_out(open_folder: Path) -> None:
    wrapper = children.as_nobody(group=OTHER_GROUP)
    store = open_folder / "store"
    with open_ledger(store, create=True, mode="group") as ledger:
        log_images(ledger, 20)
    give(store, 0, OTHER_GROUP)
    apply_mode(store, MODES["group"])
    assert (
        children.run(OPEN, store, "open", wrapper=["sh", "-c", 'umask 077; exec "$@"', "sh", *wrapper]) == "written\n"
    )
    assert set(modes(store).values()) == {"2770", "660"}
    assert {path.stat().st_gid for path in store.rglob("*")} == {OTHER_GROUP}
    assert "belongs to root" in children.run(OPEN, store, "open", wrapper=children.as_nobody())


def test_repair_gives_back_what_root_made(nobodys: Path) -> None:
    """As an older facemon left it that was run with sudo once."""
    nobody = pwd.getpwnam("nobody").pw_uid
    (nobodys / "segments" / "date=2026-11-25").mkdir(mode=0o755)
    (nobodys / "locks" / "compact.lock").touch(mode=0o644)
    wrapper = children.as_nobody()
    said = children.run(OPEN, nobodys, "open", wrapper=wrapper)
    assert "Permission denied" in said
    assert "facemon store repair --as-root" in said
    assert apply_mode(nobodys, MODES["private"])[1] == 0
    assert owners(nobodys) == {nobody}
    assert children.run(OPEN, nobodys, "open", wrapper=wrapper) == "written\n"


def test_locks_that_root_left_do_not_block(nobodys: Path) -> None:
    for name, mode in (("compact", 0o644), ("run", 0o644), ("other", 0o600)):
        (nobodys / "locks" / f"{name}.lock").touch()
        (nobodys / "locks" / f"{name}.lock").chmod(mode)
    script = """
    with open_ledger(folder) as ledger:
        log_images(ledger, 10)
        compact(ledger, NOON)
    """
    children.run(script, nobodys, wrapper=children.as_nobody())
    assert [path.name for path in (nobodys / "locks").iterdir()] in ([], ["other.lock"])


def test_locks_of_killed_processes_are_removed(ledger: Ledger) -> None:
    for run in range(20):
        (ledger.folder / "locks" / f"run-{run}.lock").write_text("4194304\n")
    with ProcessLock.waiting(writer_lock_path(ledger.folder, "living")):
        recover(ledger)
        assert [path.name for path in (ledger.folder / "locks").iterdir()] == ["living.lock"]
