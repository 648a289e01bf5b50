"""The times at which a clock stamped something in the ledger; times of images are not of a clock."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from facemon.domain.clock_judgement import TOLERANCE, SeenTime
from facemon.domain.times import from_micros, micros

_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class _Stamp:
    """A column of times: what its rows are, as SQL, and how many of its units a second has."""

    table: str
    column: str
    what: str
    per_second: int = _SECOND


_STAMPS = (
    _Stamp("baselines", "created", "'reference ' || name"),
    _Stamp("drift_checks", "at", "'the ' || check_name || ' check of ' || model"),
    _Stamp("drift_checks", "decided", "'the decided ' || check_name || ' check of ' || model"),
    _Stamp("drift_sources", "at", "'the ' || check_name || ' check of source ' || source"),
    _Stamp("evaluations", "at", "'the evaluation of ' || model || ' (' || attribute || ')'"),
    _Stamp("command_runs", "finished", "'the last facemon ' || command"),
    _Stamp("command_runs", "last_success", "'the last good facemon ' || command"),
    _Stamp("runs", "started", "'the beginning of run ' || id"),
    _Stamp("runs", "finished", "'the end of run ' || id"),
    _Stamp("discards", "since", "'the replaced file ' || path", 1),
)


# Of each kind of stamp the newest, and of runs the last one.
_NEWEST = """
SELECT at, what FROM (
    SELECT max(created) AS at, 'reference ' || name AS what FROM baselines
    UNION ALL SELECT max(at), 'the ' || check_name || ' check of ' || model FROM drift_checks
    UNION ALL SELECT max(at), 'the evaluation of ' || model FROM evaluations
    UNION ALL SELECT max(finished), 'the last facemon ' || command FROM command_runs
    UNION ALL SELECT max(last_success), 'the last good facemon ' || command FROM command_runs
    UNION ALL SELECT * FROM (
        SELECT coalesce(finished, started), 'run ' || id FROM runs ORDER BY rowid DESC LIMIT 1))
WHERE at IS NOT NULL ORDER BY at DESC LIMIT 1"""


class StampColumns:
    """`entries.StampRecords` in SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def newest(self) -> SeenTime | None:
        found = self._connection.execute(_NEWEST).fetchone()
        return found and SeenTime(from_micros(found[0]), f"the time of {found[1]}")

    def after(self, now: datetime) -> list[SeenTime]:
        found = [
            SeenTime(from_micros(at * (_SECOND // stamp.per_second)), what)
            for stamp in _STAMPS
            for at, what in self._connection.execute(
                f"SELECT {stamp.column}, {stamp.what} FROM {stamp.table} WHERE {stamp.column} > ?",  # noqa: S608
                (_limit(stamp, now),),
            )
        ]
        return sorted(found, key=lambda each: each.at, reverse=True)

    def take_back(self, now: datetime) -> int:
        return sum(self._take_back(stamp, now) for stamp in _STAMPS)

    def _take_back(self, stamp: _Stamp, now: datetime) -> int:
        limit, at = _limit(stamp, now), micros(now) * stamp.per_second // _SECOND
        query = f"SELECT DISTINCT {stamp.column} FROM {stamp.table} WHERE {stamp.column} > ? ORDER BY 1"  # noqa: S608
        times = [time for (time,) in self._connection.execute(query, (limit,))]
        # One after the other: an evaluation is known by its time, and the order of all stays what it was.
        return sum(
            self._connection.execute(
                f"UPDATE {stamp.table} SET {stamp.column} = ? WHERE {stamp.column} = ?",  # noqa: S608
                (at - len(times) + 1 + place, time),
            ).rowcount
            for place, time in enumerate(times)
        )


def _limit(stamp: _Stamp, now: datetime) -> int:
    return micros(now + TOLERANCE) * stamp.per_second // _SECOND
