"""How many rows arrived for each hour of observation, and how many of them a check of record knows."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from facemon.domain.times import HOUR_MICROS, hour_of
from facemon.store.arrivals import Arrivals, RowsByHour

TABLES = """
CREATE TABLE arrivals (
    model TEXT, hour INTEGER, logged INTEGER NOT NULL, checked INTEGER NOT NULL,
    PRIMARY KEY (model, hour)) WITHOUT ROWID;
"""


class ArrivalTable:
    """`entries.ArrivalRecords` in SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def read(self, model: str) -> Arrivals:
        query = "SELECT hour, logged, logged - checked FROM arrivals WHERE model = ? AND logged > checked"
        unchecked = {hour: (logged, late) for hour, logged, late in self._connection.execute(query, (model,))}
        query = "SELECT EXISTS (SELECT 1 FROM arrivals WHERE model = ? AND checked > 0)"
        (was_checked,) = self._connection.execute(query, (model,)).fetchone()
        return Arrivals(model, unchecked, not was_checked)

    def mark_checked(self, arrivals: Arrivals) -> None:
        self._connection.executemany(
            "UPDATE arrivals SET checked = min(logged, ?) WHERE model = ? AND hour = ?",
            [(logged, arrivals.model, hour) for hour, (logged, _) in arrivals.unchecked.items()],
        )

    def add(self, rows: RowsByHour) -> None:
        self._connection.executemany(
            "INSERT INTO arrivals VALUES (?, ?, ?, 0) "
            "ON CONFLICT (model, hour) DO UPDATE SET logged = logged + excluded.logged",
            [(*key, count) for key, count in rows.items()],
        )

    def replace(self, old: RowsByHour, new: RowsByHour) -> None:
        changes = {key: new.get(key, 0) - old.get(key, 0) for key in {**old, **new}}
        self.add({key: change for key, change in changes.items() if change > 0})
        self._connection.executemany(
            "UPDATE arrivals SET logged = max(0, logged + ?1), checked = min(checked, max(0, logged + ?1)) "
            "WHERE model = ?2 AND hour = ?3",
            [(change, *key) for key, change in changes.items() if change < 0],
        )

    def prune(self, before: datetime) -> None:
        oldest = dict(self._connection.execute("SELECT model, min(first_observed) FROM segments GROUP BY model"))
        models: Iterable[tuple[str]] = self._connection.execute("SELECT DISTINCT model FROM arrivals").fetchall()
        self._connection.executemany(
            "DELETE FROM arrivals WHERE model = ?1 AND (hour < ?2 OR (hour < ?3 AND logged = checked)) AND hour IS NOT "
            "(SELECT max(hour) FROM arrivals WHERE model = ?1 AND checked > 0)",
            [
                (model, oldest[model] // HOUR_MICROS if model in oldest else hour_of(before), hour_of(before))
                for (model,) in models
            ],
        )
