"""A window of time as profiles by source: whole hours from the ledger, cut hours from their rows."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute

from facemon.domain.packed_columns import packed, subtracted
from facemon.domain.profile import Profile, ProfileKey, add_profiles, subtract_profile
from facemon.domain.source_buckets import SourceProfiles, has_too_many
from facemon.domain.times import HOUR_MICROS, hour_of, micros, start_of_hour
from facemon.store.held_hours import HeldHours
from facemon.store.ledger.entries import StoredProfile
from facemon.store.ledger.protocol import Ledger
from facemon.store.row_profiles import UNCOUNTED, profile_rows
from facemon.store.segment_files import read_rows
from facemon.store.source_groups import SourceGroups
from facemon.store.source_hours import MOST_HOURS, with_hourly_spreads

_Each = TypeVar("_Each")
_ADDED_AT_ONCE = 64
"""So many profiles of a source are kept before they become one: a month takes no more memory than a day."""


def read_sources(
    ledger: Ledger,
    since: datetime,
    until: datetime,
    *,
    model: str,
    source: str | None = None,
    with_spreads: bool = False,
) -> SourceProfiles:
    """The profiles, by source, of a model's rows observed in `[since, until)`; of one source if it is named.

    Every row is under its real source, or in its bucket where the sources are too many.

    Hours that had more sources than places are counted again from their rows; no row of another whole hour is read.
    With `with_spreads` the answer tells how much the hours of each source differ, unless there are buckets.
    """
    if since >= until:
        return SourceProfiles({})
    with ledger.reading():
        crowded = ledger.profiles.crowded_hours(hour_of(since), _end_hour(until), model)
        if not crowded and with_spreads:
            stored = ledger.profiles.stored_hours(*_whole_hours(since, until), model)
            hours = _in_order(_cut(ledger, since, until, model), stored, since, until)
            return with_hourly_spreads((key, each) for key, each in hours if source is None or key.source == source)
        if not crowded:
            found = read_hours(ledger, since, until, model=model)
            return SourceProfiles.bounded(
                by_source(each for each in found if source is None or each[0].source == source)
            )
        if with_spreads:
            apart = with_hourly_spreads(hours_apart(ledger, since, until, crowded, model=model, source=source))
            if not apart.bucketed:
                return apart
        groups = SourceGroups()
        for key, profile in ledger.profiles.hours(*_whole_hours(since, until), model):
            if key.hour not in crowded and (source is None or key.source == source):
                groups.add(key.source, profile)
        cut = {hour_of(start) for start, _ in _cut_hours(since, until)}
        for table in _rows_of_hours(ledger, sorted(crowded | cut), since, until, model):
            groups.add_rows(table if source is None else table.filter(pa.compute.equal(table["source"], source)))
    return groups.sums()


def hours_apart(
    ledger: Ledger,
    since: datetime,
    until: datetime,
    crowded: Collection[int],
    *,
    model: str,
    source: str | None = None,
) -> Iterator[tuple[ProfileKey, StoredProfile]]:
    """The profiles of the hours of a window, every row under its real source, in the order of time.

    The `crowded` hours, and those that the window cuts, are counted from their rows, `MOST_HOURS` at a time. Once the
    sources are too many to keep apart the rest is left out: it is of no use then. Call it in a transaction.
    """
    from_rows = {*crowded, *(hour_of(start) for start, _ in _cut_hours(since, until))}
    first, end = hour_of(since), _end_hour(until)
    seen: set[str | None] = set()
    for begin in range(first, end, MOST_HOURS):
        stop = min(begin + MOST_HOURS, end)
        span = max(since, start_of_hour(begin)), min(until, start_of_hour(stop))
        hours = sorted(hour for hour in from_rows if begin <= hour < stop)
        counted = HeldHours()
        for table in _rows_of_hours(ledger, hours, *span, model) if hours else ():
            counted.add_rows(table if source is None else table.filter(pa.compute.equal(table["source"], source)))
            if has_too_many(counted.sources | seen):
                break
        stored = (
            (key, each)
            for key, each in ledger.profiles.stored_hours(begin, stop, model)
            if key.hour not in from_rows and (source is None or key.source == source)
        )
        for key, each in sorted([*stored, *counted.profiles()], key=lambda found: found[0].hour):
            seen.add(key.source)
            yield key, each
        if has_too_many(seen):
            return


def read_hours(ledger: Ledger, since: datetime, until: datetime, *, model: str) -> Iterator[tuple[ProfileKey, Profile]]:
    """The profiles of the whole hours, and those of the cut ones from their rows, under the ledger's sources.

    The hours of a window of more than `MOST_HOURS` come in the order of time. Call it in a transaction.
    """
    whole = ledger.profiles.hours(*_whole_hours(since, until), model)
    return _in_order(_cut(ledger, since, until, model), whole, since, until)


def _cut(ledger: Ledger, since: datetime, until: datetime, model: str) -> list[Iterator[tuple[ProfileKey, Profile]]]:
    """The profiles of each cut hour, whose rows' files threads begin to read at once."""
    return [_cut_hour(ledger, start, stop, model) for start, stop in _cut_hours(since, until)]


def _in_order(
    cut: Sequence[Iterator[tuple[ProfileKey, Profile]]],
    whole: Iterator[tuple[ProfileKey, _Each]],
    since: datetime,
    until: datetime,
) -> Iterator[tuple[ProfileKey, Profile | _Each]]:
    """The whole hours and then the cut ones, whose rows are read meanwhile; of a long window in the order of time."""
    is_first = cut and _end_hour(until) - hour_of(since) > MOST_HOURS and start_of_hour(hour_of(since)) != since
    first, last = (cut[:1], cut[1:]) if is_first else ((), cut)
    return chain(*first, whole, *last)


def _whole_hours(since: datetime, until: datetime) -> tuple[int, int]:
    """The first hour that the window fills, and the one after the last."""
    first, end = hour_of(since), hour_of(until)
    return (first if start_of_hour(first) == since else first + 1), end


def _end_hour(until: datetime) -> int:
    last = hour_of(until)
    return last if start_of_hour(last) == until else last + 1


def _cut_hour(ledger: Ledger, since: datetime, until: datetime, model: str) -> Iterator[tuple[ProfileKey, Profile]]:
    """The profiles of a part of an hour: of its rows, or where it is most of the hour, the hour's without the rest."""
    hour, start, stop = hour_of(since), micros(since), micros(until)
    if stop - start <= HOUR_MICROS / 2:
        return _from_rows(ledger, start, stop, model)
    pieces = (hour * HOUR_MICROS, start), (stop, (hour + 1) * HOUR_MICROS)
    rest = [_from_rows(ledger, *piece, model) for piece in pieces]
    return _without(ledger, hour, model, chain.from_iterable(rest))


def _without(
    ledger: Ledger, hour: int, model: str, found: Iterable[tuple[ProfileKey, Profile]]
) -> Iterator[tuple[ProfileKey, Profile]]:
    rest: dict[ProfileKey, list[Profile]] = {}
    for key, profile in found:
        rest.setdefault(key, []).append(profile)
    for key, whole in ledger.profiles.hours(hour, hour + 1, model):
        left = _subtract(whole, add_profiles(rest[key])) if key in rest else whole
        if not left.is_empty:
            yield key, left


def _subtract(whole: Profile, part: Profile) -> Profile:
    """As `subtract_profile`, without taking the columns apart where it is a plain difference."""
    columns = subtracted(packed(whole.columns), packed(part.columns))
    if columns is None:
        return subtract_profile(whole, part)
    return Profile(whole.images - part.images, whole.faces - part.faces, whole.squares - part.squares, columns)


def _cut_hours(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The pieces of the window that lie in an hour without filling it: none, one or two."""
    first, last = hour_of(since), hour_of(until)
    if first == last:
        yield since, until
        return
    if start_of_hour(first) != since:
        yield since, start_of_hour(first + 1)
    if start_of_hour(last) != until:
        yield start_of_hour(last), until


def _from_rows(ledger: Ledger, start: int, stop: int, model: str) -> Iterator[tuple[ProfileKey, Profile]]:
    """The profiles of the rows observed in `[start, stop)` (microseconds), which begin to be read at once."""
    segments = ledger.segments.within(start, stop, model) if start < stop else []
    tables = read_rows(ledger, segments, start, stop, without=UNCOUNTED, encoded=True)
    return chain.from_iterable(ledger.profiles.as_counted(profile_rows(table)).items() for table in tables)


def _rows_of_hours(
    ledger: Ledger, hours: Sequence[int], since: datetime, until: datetime, model: str
) -> Iterator[pa.Table]:
    """The rows of some hours of a window, each segment read once, with the columns that their profiles count."""
    counted = {
        name
        for hour in hours
        for _, profile in ledger.profiles.hours(hour, hour + 1, model)
        for name in profile.columns
    }
    columns = ["model", "source", "origin", "face", "error", *sorted(counted)]
    start, stop = micros(since), micros(until)
    segments = [
        segment
        for segment in ledger.segments.within(start, stop, model)
        if bisect_left(hours, segment.first_observed // HOUR_MICROS)
        < bisect_right(hours, segment.last_observed // HOUR_MICROS)
    ]
    for table in read_rows(ledger, segments, start, stop, columns):
        of_row = table["observed_at"].cast(pa.int64()).to_numpy() // HOUR_MICROS
        yield table.filter(pa.array(np.isin(of_row, hours)))


def by_source(profiles: Iterable[tuple[ProfileKey, Profile]]) -> dict[str | None, Profile]:
    """Profiles added up over hours and origins, apart by source."""
    gathered: dict[str | None, list[Profile]] = {}
    for key, profile in profiles:
        parts = gathered.setdefault(key.source, [])
        parts.append(profile)
        if len(parts) == _ADDED_AT_ONCE:
            parts[:] = [add_profiles(parts)]
    return {source: add_profiles(parts) for source, parts in gathered.items()}
