"""When each command ran last, and when it succeeded last."""

import sqlite3

from facemon.store.command_run import CommandRun

TABLES = """
CREATE TABLE command_runs (
    command TEXT PRIMARY KEY, finished INTEGER NOT NULL, seconds REAL NOT NULL, exit_code INTEGER NOT NULL,
    last_success INTEGER) WITHOUT ROWID;
"""


class CommandTable:
    """`entries.CommandRecords` in SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self) -> list[CommandRun]:
        query = "SELECT command, seconds, last_success FROM command_runs"
        return [CommandRun(*row) for row in self._connection.execute(query)]

    def enter(self, command: str, finished: int, seconds: float, code: int, success: int | None) -> None:
        self._connection.execute(
            "INSERT INTO command_runs VALUES (?, ?, ?, ?, ?) ON CONFLICT (command) DO UPDATE SET "
            "finished = excluded.finished, seconds = excluded.seconds, exit_code = excluded.exit_code, "
            "last_success = coalesce(excluded.last_success, last_success)",
            (command, finished, seconds, code, success),
        )

    def take_back_success(self, command: str, success: int, before: int | None) -> None:
        self._connection.execute(
            "UPDATE command_runs SET last_success = ? WHERE command = ? AND last_success = ?",
            (before, command, success),
        )
