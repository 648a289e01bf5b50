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
_STATE = "model, done, digest, flushes, started, finished, fingerprint"
_FINGERPRINTS = """
SELECT fingerprint FROM (
    SELECT rowid AS entered, fingerprint, done, flushes, started,
        coalesce(finished, lead(started) OVER (PARTITION BY inputs, source ORDER BY rowid)) AS ended
    FROM runs WHERE model = ?1)
WHERE fingerprint != '' AND done > 0 AND started <= ?3
    AND coalesce(ended, CASE WHEN flushes > 0 THEN ?3 ELSE started END) >= ?2
GROUP BY fingerprint ORDER BY min(entered)
"""
"""A run that was killed ended when the next one on its inputs began. Without such a one an API may still go on."""


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

    def fingerprints(self, model: str, since: int, until: int) -> list[str]:
        return [str(found) for (found,) in self._connection.execute(_FINGERPRINTS, (model, since, until))]

    def last_fingerprint(self, model: str) -> str | None:
        query = "SELECT fingerprint FROM runs WHERE model = ? AND fingerprint != '' AND done > 0 ORDER BY rowid DESC"
        found = self._connection.execute(f"{query} LIMIT 1", (model,)).fetchone()
        return None if found is None else str(found[0])

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
            "VALUES (?1, '[]', ?2, ?7, NULL, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET "
            "fingerprint = CASE WHEN fingerprint = '' THEN ?7 ELSE fingerprint END, "
            "digest = CASE WHEN done < ?5 THEN ?6 ELSE digest END, "
            "finished = CASE WHEN done < ?5 THEN coalesce(finished, ?4) ELSE finished END, done = max(done, ?5)",
            (run, state.model, state.started, state.finished, state.done, state.digest, state.fingerprint),
        )

    def last_ends(self) -> dict[str, int]:
        query = "SELECT model, max(finished) FROM runs GROUP BY model HAVING count(*) = count(finished)"
        return dict(self._connection.execute(query))
