"""A window of time as profiles by source: whole hours from the ledger, cut hours from their rows."""

from collections.abc import Iterator
from datetime import datetime

from facemon.store.ledger import Ledger
from facemon.store.profiles import as_counted, by_source, read_profiles
from facemon.store.row_profiles import profile_rows
from facemon.store.segment_files import list_segments, read_rows
from facemon.values.profile import Profile, ProfileKey
from facemon.values.times import hour_of, micros, start_of_hour


def read_window(
    ledger: Ledger, since: datetime, until: datetime, *, model: str, source: str | None = None
) -> dict[str | None, Profile]:
    """The profiles, by source, of a model's rows observed in `[since, until)`; of one source if it is named."""
    if since >= until:
        return {}
    with ledger.reading():
        first, end = hour_of(since), hour_of(until)
        whole_from = first if start_of_hour(first) == since else first + 1
        found = list(read_profiles(ledger.connection, whole_from, end, model).items())
        for start, stop in _cut_hours(since, until):
            found += _from_rows(ledger, start, stop, model)
    return by_source((key, profile) for key, profile in found if source is None or key.source == source)


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


def _from_rows(ledger: Ledger, since: datetime, until: datetime, model: str) -> Iterator[tuple[ProfileKey, Profile]]:
    start, stop = micros(since), micros(until)
    segments = list_segments(ledger.connection, start, stop, model)
    for table in read_rows(ledger, segments, start, stop):
        yield from as_counted(ledger.connection, profile_rows(table)).items()
