"""What can still be read of a damaged ledger: rows that it holds itself, totals, and which files it does not count."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc

from facemon.store.layout import LEDGER_NAME
from facemon.store.ledger.delivery_table import read_identities
from facemon.store.ledger.header import STORE_VERSION
from facemon.store.ledger.node_tables import (
    read_collected_rows,
    read_node_identities,
    read_node_state,
    read_sent_rows,
)
from facemon.store.ledger.total_tables import read_totals
from facemon.store.node_state import NODES_FROM, NodeIdentity, NodeState, RowRanges
from facemon.store.permissions import make_file
from facemon.store.shard_identity import ShardIdentity
from facemon.store.totals import Totals

_WAL = ("", "-wal")
_READABLE_FROM = 4
"""Totals of earlier versions are not by model."""
_SHARDS_FROM = 7


@dataclass
class Salvage:
    """What a damaged ledger still says; none for a part that cannot be read whole."""

    segments: set[str] = field(default_factory=set)
    """Those that it names; not all where `is_complete` is false."""
    is_complete: bool = False
    tables: list[pa.Table] = field(default_factory=list)
    """The rows that it held itself."""
    undecoded: dict[str, int] = field(default_factory=dict)
    """How many rows the segments have that it held itself and that cannot be decoded."""
    sha256: dict[str, str] = field(default_factory=dict)
    """Of the files that it names, by their path below the store."""
    rows: dict[str, int] = field(default_factory=dict)
    """How many rows these files have."""
    unregistered: frozenset[str] | None = None
    """Files that were being written or were given up: none of their rows are in the log on their account."""
    totals: Totals | None = None
    request_totals: list[tuple[object, ...]] = field(default_factory=list)
    """As they are in their table."""
    shards: list[ShardIdentity] = field(default_factory=list)
    """Those that were collected from a shared log."""
    nodes: list[NodeIdentity] = field(default_factory=list)
    """Deliveries of nodes that were collected."""
    collected: RowRanges = field(default_factory=dict)
    """The rows that came with them."""
    node: NodeState | None = None
    """How far it had come with its own deliveries."""
    sent: RowRanges = field(default_factory=dict)
    """The rows that it had delivered."""


def salvage(folder: Path, work: Path) -> Salvage:
    """Read what can be read of the ledger in `folder`, from a copy in `work`, so that nothing in `folder` changes."""
    found = Salvage()
    for end in _WAL:
        if (original := folder / f"{LEDGER_NAME}{end}").is_file():
            make_file(work / f"damaged{end}")
            shutil.copyfile(original, work / f"damaged{end}")
    if not (work / "damaged").is_file():
        return found
    try:
        with closing(sqlite3.connect(work / "damaged", isolation_level=None)) as connection:
            _read(connection, found)
    except sqlite3.Error:
        pass  # not even its first page can be read
    return found


def _read(connection: sqlite3.Connection, found: Salvage) -> None:
    """Read each part by itself: damage in one says nothing about the others."""
    connection.execute("PRAGMA query_only = ON")
    with suppress(sqlite3.Error, ValueError):
        for row in _segments(connection, found):
            _take(found, *row)
    with suppress(sqlite3.Error):
        paths = connection.execute("SELECT path FROM intents UNION SELECT path FROM discards").fetchall()
        found.unregistered = frozenset(path for (path,) in paths)
    with suppress(sqlite3.Error):
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if _READABLE_FROM <= version <= STORE_VERSION:
            found.totals = read_totals(connection)
            found.request_totals = connection.execute(
                "SELECT instance, metric, labels, part, value FROM request_totals"
            ).fetchall()
            found.shards = _shards(connection, version)
            if version >= NODES_FROM:
                found.nodes = list(read_node_identities(connection))
                found.collected = read_collected_rows(connection)
    with suppress(sqlite3.Error, ValueError, KeyError, TypeError):
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if NODES_FROM <= version <= STORE_VERSION:
            found.sent = read_sent_rows(connection)
            found.node = read_node_state(connection)


def _shards(connection: sqlite3.Connection, version: int) -> list[ShardIdentity]:
    return read_identities(connection) if version >= _SHARDS_FROM else []


def _segments(
    connection: sqlite3.Connection, found: Salvage
) -> Iterator[tuple[str, str | None, int, str, bytes | None]]:
    """The rows of the table of segments, from both ends towards the damage."""
    for order in ("ASC", "DESC"):
        query = f"SELECT id, path, rows, sha256, data FROM segments NOT INDEXED ORDER BY rowid {order}"  # noqa: S608
        try:
            yield from connection.execute(query)
        except sqlite3.Error:
            continue
        found.is_complete = True
        return


def _take(found: Salvage, segment: str, path: str | None, rows: int, sha256: str, data: bytes | None) -> None:
    if segment in found.segments:
        return
    found.segments.add(segment)
    if path is not None:
        found.sha256[path], found.rows[path] = sha256, rows
        return
    try:
        found.tables.append(pa.ipc.open_stream(pa.BufferReader(data)).read_all())
    except (pa.ArrowException, OSError, TypeError):
        found.undecoded[segment] = rows
