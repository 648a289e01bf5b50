"""How many rows were logged for each hour of observation, and how many of them the last check of record knew.

A check of record looks at a window that ends now. Rows that are logged later for times before the next window are seen
by no check; from these counts a check tells how many there are.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from facemon.domain.times import hour_of

if TYPE_CHECKING:
    import pyarrow as pa

_HOUR = 3_600_000_000

RowsByHour = Mapping[tuple[str, int], int]
"""Numbers of rows by model and UTC hour, counted from 1970."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The rows of a model that no check of record has counted as seen, in one state of the ledger.

    Read them in the transaction that reads the check's window, or rows that are logged in between are told of wrongly.
    """

    model: str
    unchecked: Mapping[int, tuple[int, int]]
    """By hour: how many rows were logged so far, and how many of them after the last check of record."""
    is_first: bool
    """Whether no check of record was entered yet: there is no last one since which rows could be late."""

    def late_rows(self, since: datetime) -> int:
        """Return how many rows were logged since the last check of record for times before a window's start.

        The hour that `since` cuts is left out, because the window has a part of it: the number may be too low by the
        late rows of that hour, and is never too high.
        """
        if self.is_first:
            return 0
        first = hour_of(since)
        return sum(late for hour, (_, late) in self.unchecked.items() if hour < first)


def read_arrivals(connection: sqlite3.Connection, model: str) -> Arrivals:
    """Read which rows of a model the next check of record is the first to know."""
    query = "SELECT hour, logged, logged - checked FROM arrivals WHERE model = ? AND logged > checked"
    unchecked = {hour: (logged, late) for hour, logged, late in connection.execute(query, (model,))}
    query = "SELECT EXISTS (SELECT 1 FROM arrivals WHERE model = ? AND checked > 0)"
    (was_checked,) = connection.execute(query, (model,)).fetchone()
    return Arrivals(model, unchecked, not was_checked)


def mark_checked(connection: sqlite3.Connection, arrivals: Arrivals) -> None:
    """Enter that a check of record knows these rows, in the transaction that enters its result.

    Rows that were logged since they were read stay late for the next check.
    """
    connection.executemany(
        "UPDATE arrivals SET checked = min(logged, ?) WHERE model = ? AND hour = ?",
        [(logged, arrivals.model, hour) for hour, (logged, _) in arrivals.unchecked.items()],
    )


def rows_by_hour(table: "pa.Table") -> dict[tuple[str, int], int]:
    """Count the rows of a table of the log, all of one model."""
    import numpy as np
    import pyarrow as pa

    if not table.num_rows:
        return {}
    hours, counts = np.unique(table["observed_at"].cast(pa.int64()).to_numpy() // _HOUR, return_counts=True)
    model = table["model"][0].as_py()
    return {(model, hour): count for hour, count in zip(hours.tolist(), counts.tolist(), strict=True)}


def add_arrivals(connection: sqlite3.Connection, rows: RowsByHour) -> None:
    """Count rows as logged, in the transaction that registers their segment."""
    connection.executemany(
        "INSERT INTO arrivals VALUES (?, ?, ?, 0) "
        "ON CONFLICT (model, hour) DO UPDATE SET logged = logged + excluded.logged",
        [(*key, count) for key, count in rows.items()],
    )


def replace_arrivals(connection: sqlite3.Connection, old: RowsByHour, new: RowsByHour) -> None:
    """Count rows that take the place of others, which are the same images predicted again: only what is more is new.

    An hour that loses rows, because an image's date could be read now, loses those first that no check knows.
    """
    changes = {key: new.get(key, 0) - old.get(key, 0) for key in {**old, **new}}
    add_arrivals(connection, {key: change for key, change in changes.items() if change > 0})
    connection.executemany(
        "UPDATE arrivals SET logged = max(0, logged + ?1), checked = min(checked, max(0, logged + ?1)) "
        "WHERE model = ?2 AND hour = ?3",
        [(change, *key) for key, change in changes.items() if change < 0],
    )


def prune_arrivals(connection: sqlite3.Connection, before: datetime) -> None:
    """Forget hours before a time whose rows are all known to a check, or are no longer in the log.

    The newest hour that a check knows stays: it tells that there was one.
    """
    oldest = dict(connection.execute("SELECT model, min(first_observed) FROM segments GROUP BY model"))
    models: Iterable[tuple[str]] = connection.execute("SELECT DISTINCT model FROM arrivals").fetchall()
    connection.executemany(
        "DELETE FROM arrivals WHERE model = ?1 AND (hour < ?2 OR (hour < ?3 AND logged = checked)) AND hour IS NOT "
        "(SELECT max(hour) FROM arrivals WHERE model = ?1 AND checked > 0)",
        [
            (model, oldest[model] // _HOUR if model in oldest else hour_of(before), hour_of(before))
            for (model,) in models
        ],
    )
