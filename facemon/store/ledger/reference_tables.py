"""References in the ledger: their facts, profiles and spreads, and the counts of those that are tables."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from facemon.domain.times import from_micros, micros
from facemon.store.named_reference import Reference, ReferenceSpreads, RemovedReference

if TYPE_CHECKING:
    from facemon.domain.profile import Profile
    from facemon.domain.spread import Spread, SpreadProfile

TABLES = """
CREATE TABLE baselines (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, note TEXT NOT NULL, model TEXT,
    origin TEXT NOT NULL, created INTEGER NOT NULL, since INTEGER, until INTEGER, rows INTEGER NOT NULL,
    path TEXT NOT NULL);
CREATE TABLE baseline_profiles (
    baseline TEXT, source TEXT, data BLOB NOT NULL, PRIMARY KEY (baseline, source)) WITHOUT ROWID;
CREATE TABLE baseline_spreads (
    baseline TEXT, scope TEXT CHECK (scope IN ('source', 'whole')), source TEXT, data BLOB NOT NULL,
    PRIMARY KEY (baseline, scope, source)) WITHOUT ROWID;
CREATE TABLE baseline_counts (baseline TEXT, key TEXT, data BLOB NOT NULL, PRIMARY KEY (baseline, key));
"""
_COLUMNS = tuple(field.name for field in fields(Reference))
_KEPT_FACTS = ("id", "name", "kind", "note", "model", "rows")
_TIMES = ("created", "since", "until")
_SOURCE, _WHOLE = "source", "whole"
_REMOVED = "removed"
"""The key in baseline_counts of the record of a removed reference; a key of counts is a digest.

A table of its own would be a new version of the store, which older versions of facemon refuse to open.
"""


class ReferenceTables:
    """`entries.ReferenceRecords` in SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self) -> list[Reference]:
        query = f"SELECT {', '.join(_COLUMNS)} FROM baselines ORDER BY rowid DESC"  # noqa: S608
        return [_reference(row) for row in self._connection.execute(query)]

    def enter(self, reference: Reference, profiles: "Mapping[str | None, Profile]", spreads: ReferenceSpreads) -> None:
        from facemon.domain.profile_codec import encode_profile

        facts = [getattr(reference, name) for name in _COLUMNS]
        values = [micros(fact) if name in _TIMES and fact else fact for name, fact in zip(_COLUMNS, facts, strict=True)]
        self._connection.execute(
            f"INSERT INTO baselines ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(values))})",  # noqa: S608
            values,
        )
        rows = [(reference.id, source or "", encode_profile(profile)) for source, profile in profiles.items()]
        self._connection.executemany("INSERT INTO baseline_profiles VALUES (?, ?, ?)", rows)
        self._enter_spreads(reference.id, spreads)
        self._connection.execute("DELETE FROM intents WHERE segment = ?", (reference.id,))

    def profiles(self, reference: str) -> "dict[str | None, Profile]":
        from facemon.domain.profile_codec import decode_profile

        query = "SELECT source, data FROM baseline_profiles WHERE baseline = ?"
        return {source or None: decode_profile(data) for source, data in self._connection.execute(query, (reference,))}

    def spreads(self, reference: str) -> ReferenceSpreads:
        from facemon.domain.spread_codec import decode_spreads

        query = "SELECT scope, source, data FROM baseline_spreads WHERE baseline = ?"
        by_source: dict[str | None, SpreadProfile] = {}
        whole_days: Mapping[str, Spread] = {}
        for scope, source, data in self._connection.execute(query, (reference,)):
            if scope == _WHOLE:
                whole_days = decode_spreads(data).days
            else:
                by_source[source or None] = decode_spreads(data)
        return ReferenceSpreads(by_source, whole_days)

    def _enter_spreads(self, reference: str, spreads: ReferenceSpreads) -> None:
        from facemon.domain.spread import SpreadProfile
        from facemon.domain.spread_codec import encode_spreads

        rows = [(reference, _SOURCE, source or "", encode_spreads(each)) for source, each in spreads.by_source.items()]
        if spreads.whole_days:
            rows.append((reference, _WHOLE, "", encode_spreads(SpreadProfile(days=spreads.whole_days))))
        self._connection.executemany("INSERT INTO baseline_spreads VALUES (?, ?, ?, ?)", rows)

    def counts(self, reference: str, key: str) -> bytes | None:
        query = "SELECT data FROM baseline_counts WHERE baseline = ? AND key = ?"
        row = self._connection.execute(query, (reference, key)).fetchone()
        return None if row is None else bytes(row[0])

    def keep_counts(self, reference: str, key: str, data: bytes, most: int) -> None:
        # A check may end after the reference that it began with was removed.
        self._connection.execute(
            "INSERT OR REPLACE INTO baseline_counts SELECT id, ?, ? FROM baselines WHERE id = ?", (key, data, reference)
        )
        self._connection.execute(
            "DELETE FROM baseline_counts WHERE baseline = ?1 AND rowid NOT IN "
            "(SELECT rowid FROM baseline_counts WHERE baseline = ?1 ORDER BY rowid DESC LIMIT ?2)",
            (reference, most),
        )

    def remove(self, reference: Reference, at: datetime) -> None:
        for table in ("baseline_profiles", "baseline_spreads", "baseline_counts"):
            self._connection.execute(f"DELETE FROM {table} WHERE baseline = ?", (reference.id,))  # noqa: S608
        self._connection.execute("DELETE FROM baselines WHERE id = ?", (reference.id,))
        # Seconds, as those of all files that are given up.
        self._connection.execute("INSERT INTO discards VALUES (?, ?)", (reference.path, int(at.timestamp())))
        facts = {name: getattr(reference, name) for name in _KEPT_FACTS}
        times = {"created": micros(reference.created), "removed": micros(at)}
        data = json.dumps(facts | times, ensure_ascii=False).encode()
        self._connection.execute("INSERT INTO baseline_counts VALUES (?, ?, ?)", (reference.id, _REMOVED, data))

    def removed(self) -> list[RemovedReference]:
        query = "SELECT data FROM baseline_counts WHERE key = ? ORDER BY rowid"
        return [_removed(json.loads(data)) for (data,) in self._connection.execute(query, (_REMOVED,))]


def _removed(facts: dict[str, Any]) -> RemovedReference:
    times = {name: from_micros(facts[name]) for name in ("created", "removed")}
    return RemovedReference(**(facts | times))


def _reference(row: tuple[Any, ...]) -> Reference:
    facts = dict(zip(_COLUMNS, row, strict=True))
    for name in _TIMES:
        facts[name] = None if facts[name] is None else from_micros(facts[name])
    return Reference(**facts)
