"""Deliveries of nodes: how far this store has come with its own, and which ones it has collected, for good."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from facemon.domain.row_ranges import Ranges, united
from facemon.store.node_state import CollectedFrom, NodeIdentity, NodeState, PendingDelivery, RowRanges
from facemon.store.totals import TotalKey

TABLES = """
CREATE TABLE node (
    node TEXT NOT NULL, epoch TEXT NOT NULL, location TEXT NOT NULL, ledger_file INTEGER NOT NULL,
    number INTEGER NOT NULL, latencies TEXT, pending TEXT, until INTEGER);
CREATE TABLE sent_rows (run TEXT, first INTEGER, behind INTEGER NOT NULL, PRIMARY KEY (run, first)) WITHOUT ROWID;
CREATE TABLE sent_segments (segment TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE node_deliveries (
    node TEXT, epoch TEXT, number INTEGER, digest TEXT NOT NULL, etag TEXT, newest INTEGER NOT NULL,
    written INTEGER NOT NULL,
    PRIMARY KEY (node, epoch, number)) WITHOUT ROWID;
CREATE TABLE collected_rows (run TEXT, first INTEGER, behind INTEGER NOT NULL, PRIMARY KEY (run, first)) WITHOUT ROWID;
"""
_STATE = "node, epoch, location, ledger_file, number, latencies, pending, until"
_IDENTITY = "node, epoch, number, digest, etag, newest, written"
_BY_NODE = """
SELECT node, count(*), sum(deliveries), sum(last - deliveries), max(newest), max(written) FROM (
    SELECT node, count(*) AS deliveries, max(number) AS last, max(newest) AS newest, max(written) AS written
    FROM node_deliveries GROUP BY node, epoch)
GROUP BY node ORDER BY node"""
_SENT, _COLLECTED = "sent_rows", "collected_rows"


class NodeTables:
    """`delivery_entries.NodeRecords` in SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def state(self) -> NodeState | None:
        return read_node_state(self._connection)

    def keep(self, state: NodeState) -> None:
        self._connection.execute("DELETE FROM node")
        latencies = None if state.latencies is None else json.dumps(_listed(state.latencies))
        self._connection.execute(
            f"INSERT INTO node ({_STATE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            (
                state.node, state.epoch, state.location, state.ledger_file, state.number, latencies,
                _text(state.pending), state.until,
            ),
        )  # fmt: skip

    def sent(self, run: str) -> Ranges:
        return self._ranges(_SENT, run)

    def send(self, rows: RowRanges) -> None:
        self._unite(_SENT, rows)

    def looked_through(self) -> set[str]:
        return {segment for (segment,) in self._connection.execute("SELECT segment FROM sent_segments")}

    def look_through(self, segments: Iterable[str]) -> None:
        self._connection.executemany(
            "INSERT OR IGNORE INTO sent_segments VALUES (?)", [(segment,) for segment in segments]
        )
        self._connection.execute("DELETE FROM sent_segments WHERE segment NOT IN (SELECT id FROM segments)")

    def has_collected(self) -> bool:
        query = "SELECT EXISTS (SELECT 1 FROM deliveries) OR EXISTS (SELECT 1 FROM node_deliveries)"
        return bool(self._connection.execute(query).fetchone()[0])

    def collected(self) -> list[CollectedFrom]:
        return [CollectedFrom(*row) for row in self._connection.execute(_BY_NODE)]

    def registered(self) -> Iterator[NodeIdentity]:
        return read_node_identities(self._connection)

    def identity(self, node: str, epoch: str, number: int) -> NodeIdentity | None:
        query = f"SELECT {_IDENTITY} FROM node_deliveries WHERE node = ? AND epoch = ? AND number = ?"  # noqa: S608
        row = self._connection.execute(query, (node, epoch, number)).fetchone()
        return None if row is None else NodeIdentity(*row)

    def enter(self, identity: NodeIdentity) -> None:
        self._connection.execute(
            f"INSERT INTO node_deliveries ({_IDENTITY}) VALUES (?, ?, ?, ?, ?, ?, ?) "  # noqa: S608
            "ON CONFLICT (node, epoch, number) DO UPDATE SET etag = excluded.etag WHERE digest = excluded.digest",
            identity,
        )

    def known(self, run: str) -> Ranges:
        return self._ranges(_COLLECTED, run)

    def know(self, rows: RowRanges) -> None:
        self._unite(_COLLECTED, rows)

    def _ranges(self, table: str, run: str) -> Ranges:
        query = f"SELECT first, behind FROM {table} WHERE run = ? ORDER BY first"  # noqa: S608 - one of two names of ours
        return list(self._connection.execute(query, (run,)))

    def _unite(self, table: str, rows: RowRanges) -> None:
        for run, ranges in rows.items():
            together = united(self._ranges(table, run), ranges)
            self._connection.execute(f"DELETE FROM {table} WHERE run = ?", (run,))  # noqa: S608
            self._connection.executemany(
                f"INSERT INTO {table} VALUES (?, ?, ?)",  # noqa: S608
                [(run, first, behind) for first, behind in together],
            )


def read_node_identities(connection: sqlite3.Connection) -> Iterator[NodeIdentity]:
    """Yield all collected deliveries of a ledger that may be damaged; sqlite3.Error where they cannot be read."""
    for row in connection.execute(f"SELECT {_IDENTITY} FROM node_deliveries"):  # noqa: S608
        yield NodeIdentity(*row)


def read_node_state(connection: sqlite3.Connection) -> NodeState | None:
    """Return how far such a ledger has come with its own deliveries; many kinds of errors for a damaged one."""
    if (row := connection.execute(f"SELECT {_STATE} FROM node").fetchone()) is None:  # noqa: S608
        return None
    node, epoch, location, ledger_file, number, latencies, pending, until = row
    delivered = None if latencies is None else _totals(json.loads(latencies))
    return NodeState(node, epoch, location, ledger_file, number, delivered, _pending(pending), until)


def read_collected_rows(connection: sqlite3.Connection) -> dict[str, list[tuple[int, int]]]:
    """Return the rows that came with deliveries of nodes, of such a ledger."""
    return _read_rows(connection, _COLLECTED)


def read_sent_rows(connection: sqlite3.Connection) -> dict[str, list[tuple[int, int]]]:
    """Return the rows that such a ledger has delivered."""
    return _read_rows(connection, _SENT)


def _read_rows(connection: sqlite3.Connection, table: str) -> dict[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = {}
    for run, first, behind in connection.execute(f"SELECT run, first, behind FROM {table}"):  # noqa: S608 - a name of ours
        found.setdefault(run, []).append((first, behind))
    return found


def _text(pending: PendingDelivery | None) -> str | None:
    if pending is None:
        return None
    return json.dumps({"model": pending.model, "rows": dict(pending.rows), "latencies": _listed(pending.latencies)})


def _pending(text: str | None) -> PendingDelivery | None:
    if text is None:
        return None
    read: dict[str, Any] = json.loads(text)
    rows = {run: [(first, behind) for first, behind in ranges] for run, ranges in read["rows"].items()}
    return PendingDelivery(read["model"], rows, _totals(read["latencies"]))


def _listed(totals: Mapping[TotalKey, float]) -> list[list[Any]]:
    return [[*key, value] for key, value in totals.items()]


def _totals(listed: Iterable[Any]) -> dict[TotalKey, float]:
    return {TotalKey(metric, tuple(labels), part): value for metric, labels, part, value in listed}
