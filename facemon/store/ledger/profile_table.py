"""The profiles in the ledger: rows are added to their hour, and hours are added to a window."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from facemon.domain.profile import OTHER, Profile, ProfileKey, add_profiles, subtract_profile
from facemon.domain.profile_codec import DAMAGED, decode_profile, encode_profile, images_of

TABLES = """
CREATE TABLE profiles (
    hour INTEGER, model TEXT, source TEXT, origin TEXT, data BLOB NOT NULL,
    PRIMARY KEY (hour, model, source, origin)) WITHOUT ROWID;
"""
MAX_SOURCES = 64
_NO_SOURCE = ""


@dataclass(frozen=True, slots=True)
class StoredProfile:
    """`entries.StoredProfile` in SQLite."""

    data: bytes

    def unpacked(self) -> Profile:
        """The profile; DatabaseError where its bytes are damaged."""
        return _decoded(self.data)


class ProfileTable:
    """`entries.ProfileRecords` in SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, profiles: Mapping[ProfileKey, Profile]) -> None:
        """Add the profiles of new rows to those of their hours."""
        for key, profile in self._place_sources(profiles, admit=True).items():
            present = self._read(key)
            self._write(key, add_profiles([present, profile]) if present else profile)

    def subtract(self, profiles: Mapping[ProfileKey, Profile]) -> None:
        """Take the profiles of rows that go out of those of their hours; an hour without rows goes too."""
        for key, profile in self.as_counted(profiles).items():
            if present := self._read(key):
                self._write(key, subtract_profile(present, profile))
        for hour in {(key.hour, key.model, key.origin) for key in profiles}:
            self._remove_empty(hour)

    def replace(self, hours: Iterable[tuple[int, str, str]], profiles: Mapping[ProfileKey, Profile]) -> None:
        """Put the profiles of all rows of some (hour, model, origin) in the place of those that the ledger has."""
        for hour in hours:
            self._connection.execute("DELETE FROM profiles WHERE hour = ? AND model = ? AND origin = ?", hour)
        self.add(profiles)

    def as_counted(self, profiles: Mapping[ProfileKey, Profile]) -> dict[ProfileKey, Profile]:
        """Profiles of rows that are in the ledger already, under the sources that it counts them under."""
        return self._place_sources(profiles, admit=False)

    def hours(self, first_hour: int, end_hour: int, model: str) -> Iterator[tuple[ProfileKey, Profile]]:
        """The profiles of a model for the hours `[first_hour, end_hour)`, one at a time, in the order of time."""
        return ((key, stored.unpacked()) for key, stored in self.stored_hours(first_hour, end_hour, model))

    def stored_hours(self, first_hour: int, end_hour: int, model: str) -> Iterator[tuple[ProfileKey, StoredProfile]]:
        """As `hours`, to be unpacked later."""
        rows = self._connection.execute(
            "SELECT hour, model, source, origin, data FROM profiles "
            "WHERE hour >= ? AND hour < ? AND model = ? AND data <> x'' ORDER BY hour",
            (first_hour, end_hour, model),
        )
        for hour, name, source, origin, data in rows:
            yield ProfileKey(hour, name, source or None, origin), StoredProfile(data)

    def count_images(self, first_hour: int, end_hour: int, model: str) -> int:
        """The images of a model in the hours `[first_hour, end_hour)`."""
        query = "SELECT data FROM profiles WHERE hour >= ? AND hour < ? AND model = ? AND data <> x''"
        return sum(images_of(data) for (data,) in self._connection.execute(query, (first_hour, end_hour, model)))

    def last_hour(self, model: str, source: str, end_hour: int) -> int | None:
        """The last hour before `end_hour` in which a source has rows of its own; none where it has none."""
        query = (
            "SELECT hour FROM profiles WHERE hour < ? AND model = ? AND source = ? AND data <> x'' "
            "ORDER BY hour DESC LIMIT 1"
        )
        row = self._connection.execute(query, (end_hour, model, source)).fetchone()
        return None if row is None else int(row[0])

    def known_sources(self, first_hour: int, origin: str, most: int) -> list[str]:
        """The named sources of an origin from an hour on, of too many those that have rows in the most hours."""
        query = (
            "SELECT source FROM profiles WHERE hour >= ? AND origin = ? AND source NOT IN (?, ?) "
            "GROUP BY source ORDER BY count(*) DESC, source LIMIT ?"
        )
        rows = self._connection.execute(query, (first_hour, origin, _NO_SOURCE, OTHER, most))
        return [source for (source,) in rows]

    def has_source(self, source: str) -> bool:
        """Whether the log has, or had, rows of a source of that name."""
        return (
            self._connection.execute("SELECT 1 FROM profiles WHERE source = ? LIMIT 1", (source,)).fetchone()
            is not None
        )

    def crowded_hours(self, first_hour: int, end_hour: int, model: str) -> set[int]:
        """The hours `[first_hour, end_hour)` in which a model has more sources than places, so that some are `other`.

        A source that is really called so stands there too, but without them while there are places left.
        """
        query = (
            "SELECT hour FROM profiles WHERE hour >= ? AND hour < ? AND model = ? GROUP BY hour, origin "
            "HAVING max(source = ? AND length(data) > 0) AND sum(source NOT IN (?, ?)) >= ?"
        )
        values = (first_hour, end_hour, model, OTHER, OTHER, _NO_SOURCE, MAX_SOURCES)
        return {hour for (hour,) in self._connection.execute(query, values)}

    def all(self) -> dict[ProfileKey, Profile]:
        """Every profile of the ledger, to be verified; one that cannot be decoded is empty, which none is."""
        found = {}
        for *key, data in self._connection.execute(
            "SELECT hour, model, source, origin, data FROM profiles WHERE data <> x''"
        ):
            hour, model, source, origin = key
            try:
                profile = _decoded(data)
            except sqlite3.DatabaseError:
                profile = Profile()
            found[ProfileKey(hour, model, source or None, origin)] = profile
        return found

    def _place_sources(self, profiles: Mapping[ProfileKey, Profile], *, admit: bool) -> dict[ProfileKey, Profile]:
        """Count the rows of a source beyond the hour's first 64 under `other`, so that an hour stays small.

        A source that has a row in the hour is counted there; with `admit` a new one gets a row while there are fewer.
        """
        capped: dict[ProfileKey, list[Profile]] = {}
        kept: dict[tuple[int, str, str], set[str]] = {}
        for own_key, profile in profiles.items():
            key = own_key
            hour = (key.hour, key.model, key.origin)
            if hour not in kept:
                rows = self._connection.execute(
                    "SELECT source FROM profiles WHERE hour = ? AND model = ? AND origin = ?", hour
                )
                kept[hour] = {source for (source,) in rows if source not in (_NO_SOURCE, OTHER)}
            if key.source not in (None, OTHER) and key.source not in kept[hour]:
                if admit and len(kept[hour]) < MAX_SOURCES:
                    kept[hour].add(key.source)
                else:
                    key = key._replace(source=OTHER)
            capped.setdefault(key, []).append(profile)
        return {key: parts[0] if len(parts) == 1 else add_profiles(parts) for key, parts in capped.items()}

    def _read(self, key: ProfileKey) -> Profile | None:
        row = self._connection.execute(
            "SELECT data FROM profiles WHERE hour = ? AND model = ? AND source = ? AND origin = ?", _row_key(key)
        ).fetchone()
        return _decoded(row[0]) if row and row[0] else None

    def _write(self, key: ProfileKey, profile: Profile) -> None:
        data = b"" if profile.is_empty else encode_profile(profile)
        self._connection.execute("INSERT OR REPLACE INTO profiles VALUES (?, ?, ?, ?, ?)", (*_row_key(key), data))

    def _remove_empty(self, hour: tuple[int, str, str]) -> None:
        """Remove an hour's sources without rows, unless `other` has some.

        Their places must stay taken then: a source that moved from `other` to a place of its own would have rows in
        both, and which of them go with its segments would be unknown.
        """
        where = "hour = ? AND model = ? AND origin = ?"
        self._connection.execute(f"DELETE FROM profiles WHERE {where} AND source = ? AND data = x''", (*hour, OTHER))  # noqa: S608
        query = f"SELECT 1 FROM profiles WHERE {where} AND source = ?"  # noqa: S608
        if not self._connection.execute(query, (*hour, OTHER)).fetchone():
            self._connection.execute(f"DELETE FROM profiles WHERE {where} AND data = x''", hour)  # noqa: S608


def _decoded(data: bytes) -> Profile:
    """A profile from the ledger; DatabaseError where its bytes are damaged, which SQLite does not notice."""
    try:
        return decode_profile(data)
    except DAMAGED as error:
        raise sqlite3.DatabaseError(f"a profile cannot be decoded: {error}") from error


def _row_key(key: ProfileKey) -> tuple[int, str, str, str]:
    return key.hour, key.model, key.source or _NO_SOURCE, key.origin
