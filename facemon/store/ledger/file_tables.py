"""Files that are not, or no longer, part of the log: those that a writer is about to write, and those given up."""

import sqlite3
from collections.abc import Iterable

TABLES = """
CREATE TABLE intents (segment TEXT PRIMARY KEY, writer TEXT NOT NULL, path TEXT NOT NULL);
CREATE TABLE discards (path TEXT PRIMARY KEY, since INTEGER NOT NULL);
"""


class FileTables:
    """`entries.FileRecords` in SQLite: the tables `intents` and `discards`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def intend(self, writer: str, paths: Iterable[tuple[str, str]]) -> None:
        self._connection.executemany(
            "INSERT OR REPLACE INTO intents VALUES (?, ?, ?)", [(name, writer, path) for name, path in paths]
        )

    def writers(self) -> list[str]:
        return [writer for (writer,) in self._connection.execute("SELECT DISTINCT writer FROM intents")]

    def intended_by(self, writer: str) -> list[str]:
        query = "SELECT path FROM intents WHERE writer = ?"
        return [path for (path,) in self._connection.execute(query, (writer,))]

    def forget_writer(self, writer: str) -> None:
        self._connection.execute("DELETE FROM intents WHERE writer = ?", (writer,))

    def give_up(self, paths: Iterable[str], at: int) -> None:
        self._connection.executemany("INSERT INTO discards VALUES (?, ?)", [(path, at) for path in paths])

    def given_up_before(self, at: int) -> list[str]:
        return [path for (path,) in self._connection.execute("SELECT path FROM discards WHERE since < ?", (at,))]

    def given_up(self) -> set[str]:
        return {path for (path,) in self._connection.execute("SELECT path FROM discards")}

    def forget_given_up(self, paths: Iterable[str]) -> None:
        self._connection.executemany("DELETE FROM discards WHERE path = ?", [(path,) for path in paths])

    def known(self) -> set[str]:
        query = (
            "SELECT path FROM segments WHERE path IS NOT NULL UNION SELECT path FROM intents "
            "UNION SELECT path FROM discards"
        )
        return {path for (path,) in self._connection.execute(query)}
