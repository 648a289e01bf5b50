"""The segments of the log: which there are, and the bytes of those that have no file."""

import sqlite3
from collections.abc import Iterable

from facemon.store.segment import NewSegment, Segment

TABLES = """
CREATE TABLE segments (
    id TEXT PRIMARY KEY, path TEXT, rows INTEGER NOT NULL, model TEXT NOT NULL,
    first_observed INTEGER NOT NULL, last_observed INTEGER NOT NULL, last_predicted INTEGER, sha256 TEXT NOT NULL,
    data BLOB);
CREATE INDEX segments_by_time ON segments (first_observed, last_observed);
"""
_COLUMNS = "id, path, rows, model, first_observed, last_observed, sha256, last_predicted"


class SegmentTable:
    """`entries.SegmentRecords` in SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def within(self, since: int | None = None, until: int | None = None, model: str | None = None) -> list[Segment]:
        conditions, values = ["1"], list[object]()
        for condition, value in (("last_observed >= ?", since), ("first_observed < ?", until), ("model = ?", model)):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        query = f"SELECT {_COLUMNS} FROM segments WHERE {' AND '.join(conditions)} ORDER BY first_observed, id"  # noqa: S608
        return [Segment(*row) for row in self._connection.execute(query, values)]

    def has(self, segment: str) -> bool:
        return self._connection.execute("SELECT 1 FROM segments WHERE id = ?", (segment,)).fetchone() is not None

    def data(self, segment: str) -> bytes | None:
        row = self._connection.execute("SELECT data FROM segments WHERE id = ?", (segment,)).fetchone()
        return None if row is None else row[0]

    def register(self, segments: Iterable[NewSegment]) -> None:
        from facemon.store.segment_files import last_predicted, observed_range

        for new in segments:
            first, last = observed_range(new.table)
            model, predicted = new.table["model"][0].as_py(), last_predicted(new.table)
            self._connection.execute(
                "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (new.id, new.path, new.table.num_rows, model, first, last, predicted, new.sha256, new.data),
            )
            self._connection.execute("DELETE FROM intents WHERE segment = ?", (new.id,))

    def remove(self, segments: Iterable[Segment]) -> None:
        self._connection.executemany("DELETE FROM segments WHERE id = ?", [(segment.id,) for segment in segments])

    def keep_last_predicted(self, segment: str, at: int) -> None:
        self._connection.execute("UPDATE segments SET last_predicted = ? WHERE id = ?", (at, segment))

    def models(self) -> list[str]:
        return [model for (model,) in self._connection.execute("SELECT DISTINCT model FROM segments ORDER BY model")]

    def first_observed(self, model: str) -> int | None:
        query = "SELECT min(first_observed) FROM segments WHERE model = ?"
        first: int | None = self._connection.execute(query, (model,)).fetchone()[0]
        return first
