"""What a writer that died left behind is cleared away; what a living one is writing is never touched."""

import errno
from contextlib import suppress
from pathlib import Path

from facemon.errors import FacemonError
from facemon.store.ledger.protocol import Ledger
from facemon.store.process_lock import ProcessLock, writer_lock_path

GRACE_SECONDS = 3600
"""A file that was given up stays this long, for readers who saw the ledger before."""
BACKUP_WRITER = "backup"
"""Who holds the lock of this name copies files that the ledger named when the lock was taken."""


def recover(ledger: Ledger, holding: str | None = None) -> int:
    """Remove the unregistered files of dead writers and files given up long ago; answer how many writers had died.

    A writer takes its lock before its first intent, so an intent whose lock is free is a dead writer's. It
    may have finished in between, which is why the intents are read again once its lock is ours. `holding` is the
    writer whose lock the caller has, and who needs none of its intents any more.
    """
    ledger.refuse_foreign_root()
    dead = sum(_clear_writer(ledger, writer, writer == holding) for writer in ledger.files.writers())
    _remove_discards(ledger)
    _remove_free_locks(ledger.folder)
    return dead


def _clear_writer(ledger: Ledger, writer: str, is_locked: bool) -> bool:
    if is_locked:
        return _clear_intents(ledger, writer)
    lock = ProcessLock.try_acquire(writer_lock_path(ledger.folder, writer))
    if lock is None:
        return False
    with lock:
        return _clear_intents(ledger, writer)


def _clear_intents(ledger: Ledger, writer: str) -> bool:
    with ledger.writing():
        left = ledger.files.intended_by(writer)
        for path in left:
            _unlink(ledger.folder / path)
            _unlink(draft_of(ledger.folder / path))
        ledger.files.forget_writer(writer)
    return bool(left)


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        # facemon 0.2 could enter an intent with a name that is too long for a file: no such file can be there.
        if error.errno != errno.ENAMETOOLONG:
            raise


def _remove_discards(ledger: Ledger) -> None:
    lock = ProcessLock.try_acquire(writer_lock_path(ledger.folder, BACKUP_WRITER))
    if lock is None:
        return
    # Let go at once: a backup that begins now copies a ledger that gave up these files an hour ago.
    lock.release()
    before = int(ledger.now().timestamp()) - GRACE_SECONDS
    paths = ledger.files.given_up_before(before)
    for path in paths:
        # The file first: a crash in between leaves an entry that the next call meets again.
        (ledger.folder / path).unlink(missing_ok=True)
    if paths:
        with ledger.writing():
            ledger.files.forget_given_up(paths)


def _remove_free_locks(folder: Path) -> None:
    """Remove the lock files of processes that were killed; who holds a lock keeps it."""
    for path in (folder / "locks").glob("*.lock"):
        with suppress(FacemonError):  # another user's, which a command that needs it tells of
            if lock := ProcessLock.try_acquire(path):
                lock.release()


def draft_of(path: Path) -> Path:
    """The name that a file has while it is being written."""
    return path.with_name(f".{path.name}.part")
