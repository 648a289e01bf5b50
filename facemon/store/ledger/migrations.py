"""The steps that bring the ledger of an older store to the present version, one by one.

To change a table: change it in `TABLES` of the module that keeps it, write a function that changes it in an older
ledger, and add it to MIGRATIONS with the next number, which `header.STORE_VERSION` becomes. Steps that were released
are never changed.
"""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from facemon.store.ledger.drift_attribution import keep_drift_by_model
from facemon.store.ledger.total_attribution import keep_totals_by_model


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: what a ledger of the version before `to_version` lacks."""

    to_version: int
    summary: str
    """For the changelog and `facemon store info`: what the step changes."""
    run: Callable[[sqlite3.Connection, Path], None]
    """Is given the ledger inside of a transaction, and the store's folder.

    It neither begins nor commits, and changes no file in a way that a second run would not repeat: a process that is
    killed leaves the ledger as it was, and the step is run again. It must accept each state that code of the version
    before could leave, and must not import modules whose meaning may change later, such as the names of columns.
    """


def _to_2(connection: sqlite3.Connection, folder: Path) -> None:
    """Version 1 was 45ca777 to 96642ed; its tables never changed."""
    del folder
    connection.execute(
        "CREATE TABLE IF NOT EXISTS baseline_counts (baseline TEXT, key TEXT, data BLOB NOT NULL, "
        "PRIMARY KEY (baseline, key))"
    )
    _create_labelled_images(connection)
    _create_announced_drift(connection)


def _to_3(connection: sqlite3.Connection, folder: Path) -> None:
    """Version 2 was 4b8de91 to 121e9b1; its tables changed three times, and its number did not."""
    del folder
    connection.execute(
        "CREATE TABLE IF NOT EXISTS baseline_counts (baseline TEXT, key TEXT, data BLOB NOT NULL, "
        "PRIMARY KEY (baseline, key))"
    )
    if "hour" in _columns_of(connection, "evaluations"):
        _sum_evaluations(connection)
    _create_labelled_images(connection)
    if "reference" not in _columns_of(connection, "announced_drift"):
        _name_what_was_compared(connection)
    if "flushes" not in _columns_of(connection, "runs"):
        connection.execute("ALTER TABLE runs ADD COLUMN flushes INTEGER NOT NULL DEFAULT 0")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS request_totals (instance TEXT, metric TEXT, labels TEXT, part TEXT, "
        "value REAL NOT NULL, PRIMARY KEY (instance, metric, labels, part)) WITHOUT ROWID"
    )


def _add_times_of_arrival(connection: sqlite3.Connection, folder: Path) -> None:
    """Segments tell when they were predicted; rows are counted by hour as they arrive."""
    del folder
    # Made again, because a column that is added stands behind the data, which SQLite must then read to get at it. When
    # the rows were predicted is in the rows: retention looks when it needs to know, which is what NULL means.
    connection.execute("ALTER TABLE segments RENAME TO older_segments")
    connection.execute(
        "CREATE TABLE segments (id TEXT PRIMARY KEY, path TEXT, rows INTEGER NOT NULL, model TEXT NOT NULL, "
        "first_observed INTEGER NOT NULL, last_observed INTEGER NOT NULL, last_predicted INTEGER, "
        "sha256 TEXT NOT NULL, data BLOB)"
    )
    connection.execute(
        "INSERT INTO segments SELECT id, path, rows, model, first_observed, last_observed, NULL, sha256, data "
        "FROM older_segments"
    )
    connection.execute("DROP TABLE older_segments")
    connection.execute("CREATE INDEX segments_by_time ON segments (first_observed, last_observed)")
    # Earlier rows are not counted: none of them is late for the next check.
    connection.execute(
        "CREATE TABLE arrivals (model TEXT, hour INTEGER, logged INTEGER NOT NULL, checked INTEGER NOT NULL, "
        "PRIMARY KEY (model, hour)) WITHOUT ROWID"
    )


def _create_labelled_images(connection: sqlite3.Connection) -> None:
    # Earlier evaluations kept no images: a check of accuracy needs a new `facemon evaluate`.
    connection.execute(
        "CREATE TABLE IF NOT EXISTS labelled_images (model TEXT, attribute TEXT, image TEXT, hour INTEGER, "
        "source TEXT NOT NULL, is_right INTEGER NOT NULL, PRIMARY KEY (model, attribute, image, hour)) WITHOUT ROWID"
    )


def _create_announced_drift(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS announced_drift (model TEXT, reference TEXT, current TEXT, source TEXT, "
        "check_name TEXT, column_name TEXT, "
        "PRIMARY KEY (model, reference, current, source, check_name, column_name)) WITHOUT ROWID"
    )


def _sum_evaluations(connection: sqlite3.Connection) -> None:
    """Evaluations of each hour and source become one for each attribute."""
    connection.execute("ALTER TABLE evaluations RENAME TO evaluations_by_hour")
    connection.execute(
        "CREATE TABLE evaluations (at INTEGER, model TEXT, attribute TEXT, correct INTEGER NOT NULL, "
        "labelled INTEGER NOT NULL, PRIMARY KEY (at, model, attribute)) WITHOUT ROWID"
    )
    connection.execute(
        "INSERT INTO evaluations SELECT at, model, attribute, sum(correct), sum(labelled) "
        "FROM evaluations_by_hour GROUP BY at, model, attribute"
    )
    connection.execute("DROP TABLE evaluations_by_hour")


def _name_what_was_compared(connection: sqlite3.Connection) -> None:
    """Announced drift gets the reference and the table of the newest check of its model.

    Without them the user's command would be run again for a drift that it was told of.
    """
    told = connection.execute("SELECT model, source, check_name, column_name FROM announced_drift").fetchall()
    connection.execute("DROP TABLE announced_drift")
    _create_announced_drift(connection)
    compared: dict[str, tuple[str, str]] = {}
    for (text,) in connection.execute("SELECT document FROM drift_results ORDER BY id"):
        document = json.loads(text)
        sides = (document.get("reference") or {}, document.get("current") or {})
        reference, current = (side.get("name") or "" for side in sides)
        compared[document.get("model") or ""] = (reference, current)
    # Keys that differed only in the words before the source become the same key.
    connection.executemany(
        "INSERT OR IGNORE INTO announced_drift VALUES (?, ?, ?, ?, ?, ?)",
        [
            (model, *compared[model], _source_as_json(source), check, column)
            for model, source, check, column in told
            if model in compared
        ],
    )


def _source_as_json(source: str) -> str:
    """Empty was the whole, one source's rows its name, and one of `--by source` had words before it."""
    return json.dumps(source.removeprefix("by source: ") if source else None)


def _to_4(connection: sqlite3.Connection, folder: Path) -> None:
    """Version 3 was 6447341 to ffcca1c; its tables never changed."""
    keep_drift_by_model(connection, folder)
    keep_totals_by_model(connection, folder)
    _add_times_of_arrival(connection, folder)


def _to_5(connection: sqlite3.Connection, folder: Path) -> None:
    """Version 4 was fbd1c31 to e99f01f; its tables never changed."""
    del folder
    # Earlier references get no spreads: their profiles do not tell one hour from another.
    connection.execute(
        "CREATE TABLE baseline_spreads (baseline TEXT, scope TEXT CHECK (scope IN ('source', 'whole')), source TEXT, "
        "data BLOB NOT NULL, PRIMARY KEY (baseline, scope, source)) WITHOUT ROWID"
    )
    connection.execute(
        "CREATE TABLE drift_sources (model TEXT, check_name TEXT, source TEXT, detected INTEGER, "
        "rows INTEGER NOT NULL, undecided INTEGER NOT NULL, at INTEGER NOT NULL, "
        "PRIMARY KEY (model, check_name, source)) WITHOUT ROWID"
    )


def _to_6(connection: sqlite3.Connection, folder: Path) -> None:
    """Version 5 was d1eef67 to bf134e1; its tables never changed.

    Profiles have another form from here on, which code of version 5 cannot read. Those that are there keep the old
    one until rows are added to them: both forms are read, and to write all of them again would take minutes.
    """
    del connection, folder


def _to_7(connection: sqlite3.Connection, folder: Path) -> None:
    """Version 6 was b974660 to 89e8658; its tables never changed."""
    del folder
    connection.execute(
        "CREATE TABLE deliveries (name TEXT, shard INTEGER, shards INTEGER NOT NULL, job TEXT NOT NULL, "
        "digest TEXT NOT NULL, run TEXT NOT NULL, etag TEXT, PRIMARY KEY (name, shard)) WITHOUT ROWID"
    )


def _to_8(connection: sqlite3.Connection, folder: Path) -> None:
    """Version 7 was 760676a to 6814e6c; its tables never changed."""
    del folder
    connection.execute(
        "CREATE TABLE node (node TEXT NOT NULL, epoch TEXT NOT NULL, location TEXT NOT NULL, "
        "ledger_file INTEGER NOT NULL, number INTEGER NOT NULL, latencies TEXT, pending TEXT, until INTEGER)"
    )
    connection.execute("CREATE TABLE sent_segments (segment TEXT PRIMARY KEY) WITHOUT ROWID")
    connection.execute(
        "CREATE TABLE node_deliveries (node TEXT, epoch TEXT, number INTEGER, digest TEXT NOT NULL, etag TEXT, "
        "newest INTEGER NOT NULL, written INTEGER NOT NULL, PRIMARY KEY (node, epoch, number)) WITHOUT ROWID"
    )
    for table in ("sent_rows", "collected_rows"):
        connection.execute(
            f"CREATE TABLE {table} (run TEXT, first INTEGER, behind INTEGER NOT NULL, PRIMARY KEY (run, first)) "
            "WITHOUT ROWID"
        )


def _columns_of(connection: sqlite3.Connection, table: str) -> set[str]:
    """The names of a table's columns; empty where the table is missing."""
    return {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}


MIGRATIONS: tuple[Migration, ...] = (
    Migration(2, "counts of tables that are references, labelled images, drift that was announced", _to_2),
    Migration(3, "one evaluation for each attribute, transactions of a run, counters of requests", _to_3),
    Migration(4, "gauges and counts by model, when rows were predicted and by which hour they arrived", _to_4),
    Migration(5, "how much the hours and days of references differ, drift by source", _to_5),
    Migration(6, "new profiles take less than half the bytes", _to_6),
    Migration(7, "which shards were collected from a shared log", _to_7),
    Migration(8, "what was delivered to a shared log, and which nodes' deliveries were collected", _to_8),
)
"""In the order of their numbers, without a gap, from the oldest version to the present one."""
