"""What SQLite's errors mean for the user: a full disk, a failing one, or a damaged ledger."""

import sqlite3
from pathlib import Path

from facemon.errors import FacemonError
from facemon.store.layout import LEDGER_NAME

RECOVER = (
    "facemon store recover BACKUP goes back to a backup and keeps what is newer; "
    "without a backup: facemon store recover --no-backup"
)


class DamagedLedgerError(FacemonError):
    """Pages of the ledger are not what SQLite wrote."""

    def __init__(self, folder: Path, reason: object) -> None:
        super().__init__(f"the ledger {folder / LEDGER_NAME} is damaged: {reason}", RECOVER)


def explained(folder: Path, error: sqlite3.Error, what: str = "failed") -> FacemonError:
    """The error to raise for one of SQLite's; `what` says what the store did: failed, or cannot be opened."""
    if is_damage(error):
        return DamagedLedgerError(folder, error)
    return FacemonError(f"the store in {folder} {what}: {error}", _hint_of(error))


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error means that the file is damaged: a malformed page, or none of SQLite's files at all."""
    # Of the other kinds, such as a locked ledger or a full disk, each has a class of its own.
    return type(error) is sqlite3.DatabaseError


def _hint_of(error: sqlite3.Error) -> str | None:
    """What to do about it, as far as SQLite's own code tells."""
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_FULL":
        return "free space on its disk and run again"
    if name.startswith("SQLITE_IOERR"):
        # SQLite keeps the system's reason to itself: a quota, `ulimit -f` or a failing disk all look alike.
        return "check its disk's health, space and quota and the file size limit (ulimit -f), and run again"
    return None
