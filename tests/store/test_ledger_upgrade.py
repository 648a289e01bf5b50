import random
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from facemon.errors import FacemonError, LockedError
from facemon.store.ledger import upgrade
from facemon.store.ledger.header import STORE_VERSION
from facemon.store.ledger.migrations import MIGRATIONS
from facemon.store.ledger.opening import open_ledger
from facemon.store.process_lock import ProcessLock, writer_lock_path
from tests.store import children
from tests.store.kept_stores import NEWEST, KeptStore
from tests.store.store_facts import facts
from tests.store.test_migrations import assert_holds, contents
from tests.store.upgrade_kills import version_in

OLDER = [name for name in NEWEST if int(name.split("-")[1]) < STORE_VERSION]
oldest = pytest.mark.parametrize("kept_store", OLDER[:1], indirect=True)
UPGRADE = """
print("ready", flush=True)
sys.stdin.readline()
with open_ledger(folder, tell=print) as ledger:
    print(ledger.version)
"""


@pytest.mark.long_proof
@pytest.mark.slow
@oldest
def test_an_upgrade_that_is_killed_at_any_step_leaves_the_old_store_or_the_new_one(
    kept_store: KeptStore, tmp_path: Path, at_length: bool
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    script = "from tests.store.upgrade_kills import main\nmain(folder, Path(sys.argv[2]), *map(int, sys.argv[3:6]))"
    steps = children.steps_to_die_at(at_length, every=20)
    print(f"first and every: {steps}")
    *faults, last = children.run(script, kept_store.store, work, kept_store.version, *steps).splitlines()
    assert not faults, faults
    killed = re.fullmatch(r"killed up to step (\d+), then ended with 0", last)
    assert killed, last
    assert int(killed[1]) >= 20


@pytest.mark.slow
@pytest.mark.long_proof
@oldest
def test_an_upgrade_that_is_killed_at_any_time_leaves_the_old_store_or_the_new_one(
    kept_store: KeptStore, tmp_path: Path, at_length: bool
) -> None:
    """Kills spread over the time that an upgrade takes here, in the middle of SQLite's own writes too."""
    chance, deaths, expected = random.Random(7), 0, {kept_store.version, STORE_VERSION}
    before = {
        part: kept_store.facts[part] for part in ("rows", "totals", "departed", "profiles", "references", "history")
    }
    took = 0.0
    kills = 20 if at_length else 4
    for turn in range(kills + 1):
        store = tmp_path / f"copy-{turn}"
        shutil.copytree(kept_store.store, store)
        process = start_upgrade(store)
        began = time.monotonic()
        say_go(process)
        if turn == 0:
            children.finish(process)
            took = time.monotonic() - began
            continue
        time.sleep(chance.random() * took)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        deaths += process.returncode == -signal.SIGKILL
        assert version_in(store) in expected
        now = facts(store)
        assert now["problems"] == []
        for part, value in before.items():
            assert_holds(now[part], value, part)
        assert version_in(store) == STORE_VERSION
        shutil.rmtree(store)
    assert deaths >= kills / 2


def start_upgrade(store: Path) -> children.Child:
    process = children.start(UPGRADE, store, stdin=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def say_go(process: children.Child) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.mark.slow
@oldest
def test_processes_that_come_together_upgrade_once(kept_store: KeptStore) -> None:
    processes = [start_upgrade(kept_store.store) for _ in range(6)]
    for process in processes:
        say_go(process)
    lines = [children.finish(process).splitlines() for process in processes]
    assert [line[-1] for line in lines] == [str(STORE_VERSION)] * 6
    assert sum(len(line) == 2 for line in lines) == 1
    assert facts(kept_store.store)["problems"] == []


@oldest
def test_an_upgrade_waits_for_the_one_that_is_going_on(kept_store: KeptStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrade, "UPGRADE_PATIENCE_SECONDS", 0.2)
    before = contents(kept_store.store)
    with (
        ProcessLock.waiting(writer_lock_path(kept_store.store, "upgrade")),
        pytest.raises(LockedError, match=r"is being upgraded by process \d+") as caught,
    ):
        open_ledger(kept_store.store)
    assert caught.value.hint == "run again when it has ended"
    assert contents(kept_store.store) == before


@oldest
@pytest.mark.parametrize("writer", ["20261128T210053-6f2a96b1", "reference"])
def test_a_store_that_an_older_facemon_writes_to_is_not_upgraded(
    kept_store: KeptStore, writer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would go on writing what the new tables do not mean: predict and the API hold a lock while they live."""
    monkeypatch.setattr(upgrade, "WRITER_PATIENCE_SECONDS", 0.2)
    before = contents(kept_store.store)
    holder = children.start(
        """
        from facemon.store.process_lock import ProcessLock, writer_lock_path
        with ProcessLock.waiting(writer_lock_path(folder, sys.argv[2])):
            print("held", flush=True)
            sys.stdin.read()
        """,
        kept_store.store,
        writer,
        stdin=subprocess.PIPE,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    with pytest.raises(LockedError, match=rf"is in use \({writer}: process {holder.pid}\)"):
        open_ledger(kept_store.store)
    open_ledger(kept_store.store, upgrade=False).close()
    assert {path: content for path, content in contents(kept_store.store).items() if "/locks/" not in path} == before
    children.finish(holder)
    with open_ledger(kept_store.store) as ledger:
        assert ledger.version == STORE_VERSION


@oldest
def test_a_step_that_fails_leaves_the_old_store(kept_store: KeptStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise FacemonError("a segment cannot be read")

    *first, last = MIGRATIONS
    broken = type(last)(last.to_version, last.summary, fail)
    monkeypatch.setattr(upgrade, "MIGRATIONS", (*first, broken))
    with pytest.raises(FacemonError, match="a segment cannot be read"):
        open_ledger(kept_store.store)
    assert version_in(kept_store.store) == kept_store.version
    monkeypatch.undo()
    assert facts(kept_store.store)["problems"] == []


@oldest
def test_an_older_store_in_a_folder_without_permission_is_a_message(kept_store: KeptStore) -> None:
    wrapper = children.without_privileges()
    before = contents(kept_store.store)
    script = """
    try:
        open_ledger(folder).close()
    except FacemonError as error:
        print(error.message)
    """
    for path, message in (
        (kept_store.store, "cannot be written"),
        (kept_store.store / "locks", "cannot be taken: Permission denied"),
    ):
        path.chmod(0o555)
        try:
            said = children.run(script, kept_store.store, wrapper=wrapper)
        finally:
            path.chmod(0o755)
        assert message in said
    assert contents(kept_store.store) == before


@oldest
def test_a_disk_without_room_for_the_copy_is_a_message(kept_store: KeptStore, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    script = """
    import shutil
    store = folder / "store"
    shutil.copytree(sys.argv[2], store)
    filler = folder / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(folder).free - 2 ** 17))
    for attempt in range(2):
        try:
            with open_ledger(store, tell=print) as ledger:
                print(ledger.version)
        except FacemonError as error:
            print(error.message, error.hint)
        filler.unlink(missing_ok=True)
    print(sorted(path.name for path in store.iterdir()))
    """
    said = children.run(script, disk, kept_store.store, wrapper=children.in_small_disk(disk, 2)).splitlines()
    assert re.search(r"needs \d+ MB on its disk for a copy of the ledger, and \d+ MB are free free space", said[0])
    assert said[2] == str(STORE_VERSION)
    assert ".part" not in said[3]
