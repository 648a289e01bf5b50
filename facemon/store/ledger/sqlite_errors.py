"""What SQLite's errors mean for the user: a full disk, a failing one, or a damaged ledger."""

import sqlite3
from pathlib import Path

from facemon.errors import FacemonError
from facemon.store.ledger_errors import DamagedLedgerError


def explained(folder: Path, error: sqlite3.Error, what: str = "failed") -> FacemonError:
    """The error to raise from one of SQLite's, whose hint it gets; `what` says what the store did, such as failed."""
    if is_damage(error):
        return DamagedLedgerError(folder, error)
    return FacemonError(f"the store in {folder} {what}: {error}")


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error means that the file is damaged: a malformed page, or none of SQLite's files at all."""
    # Of the other kinds, such as a locked ledger or a full disk, each has a class of its own.
    return type(error) is sqlite3.DatabaseError
