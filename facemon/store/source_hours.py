"""Profiles added up by source hour after hour, with how much the hours of each source differ."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from facemon.domain.hourly_spread import add_hours
from facemon.domain.profile import Profile, ProfileKey, add_profiles, subtract_profile
from facemon.domain.source_buckets import SourceProfiles
from facemon.domain.spread import Spread, SpreadProfile, add_column_spreads
from facemon.store.ledger.entries import StoredProfile

MOST_HOURS = 64
"""So many hours of a source are kept before they become one profile and their spreads."""
_MOST_PARTS = 4
"""Profiles of one hour that are held before they are added up."""
_LARGE_BLOCK = 31 << 20
"""Bytes; of more than 32 MiB glibc takes no notice."""


@dataclass(slots=True)
class _Hours:
    """The hours of one source: those that are kept apart, and what came of those before them."""

    apart: dict[int, list[Profile | StoredProfile]] = field(default_factory=dict)
    before: tuple[int, Profile] | None = None
    profile: Profile = field(default_factory=Profile)
    spreads: dict[str, Spread] = field(default_factory=dict)

    def add(self, hour: int, profile: Profile | StoredProfile) -> None:
        if hour not in self.apart and len(self.apart) == MOST_HOURS:
            self.fold()
        parts = self.apart.setdefault(hour, [])
        parts.append(profile)
        if len(parts) > _MOST_PARTS:
            parts[:] = [_added(parts)]

    def fold(self) -> None:
        """Put the hours together; the last one stays to be compared with the next."""
        hours = [(hour, _added(parts)) for hour, parts in sorted(self.apart.items())]
        if not hours:
            return
        if self.before is None:
            self.profile, self.spreads = add_hours(hours)
        else:
            whole, found = add_hours([self.before, *hours])
            self.profile = subtract_profile(add_profiles([self.profile, whole]), self.before[1])
            self.spreads = add_column_spreads([self.spreads, found])
        self.before = hours[-1]
        self.apart.clear()


class SourceHours:
    """Gathers hours by source, in memory that does not grow with their number.

    More than `MOST_HOURS` of them must come in the order of time.
    """

    def __init__(self) -> None:
        self._sources: dict[str | None, _Hours] = {}

    def add(self, key: ProfileKey, profile: Profile | StoredProfile) -> None:
        """Add a profile to its source's and its hour's; a stored one is unpacked when its hours are put together."""
        self._sources.setdefault(key.source, _Hours()).add(key.hour, profile)

    def sums(self) -> tuple[dict[str | None, Profile], dict[str | None, dict[str, Spread]]]:
        """Return the profile and the spreads of each source; DatabaseError where a stored profile is damaged."""
        for hours in self._sources.values():
            hours.fold()
        return (
            {source: hours.profile for source, hours in self._sources.items()},
            {source: hours.spreads for source, hours in self._sources.items()},
        )


def _added(parts: Sequence[Profile | StoredProfile]) -> Profile:
    return add_profiles(each if isinstance(each, Profile) else each.unpacked() for each in parts)


def with_hourly_spreads(profiles: Iterable[tuple[ProfileKey, Profile | StoredProfile]]) -> SourceProfiles:
    """As `by_source`, with the spreads between the hours of each source, unless the sources are put into buckets."""
    gathered = SourceHours()
    # Each source takes arrays of some megabytes and frees them. glibc returns freed memory to the system at once, and
    # must fetch it again, unless a larger block was freed before. This one is never touched, so it takes no memory.
    np.empty(_LARGE_BLOCK, np.uint8)
    for key, profile in profiles:
        gathered.add(key, profile)
    sums, spreads = gathered.sums()
    return SourceProfiles.bounded(sums, {source: SpreadProfile(hours) for source, hours in spreads.items()})
