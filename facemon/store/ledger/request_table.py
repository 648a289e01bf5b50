"""What the ML API has counted of its requests, for each instance of it: a name and its address, or a name given."""

import json
import sqlite3
from collections.abc import Mapping

from facemon.store.totals import TotalKey, Totals

EVERY_INSTANCE = "*"


def add_request_totals(connection: sqlite3.Connection, instance: str, counts: Mapping[TotalKey, float]) -> None:
    """Add to the totals of an instance, in the caller's transaction."""
    connection.executemany(
        "INSERT INTO request_totals VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (instance, metric, labels, part) DO UPDATE SET value = value + excluded.value",
        [(instance, key.metric, json.dumps(key.labels), key.part, value) for key, value in counts.items()],
    )


def counted_instances(connection: sqlite3.Connection) -> list[str]:
    """The instances that have totals."""
    return [instance for (instance,) in connection.execute("SELECT DISTINCT instance FROM request_totals")]


def rename_instance(connection: sqlite3.Connection, old: str, new: str) -> None:
    """Give the totals of an instance to one that has none, in the caller's transaction."""
    connection.execute("UPDATE request_totals SET instance = ? WHERE instance = ?", (new, old))


def read_request_totals(connection: sqlite3.Connection, instance: str) -> Totals:
    """The totals of an instance as committed, or of all together for `EVERY_INSTANCE`."""
    query = (
        "SELECT metric, labels, part, sum(value) FROM request_totals WHERE ? IN (instance, ?) "
        "GROUP BY metric, labels, part"
    )
    rows = connection.execute(query, (instance, EVERY_INSTANCE))
    return {TotalKey(metric, tuple(json.loads(labels)), part): value for metric, labels, part, value in rows}
