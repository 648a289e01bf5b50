"""What the ML APIs of a store have counted of their requests, by instance."""

import json
import sqlite3
from collections.abc import Iterable, Mapping

from facemon.store.request_totals import EVERY_INSTANCE
from facemon.store.totals import TotalKey, Totals

TABLES = """
CREATE TABLE request_totals (
    instance TEXT, metric TEXT, labels TEXT, part TEXT, value REAL NOT NULL,
    PRIMARY KEY (instance, metric, labels, part)) WITHOUT ROWID;
"""


class RequestTable:
    """`entries.RequestRecords` in SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, instance: str, counts: Mapping[TotalKey, float]) -> None:
        self._connection.executemany(
            "INSERT INTO request_totals VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (instance, metric, labels, part) DO UPDATE SET value = value + excluded.value",
            [(instance, key.metric, json.dumps(key.labels), key.part, value) for key, value in counts.items()],
        )

    def instances(self) -> list[str]:
        return [instance for (instance,) in self._connection.execute("SELECT DISTINCT instance FROM request_totals")]

    def rename(self, old: str, new: str) -> None:
        self._connection.execute("UPDATE request_totals SET instance = ? WHERE instance = ?", (new, old))

    def read(self, instance: str) -> Totals:
        query = (
            "SELECT metric, labels, part, sum(value) FROM request_totals WHERE ? IN (instance, ?) "
            "GROUP BY metric, labels, part"
        )
        rows = self._connection.execute(query, (instance, EVERY_INSTANCE))
        return {TotalKey(metric, tuple(json.loads(labels)), part): value for metric, labels, part, value in rows}

    def raise_to(self, rows: Iterable[tuple[object, ...]]) -> None:
        self._connection.executemany(
            "INSERT INTO request_totals VALUES (?, ?, ?, ?, ?) ON CONFLICT (instance, metric, labels, part) "
            "DO UPDATE SET value = max(value, excluded.value)",
            rows,
        )
