"""How much the hours and days of a reference differ: computed when a window becomes one, kept beside its profiles."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from facemon.domain.daily_spread import DailySpreads, daily_spreads
from facemon.domain.profile import Profile, ProfileKey, add_profiles
from facemon.domain.profile_codec import decode_profile, encode_profile
from facemon.domain.source_buckets import has_too_many
from facemon.domain.spread import SpreadProfile
from facemon.domain.times import hour_of, start_of_hour
from facemon.store.ledger.protocol import Ledger
from facemon.store.named_reference import ReferenceSpreads
from facemon.store.source_hours import SourceHours
from facemon.store.windows import by_source, hours_apart, read_hours

_LEAST_DAYS = timedelta(days=7)
"""A shorter reference does not tell how much its days differ."""
_MICROSECOND = timedelta(microseconds=1)
_DAY = 24
_LEAST_OF_A_DAY = timedelta(hours=12)
"""A last day of fewer hours is left out."""


def read_reference_window(
    ledger: Ledger, since: datetime, until: datetime, *, model: str
) -> tuple[dict[str | None, Profile], ReferenceSpreads]:
    """Return the profiles by source of a window, as `read_sources` does, and their spreads; call it in a transaction.

    Where an hour had more sources than places, and the sources are too many to keep apart, there are no spreads and
    the rows of sources without a place are under `other`.
    """
    crowded = ledger.profiles.crowded_hours(hour_of(since), hour_of(until - _MICROSECOND) + 1, model)
    if not crowded:
        return with_spreads(read_hours(ledger, since, until, model=model), since, until)
    apart = hours_apart(ledger, since, until, crowded, model=model)
    profiles, spreads = with_spreads(((key, each.unpacked()) for key, each in apart), since, until)
    if not has_too_many(profiles):
        return profiles, spreads
    return by_source(read_hours(ledger, since, until, model=model)), ReferenceSpreads()


def with_spreads(
    hours: Iterable[tuple[ProfileKey, Profile]], since: datetime, until: datetime
) -> tuple[dict[str | None, Profile], ReferenceSpreads]:
    """Return the profiles by source of the hours of `[since, until)`, in the order of time, and their spreads."""
    gathered = SourceHours()
    days = _Days(since, until) if until - since >= _LEAST_DAYS else None
    for key, profile in hours:
        gathered.add(key, profile)
        if days is not None:
            days.add(key, profile)
    profiles, spreads = gathered.sums()
    daily = days.spreads(profiles) if days is not None else DailySpreads()
    each = {source: SpreadProfile(hourly, daily.by_source.get(source, {})) for source, hourly in spreads.items()}
    return profiles, ReferenceSpreads(each, daily.whole)


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
