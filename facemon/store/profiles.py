"""The profiles in the ledger: rows are added to their hour, and hours are added to a window."""

import sqlite3
from collections.abc import Iterable, Mapping

from facemon.values.profile import (
    OTHER,
    Profile,
    ProfileKey,
    add_profiles,
    decode_profile,
    encode_profile,
    subtract_profile,
)

MAX_SOURCES = 64
_NO_SOURCE = ""


def add_to_profiles(connection: sqlite3.Connection, profiles: Mapping[ProfileKey, Profile]) -> None:
    """Add the profiles of new rows to those of their hours."""
    for key, profile in _cap_sources(connection, profiles).items():
        present = _read(connection, key)
        _write(connection, key, add_profiles([present, profile]) if present else profile)


def subtract_from_profiles(connection: sqlite3.Connection, profiles: Mapping[ProfileKey, Profile]) -> None:
    """Take the profiles of rows that go out of those of their hours; an hour without rows goes too."""
    for key, profile in _cap_sources(connection, profiles).items():
        present = _read(connection, key)
        if present is None:
            continue
        rest = subtract_profile(present, profile)
        if rest.is_empty:
            connection.execute(
                "DELETE FROM profiles WHERE hour = ? AND model = ? AND source = ? AND origin = ?", _row_key(key)
            )
        else:
            _write(connection, key, rest)


def read_profiles(
    connection: sqlite3.Connection, first_hour: int, end_hour: int, model: str
) -> dict[ProfileKey, Profile]:
    """The profiles of a model for the hours `[first_hour, end_hour)`."""
    rows = connection.execute(
        "SELECT hour, model, source, origin, data FROM profiles WHERE hour >= ? AND hour < ? AND model = ?",
        (first_hour, end_hour, model),
    )
    return {
        ProfileKey(hour, model, source or None, origin): decode_profile(data)
        for hour, model, source, origin, data in rows
    }


def read_all_profiles(connection: sqlite3.Connection) -> dict[ProfileKey, Profile]:
    """Every profile of the ledger, to be verified."""
    rows = connection.execute("SELECT hour, model, source, origin, data FROM profiles")
    return {ProfileKey(row[0], row[1], row[2] or None, row[3]): decode_profile(row[4]) for row in rows}


def by_source(profiles: Iterable[tuple[ProfileKey, Profile]]) -> dict[str | None, Profile]:
    """Profiles added up over hours and origins, apart by source."""
    gathered: dict[str | None, list[Profile]] = {}
    for key, profile in profiles:
        gathered.setdefault(key.source, []).append(profile)
    return {source: add_profiles(parts) for source, parts in gathered.items()}


def _cap_sources(connection: sqlite3.Connection, profiles: Mapping[ProfileKey, Profile]) -> dict[ProfileKey, Profile]:
    """Count the rows of a source beyond the hour's first 64 under `other`, so that an hour stays small."""
    capped: dict[ProfileKey, list[Profile]] = {}
    kept: dict[tuple[int, str, str], set[str]] = {}
    for own_key, profile in profiles.items():
        key = own_key
        hour = (key.hour, key.model, key.origin)
        if hour not in kept:
            rows = connection.execute("SELECT source FROM profiles WHERE hour = ? AND model = ? AND origin = ?", hour)
            kept[hour] = {source for (source,) in rows if source not in (_NO_SOURCE, OTHER)}
        if key.source is not None and key.source not in kept[hour]:
            if len(kept[hour]) < MAX_SOURCES:
                kept[hour].add(key.source)
            else:
                key = key._replace(source=OTHER)
        capped.setdefault(key, []).append(profile)
    return {key: parts[0] if len(parts) == 1 else add_profiles(parts) for key, parts in capped.items()}


def _read(connection: sqlite3.Connection, key: ProfileKey) -> Profile | None:
    row = connection.execute(
        "SELECT data FROM profiles WHERE hour = ? AND model = ? AND source = ? AND origin = ?", _row_key(key)
    ).fetchone()
    return decode_profile(row[0]) if row else None


def _write(connection: sqlite3.Connection, key: ProfileKey, profile: Profile) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO profiles VALUES (?, ?, ?, ?, ?)", (*_row_key(key), encode_profile(profile))
    )


def _row_key(key: ProfileKey) -> tuple[int, str, str, str]:
    return key.hour, key.model, key.source or _NO_SOURCE, key.origin
