"""When and how the ledger of an older store is changed: under a lock, whole or not at all, with a copy kept of it."""

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from facemon.errors import FacemonError, LockedError
from facemon.files import sync_folder
from facemon.store.ledger.copying import copy_ledger
from facemon.store.ledger.header import STORE_VERSION, version_of
from facemon.store.ledger.migrations import MIGRATIONS
from facemon.store.permissions import make_folder
from facemon.store.process_lock import ProcessLock, holder_of, living_writers, writer_lock_path

_LOCK = "upgrade"
UPGRADE_PATIENCE_SECONDS = 600.0
"""How long a process waits for another one that is upgrading the same store."""
WRITER_PATIENCE_SECONDS = 10.0
"""How long an upgrade waits for processes of the older version to end."""

Tell = Callable[[str], None]


def upgrade(connection: sqlite3.Connection, path: Path, tell: Tell | None, files: Path) -> None:
    """Bring the ledger at `path` to the present version, unless another process is faster.

    `files` is the folder of the store whose files it names: a step may read their rows.

    All steps are one transaction: a process that is killed leaves the old version. LockedError while a process of
    the older version writes to the store; FacemonError when the disk has no room.
    """
    folder = path.parent
    make_folder(folder / "locks")
    with _upgrade_lock(folder):
        before = version_of(connection)
        if before >= STORE_VERSION:
            return
        _wait_for_writers(folder, before)
        kept = _upgrade(connection, path, before, files)
        # So that the file itself tells its version to a facemon that must leave it alone.
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    if tell is not None:
        tell(
            f"store {folder} upgraded from version {before} to {STORE_VERSION}; its ledger as it was is kept in "
            f"{kept.name}: remove it when facemon store verify finds no problem"
        )


@contextmanager
def _upgrade_lock(folder: Path) -> Iterator[None]:
    path = writer_lock_path(folder, _LOCK)
    try:
        lock = ProcessLock.waiting(path, UPGRADE_PATIENCE_SECONDS)
    except LockedError as error:
        raise LockedError(
            f"the store in {folder} is being upgraded by process {holder_of(path)}", "run again when it has ended"
        ) from error
    with lock:
        yield


def _upgrade(connection: sqlite3.Connection, path: Path, before: int, files: Path) -> Path:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Again, now that no other process can begin to write.
        _refuse_writers(path.parent, before)
        kept = _keep_copy(path, before)
        for migration in MIGRATIONS:
            if migration.to_version > before:
                migration.run(connection, files)
                connection.execute(f"PRAGMA user_version = {migration.to_version}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return kept


def _keep_copy(path: Path, version: int) -> Path:
    """Copy the ledger beside itself, on the disk before this returns; its name tells its version."""
    kept = path.with_name(f"{path.stem}.v{version}{path.suffix}")
    draft = kept.with_name(f".{kept.name}.part")
    draft.unlink(missing_ok=True)
    _refuse_full_disk(path)
    copy_ledger(path, draft)
    draft.rename(kept)
    sync_folder(path.parent)
    return kept


def _refuse_full_disk(path: Path) -> None:
    # Once for the copy, once for the pages that the steps change.
    needed, free = 2 * path.stat().st_size, shutil.disk_usage(path.parent).free
    if free < needed:
        raise FacemonError(
            f"the upgrade of the store in {path.parent} needs {needed / 1e6:.0f} MB on its disk for a copy of the "
            f"ledger, and {free / 1e6:.0f} MB are free",
            "free space on its disk and run again",
        )


def _wait_for_writers(folder: Path, version: int) -> None:
    deadline = time.monotonic() + WRITER_PATIENCE_SECONDS
    while living_writers(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    _refuse_writers(folder, version)


def _refuse_writers(folder: Path, version: int) -> None:
    """A facemon of the older version that goes on writing would write what the new tables do not mean."""
    if writers := living_writers(folder):
        raise LockedError(
            f"the store in {folder} has version {version} and is in use ({', '.join(writers)}), so it cannot be "
            f"upgraded to version {STORE_VERSION}",
            "stop that process or wait for it to end, then run again",
        )
