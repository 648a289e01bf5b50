"""Shards that were collected from a shared log: their identities stay for good, whatever becomes of their rows."""

import sqlite3

from facemon.store.shard_identity import ShardIdentity

TABLES = """
CREATE TABLE deliveries (
    name TEXT, shard INTEGER, shards INTEGER NOT NULL, job TEXT NOT NULL, digest TEXT NOT NULL, run TEXT NOT NULL,
    etag TEXT, PRIMARY KEY (name, shard)) WITHOUT ROWID;
"""
_COLUMNS = "name, shard, shards, job, digest, run, etag"


class DeliveryTable:
    """`delivery_entries.DeliveryRecords` in SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def of_job(self, name: str) -> dict[int, ShardIdentity]:
        rows = self._connection.execute(f"SELECT {_COLUMNS} FROM deliveries WHERE name = ?", (name,))  # noqa: S608
        return {row[1]: ShardIdentity(*row) for row in rows}

    def jobs(self) -> list[str]:
        rows = self._connection.execute("SELECT DISTINCT name FROM deliveries ORDER BY name")
        return [name for (name,) in rows]

    def has(self, name: str, shard: int) -> bool:
        query = "SELECT 1 FROM deliveries WHERE name = ? AND shard = ?"
        return self._connection.execute(query, (name, shard)).fetchone() is not None

    def conflicting(self, identity: ShardIdentity) -> ShardIdentity | None:
        query = (
            f"SELECT {_COLUMNS} FROM deliveries WHERE name = ? AND (job <> ? OR (shard = ? AND digest <> ?)) "  # noqa: S608
            "ORDER BY shard <> ? LIMIT 1"
        )
        values = (identity.name, identity.job, identity.shard, identity.digest, identity.shard)
        row = self._connection.execute(query, values).fetchone()
        return None if row is None else ShardIdentity(*row)

    def enter(self, identity: ShardIdentity) -> None:
        self._connection.execute(
            f"INSERT INTO deliveries ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?) "  # noqa: S608
            "ON CONFLICT (name, shard) DO UPDATE SET etag = excluded.etag WHERE digest = excluded.digest",
            identity,
        )


def read_identities(connection: sqlite3.Connection) -> list[ShardIdentity]:
    """Return all identities of a ledger that may be damaged; sqlite3.Error where they cannot be read."""
    return [ShardIdentity(*row) for row in connection.execute(f"SELECT {_COLUMNS} FROM deliveries")]  # noqa: S608
