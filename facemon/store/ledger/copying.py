"""A copy of a ledger that is in use, on the disk when it is made."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from facemon.store.permissions import Permissions, make_file


def copy_ledger(path: Path, target: Path) -> None:
    """Copy a ledger that others may be writing to; the copy is one committed state of it, and on the disk.

    It has the permissions of the ledger, and its owner as far as this process may give it.
    """
    make_file(target, Permissions.of(path.parent))
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = WAL")
    with target.open("rb") as file:
        os.fsync(file.fileno())
