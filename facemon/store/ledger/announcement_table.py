"""Which drift was announced, so that a command of the user's runs once for each new drift."""

import sqlite3
from collections.abc import Iterable

from facemon.store.drift_states import DriftedColumn

TABLES = """
CREATE TABLE announced_drift (
    model TEXT, reference TEXT, current TEXT, source TEXT, check_name TEXT, column_name TEXT,
    PRIMARY KEY (model, reference, current, source, check_name, column_name)) WITHOUT ROWID;
"""

_COLUMNS = ("model", "reference", "current", "source", "check_name", "column_name")


class AnnouncementTable:
    """What `entries.CheckRecords` keeps of announced drift, in SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def announced(self) -> set[DriftedColumn]:
        return {DriftedColumn(*row) for row in self._connection.execute("SELECT * FROM announced_drift")}

    def announce(self, columns: Iterable[DriftedColumn]) -> None:
        self._connection.executemany("INSERT OR IGNORE INTO announced_drift VALUES (?, ?, ?, ?, ?, ?)", columns)

    def forget_announced(self, columns: Iterable[DriftedColumn]) -> None:
        where = " AND ".join(f"{name} = ?" for name in _COLUMNS)
        self._connection.executemany(f"DELETE FROM announced_drift WHERE {where}", columns)  # noqa: S608
