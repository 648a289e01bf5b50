"""The totals, and what of them was added by rows that are no longer in the log."""

import json
import sqlite3
from collections.abc import Mapping
from functools import lru_cache

from facemon.store.totals import TotalKey, Totals

TABLES = """
CREATE TABLE totals (
    metric TEXT, labels TEXT, part TEXT, value REAL NOT NULL, PRIMARY KEY (metric, labels, part)) WITHOUT ROWID;
CREATE TABLE departed (
    metric TEXT, labels TEXT, part TEXT, value REAL NOT NULL, PRIMARY KEY (metric, labels, part)) WITHOUT ROWID;
"""
TOTALS, _DEPARTED = "totals", "departed"


class TotalTables:
    """`entries.TotalRecords` in SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def read(self) -> Totals:
        return read_totals(self._connection)

    def departed(self) -> Totals:
        return read_totals(self._connection, _DEPARTED)

    def add(self, totals: Mapping[TotalKey, float]) -> None:
        self._add(TOTALS, totals)

    def depart(self, totals: Mapping[TotalKey, float]) -> None:
        self._add(_DEPARTED, totals)

    def take_back_departed(self, totals: Mapping[TotalKey, float]) -> None:
        self._add(_DEPARTED, {key: -value for key, value in totals.items()})
        self._connection.execute("DELETE FROM departed WHERE abs(value) < 1e-6")

    def _add(self, table: str, totals: Mapping[TotalKey, float]) -> None:
        self._connection.executemany(
            f"INSERT INTO {table} VALUES (?, ?, ?, ?) "  # noqa: S608 - one of two names of ours
            "ON CONFLICT (metric, labels, part) DO UPDATE SET value = value + excluded.value",
            [(k.metric, json.dumps(k.labels, ensure_ascii=False), k.part, value) for k, value in totals.items()],
        )


def read_totals(connection: sqlite3.Connection, table: str = TOTALS) -> Totals:
    """Read one of the two tables; DatabaseError where its text is damaged, which SQLite does not notice."""
    rows = connection.execute(f"SELECT metric, labels, part, value FROM {table}")  # noqa: S608 - one of two names of ours
    try:
        return {TotalKey(metric, _decoded(labels), part): value for metric, labels, part, value in rows}
    except (ValueError, TypeError) as error:
        raise sqlite3.DatabaseError(f"a total cannot be decoded: {error}") from error


@lru_cache(maxsize=4096)
def _decoded(labels: str) -> tuple[str, ...]:
    """The label values of a total; a scrape reads the same ones each time, and a histogram's many times."""
    return tuple(json.loads(labels))
