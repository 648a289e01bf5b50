"""Profiles by source, and the buckets that sources are put into where there are too many to keep apart."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

from facemon.domain.profile import Profile, add_profiles
from facemon.domain.spread import SpreadProfile, add_column_spreads

MOST_SOURCES = 512
"""More sources than this are put into buckets."""
BUCKETS = 64


@dataclass(frozen=True, slots=True)
class SourceProfiles:
    """One profile per source, or with `bucketed` one per bucket of sources; the rows without one are under None.

    `spreads` tells, by source, how much its hours differ. It is empty in buckets, and unless the caller asks for it.
    """

    by_source: Mapping[str | None, Profile]
    bucketed: bool = False
    spreads: Mapping[str | None, SpreadProfile] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def bounded(
        cls, by_source: Mapping[str | None, Profile], spreads: Mapping[str | None, SpreadProfile] | None = None
    ) -> Self:
        """The profiles as they are, or in buckets and without spreads where they are too many."""
        if has_too_many(by_source):
            return cls(in_buckets(by_source), bucketed=True)
        return cls(by_source, spreads=spreads or {})


def has_too_many(sources: Iterable[str | None]) -> bool:
    """Whether distinct sources are too many to keep apart."""
    return sum(source is not None for source in sources) > MOST_SOURCES


def bucket_of(source: str | None) -> str | None:
    """The bucket of a source, the same in every window and table; rows without a source stay without one.

    Clusters of clusters are as independent of each other as the clusters were, and a source lands in the same
    bucket on both sides, so every test stays valid; it only has fewer degrees of freedom.
    """
    return None if source is None else f"bucket {zlib.crc32(source.encode()) % BUCKETS}"


def in_buckets(by_source: Mapping[str | None, Profile]) -> dict[str | None, Profile]:
    """Profiles by source, added up by bucket."""
    return _added({bucket_of(source): profile} for source, profile in by_source.items())


def add_source_profiles(first: SourceProfiles, second: SourceProfiles) -> SourceProfiles:
    """The profiles of the rows of both, by source or where either is in buckets by bucket."""
    if first.bucketed or second.bucketed:
        sides = [each.by_source if each.bucketed else in_buckets(each.by_source) for each in (first, second)]
        return SourceProfiles(_added(sides), bucketed=True)
    spreads = {
        source: SpreadProfile(
            add_column_spreads(each.spreads[source].hours for each in (first, second) if source in each.spreads)
        )
        for source in {*first.spreads, *second.spreads}
    }
    return SourceProfiles.bounded(_added([first.by_source, second.by_source]), spreads)


def _added(sides: Iterable[Mapping[str | None, Profile]]) -> dict[str | None, Profile]:
    gathered: dict[str | None, list[Profile]] = {}
    for side in sides:
        for source, profile in side.items():
            gathered.setdefault(source, []).append(profile)
    return {source: add_profiles(parts) for source, parts in gathered.items()}
