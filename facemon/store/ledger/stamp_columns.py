"""Stamps from the future, which a clock that was ahead left in a ledger, and how they are taken back."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from facemon.domain.clock_judgement import TOLERANCE, SeenTime
from facemon.domain.times import from_micros, micros
from facemon.store.ledger.sqlite_ledger import Ledger

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


def future_stamps(ledger: Ledger, now: datetime) -> list[SeenTime]:
    """All stamps that are more than a day ahead of a time, the furthest first."""
    with ledger.reading() as connection:
        found = [
            SeenTime(from_micros(at * (_SECOND // stamp.per_second)), what)
            for stamp in _STAMPS
            for at, what in connection.execute(
                f"SELECT {stamp.column}, {stamp.what} FROM {stamp.table} WHERE {stamp.column} > ?",  # noqa: S608
                (_limit(stamp, now),),
            )
        ]
    return sorted(found, key=lambda each: each.at, reverse=True)


def take_back(ledger: Ledger, now: datetime) -> int:
    """Set all stamps that are more than a day ahead of a time to that time; answer how many they were.

    Rows of the log and the history of drift checks keep the times that they were written with.
    """
    with ledger.writing() as connection:
        return sum(_take_back(connection, stamp, now) for stamp in _STAMPS)


def _take_back(connection: sqlite3.Connection, stamp: _Stamp, now: datetime) -> int:
    limit, at = _limit(stamp, now), micros(now) * stamp.per_second // _SECOND
    query = f"SELECT DISTINCT {stamp.column} FROM {stamp.table} WHERE {stamp.column} > ? ORDER BY 1"  # noqa: S608
    times = [time for (time,) in connection.execute(query, (limit,))]
    # One after the other: evaluations are told apart by their time, and the order of all stays what it was.
    return sum(
        connection.execute(
            f"UPDATE {stamp.table} SET {stamp.column} = ? WHERE {stamp.column} = ?",  # noqa: S608
            (at - len(times) + 1 + place, time),
        ).rowcount
        for place, time in enumerate(times)
    )


def _limit(stamp: _Stamp, now: datetime) -> int:
    return micros(now + TOLERANCE) * stamp.per_second // _SECOND
