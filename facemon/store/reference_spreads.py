"""How much the hours and days of a reference differ: computed when a window becomes one, kept beside its profiles."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from facemon.domain.daily_spread import DailySpreads, daily_spreads
from facemon.domain.profile import OTHER, Profile, ProfileKey, add_profiles
from facemon.domain.profile_codec import decode_profile, encode_profile
from facemon.domain.source_buckets import has_too_many
from facemon.domain.spread import Spread, SpreadProfile
from facemon.domain.spread_codec import decode_spreads, encode_spreads
from facemon.domain.times import hour_of, start_of_hour
from facemon.store.ledger.sqlite_ledger import Ledger
from facemon.store.source_hours import SourceHours
from facemon.store.windows import read_hours

LEAST_DAYS = timedelta(days=7)
"""A shorter reference does not tell how much its days differ."""
_DAY = 24
_LEAST_OF_A_DAY = timedelta(hours=12)
"""A last day of fewer hours is left out."""
_SOURCE, _WHOLE = "source", "whole"


@dataclass(frozen=True, slots=True)
class ReferenceSpreads:
    """How much the hours and days of each source differ, and the days of all sources together, by column.

    Both are empty where it is not known: of tables, and of references that older versions set.
    """

    by_source: Mapping[str | None, SpreadProfile] = field(default_factory=dict)
    whole_days: Mapping[str, Spread] = field(default_factory=dict)


def read_reference_window(
    ledger: Ledger, since: datetime, until: datetime, *, model: str
) -> tuple[dict[str | None, Profile], ReferenceSpreads]:
    """Return the profiles by source of a window, as `read_window` does, and their spreads; call it in a transaction.

    There are none where an hour had more sources than places, since rows of one source are then under two names.
    """
    gathered = SourceHours()
    days = _Days(since, until) if until - since >= LEAST_DAYS else None
    for key, profile in read_hours(ledger, since, until, model=model):
        gathered.add(key, profile)
        if days is not None:
            days.add(key, profile)
    profiles, spreads = gathered.sums()
    if OTHER in profiles:
        return profiles, ReferenceSpreads()
    daily = days.spreads(profiles) if days is not None else DailySpreads()
    by_source = {source: SpreadProfile(hours, daily.by_source.get(source, {})) for source, hours in spreads.items()}
    return profiles, ReferenceSpreads(by_source, daily.whole)


class _Days:
    """Gathers a window's hours into days of 24 hours, counted from the first; all but the newest are kept as bytes."""

    def __init__(self, since: datetime, until: datetime) -> None:
        self._first = hour_of(since)
        self._whole_days = (until - start_of_hour(self._first) + _LEAST_OF_A_DAY) // timedelta(hours=_DAY)
        self._day = 0
        self._today: dict[str | None, list[Profile]] = {}
        self._days: list[dict[str | None, bytes]] = []

    def add(self, key: ProfileKey, profile: Profile) -> None:
        if (day := (key.hour - self._first) // _DAY) != self._day:
            self._end_day()
            self._day = day
        self._today.setdefault(key.source, []).append(profile)

    def spreads(self, profiles: Mapping[str | None, Profile]) -> DailySpreads:
        self._end_day()
        # Sources this many are put into buckets, which have no spreads.
        if has_too_many(profiles):
            return DailySpreads()
        decoded = ({source: decode_profile(data) for source, data in day.items()} for day in self._days)
        return daily_spreads(decoded, profiles)

    def _end_day(self) -> None:
        if self._today and self._day < self._whole_days:
            self._days.append({source: encode_profile(add_profiles(parts)) for source, parts in self._today.items()})
        self._today = {}


def enter_spreads(connection: sqlite3.Connection, baseline: str, spreads: ReferenceSpreads) -> None:
    """Enter the spreads of a reference, given by its id, in a transaction."""
    rows = [(baseline, _SOURCE, source or "", encode_spreads(each)) for source, each in spreads.by_source.items()]
    if spreads.whole_days:
        rows.append((baseline, _WHOLE, "", encode_spreads(SpreadProfile(days=spreads.whole_days))))
    connection.executemany("INSERT INTO baseline_spreads VALUES (?, ?, ?, ?)", rows)


def read_spreads(connection: sqlite3.Connection, baseline: str) -> ReferenceSpreads:
    """The inverse of `enter_spreads`."""
    query = "SELECT scope, source, data FROM baseline_spreads WHERE baseline = ?"
    by_source: dict[str | None, SpreadProfile] = {}
    whole_days: Mapping[str, Spread] = {}
    for scope, source, data in connection.execute(query, (baseline,)):
        if scope == _WHOLE:
            whole_days = decode_spreads(data).days
        else:
            by_source[source or None] = decode_spreads(data)
    return ReferenceSpreads(by_source, whole_days)
