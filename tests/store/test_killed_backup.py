"""Backups that are killed: no half archive has the target's name, and what is left goes with a later backup."""

import fcntl
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from facemon.store.ledger.opening import open_ledger
from facemon.store.verification import verify
from tests.store import children
from tests.store.backups import backed_up, restore
from tests.store.log_rows import log_images
from tests.store.sql import sql

BACK_UP = """
from facemon.store.backup import back_up
print("ready", flush=True)
sys.stdin.readline()
with open_ledger(folder) as ledger:
    back_up(ledger, Path(sys.argv[2]))
"""


@pytest.mark.slow
def test_a_backup_that_is_killed_leaves_no_half_archive(full_store: Path, tmp_path: Path) -> None:
    """Ten kills spread over the time that a backup takes here; the next one works."""
    with open_ledger(full_store) as ledger:
        log_images(ledger, 20_000, batch=5_000)
    chance, took, killed = random.Random(3), 0.0, 0
    target = tmp_path / "saved.tar.gz"
    for turn in range(11):
        process = children.start(BACK_UP, full_store, target, stdin=subprocess.PIPE)
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        began = time.monotonic()
        process.stdin.write("\n")
        process.stdin.flush()
        if turn == 0:
            children.finish(process)
            took = time.monotonic() - began
        else:
            time.sleep(chance.random() * took)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            killed += process.returncode == -signal.SIGKILL
        if target.exists():
            with open_ledger(restore(target, tmp_path / str(turn))) as ledger:
                assert verify(ledger).problems == ()
            target.unlink()
    assert killed > 0
    backed_up(full_store, target)
    assert target.is_file()
    let_an_hour_pass(tmp_path)
    backed_up(full_store, tmp_path / "next.tar.gz")
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {target.name, "next.tar.gz"}


LIMITED = """
import resource, signal
from facemon.store.backup import back_up
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
with open_ledger(folder) as ledger:
    limit = (folder / "ledger.sqlite").stat().st_size + 4096
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    back_up(ledger, Path(sys.argv[2]))
"""


def killed_halfway(store: Path, target: Path) -> set[Path]:
    """What a backup leaves that the kernel kills while it writes the archive, beside the copy of the ledger."""
    with open_ledger(store) as ledger:
        sql(ledger).execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = set(target.parent.iterdir())
    process = children.start(LIMITED, store, target)
    process.communicate()
    assert process.returncode == -signal.SIGXFSZ
    return {path for path in target.parent.iterdir() if path not in before}


def let_an_hour_pass(folder: Path) -> None:
    then = time.time() - 3700
    for path in folder.glob(".*"):
        os.utime(path, (then, then))


def test_what_a_killed_backup_left_goes_with_a_later_one_of_another_name(full_store: Path, tmp_path: Path) -> None:
    left = killed_halfway(full_store, tmp_path / "monday.tar")
    assert len(left) == 2
    others = {tmp_path / name for name in (".monday.tar.part", ".x.ledger", ".facemon-backup-note.part")}
    for path in others:
        path.write_text("of another program")
    store, tuesday, wednesday = full_store, tmp_path / "tuesday.tar", tmp_path / "wednesday.tar"
    backed_up(full_store, tuesday)
    # It may be that of another machine, whose lock cannot be seen.
    assert set(tmp_path.iterdir()) == {store, tuesday, *left, *others}
    let_an_hour_pass(tmp_path)
    backed_up(full_store, wednesday)
    assert set(tmp_path.iterdir()) == {store, tuesday, wednesday, *others}


def test_what_a_living_backup_writes_stays(full_store: Path, tmp_path: Path) -> None:
    left = killed_halfway(full_store, tmp_path / "monday.tar")
    let_an_hour_pass(tmp_path)
    (draft,) = [path for path in left if path.suffix == ".part"]
    with draft.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        backed_up(full_store, tmp_path / "tuesday.tar")
        assert all(path.exists() for path in left)
    backed_up(full_store, tmp_path / "wednesday.tar")
    assert not any(path.exists() for path in left)
