"""Profiles by hour and source while their rows are read, held as bytes: hours come in no order."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from facemon.domain.profile import Profile, ProfileKey, add_profiles
from facemon.domain.profile_codec import decode_profile, encode_profile
from facemon.store.ledger.entries import StoredProfile
from facemon.store.row_profiles import profile_rows

_BATCH_ROWS = 131_072
"""Small tables are counted together, since each costs as much time as it has hours and sources."""
_MOST_PARTS = 4
"""Profiles of one hour and source that are held before they are added up."""


@dataclass(frozen=True, slots=True)
class _HeldProfile:
    """`entries.StoredProfile` of rows that were just counted."""

    parts: tuple[bytes, ...]

    def unpacked(self) -> Profile:
        """The profile."""
        return add_profiles(map(decode_profile, self.parts))


class HeldHours:
    """Gathers log rows by hour and source."""

    def __init__(self) -> None:
        self.sources: set[str | None] = set()
        """The sources of the rows so far."""
        self._held: dict[ProfileKey, list[bytes]] = {}
        self._waiting: list[pa.Table] = []

    def add_rows(self, table: pa.Table) -> None:
        """Add log rows with the columns that `profile_rows` needs; images must be whole."""
        self.sources.update(source or None for source in table["source"].unique().to_pylist())
        # A column that rows lack must not become one without values.
        if self._waiting and not self._waiting[0].schema.equals(table.schema):
            self._count_waiting()
        self._waiting.append(table)
        if sum(waiting.num_rows for waiting in self._waiting) >= _BATCH_ROWS:
            self._count_waiting()

    def profiles(self) -> Iterator[tuple[ProfileKey, StoredProfile]]:
        """What was gathered, in no order."""
        self._count_waiting()
        return ((key, _HeldProfile(tuple(parts))) for key, parts in self._held.items())

    def _count_waiting(self) -> None:
        if not self._waiting:
            return
        table = pa.concat_tables(self._waiting)
        self._waiting = []
        for key, profile in profile_rows(table).items():
            parts = self._held.setdefault(key, [])
            parts.append(encode_profile(profile))
            if len(parts) > _MOST_PARTS:
                parts[:] = [encode_profile(add_profiles(map(decode_profile, parts)))]
