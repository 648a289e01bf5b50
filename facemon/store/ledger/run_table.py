"""Runs of predict and of APIs: who they are, and how far they came."""

import sqlite3
from collections.abc import Iterator

from facemon.store.run_state import RunIdentity, RunState

TABLES = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY, inputs TEXT NOT NULL, model TEXT NOT NULL, fingerprint TEXT NOT NULL, source TEXT,
    started INTEGER NOT NULL, finished INTEGER, done INTEGER NOT NULL DEFAULT 0, digest TEXT NOT NULL DEFAULT '',
    flushes INTEGER NOT NULL DEFAULT 0);
"""
_STATE = "model, done, digest, flushes, started, finished"


class RunTable:
    """`entries.RunRecords` in SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def begin(self, run: str, identity: RunIdentity, at: int) -> None:
        self._connection.execute(
            "INSERT INTO runs (id, inputs, model, fingerprint, source, started) VALUES (?, ?, ?, ?, ?, ?)",
            (run, identity.inputs_text, identity.model, identity.fingerprint, identity.source, at),
        )

    def newest(self, identity: RunIdentity, *, unfinished: bool = False) -> str | None:
        query = (
            "SELECT id FROM runs WHERE inputs = ? AND model = ? AND fingerprint = ? AND source IS ? "
            "AND (finished IS NULL OR NOT ?) ORDER BY rowid DESC LIMIT 1"
        )
        values = (identity.inputs_text, identity.model, identity.fingerprint, identity.source, unfinished)
        found = self._connection.execute(query, values).fetchone()
        return None if found is None else str(found[0])

    def fingerprints(self, model: str, until: int) -> set[str]:
        query = "SELECT DISTINCT fingerprint FROM runs WHERE model = ? AND started <= ? AND fingerprint != ''"
        return {str(found) for (found,) in self._connection.execute(query, (model, until))}

    def state(self, run: str) -> RunState | None:
        row = self._connection.execute(f"SELECT {_STATE} FROM runs WHERE id = ?", (run,)).fetchone()  # noqa: S608
        return None if row is None else RunState(*row)

    def states(self) -> Iterator[tuple[str, RunState]]:
        for run, *state in self._connection.execute(f"SELECT id, {_STATE} FROM runs"):  # noqa: S608
            yield run, RunState(*state)

    def advance(self, run: str, before: int, done: int, digest: str) -> bool:
        query = "UPDATE runs SET done = ?, digest = ? WHERE id = ? AND done = ?"
        return self._connection.execute(query, (done, digest, run, before)).rowcount > 0

    def count_flushes(self, run: str, flushes: int) -> None:
        self._connection.execute("UPDATE runs SET flushes = ? WHERE id = ?", (flushes, run))

    def finish(self, run: str, at: int) -> None:
        self._connection.execute("UPDATE runs SET finished = ? WHERE id = ?", (at, run))

    def extend(self, run: str, state: RunState) -> None:
        self._connection.execute(
            "INSERT INTO runs (id, inputs, model, fingerprint, source, started, finished, done, digest) "
            "VALUES (?1, '[]', ?2, '', NULL, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET "
            "digest = CASE WHEN done < ?5 THEN ?6 ELSE digest END, "
            "finished = CASE WHEN done < ?5 THEN coalesce(finished, ?4) ELSE finished END, done = max(done, ?5)",
            (run, state.model, state.started, state.finished, state.done, state.digest),
        )

    def last_ends(self) -> dict[str, int]:
        query = "SELECT model, max(finished) FROM runs GROUP BY model HAVING count(*) = count(finished)"
        return dict(self._connection.execute(query))
