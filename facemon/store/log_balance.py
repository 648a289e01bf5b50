"""Totals, counts of rows that are gone, and profiles: made equal to the rows of the log, in one transaction.

What a segment added to the totals is not known once its rows are lost. It is what the totals of one state of the log
have beyond the rows of all other segments, and other writers do not change that difference.
"""

from collections.abc import Sequence

from facemon.domain.profile import ProfileKey, add_profiles
from facemon.errors import FacemonError
from facemon.store.ledger.protocol import Ledger
from facemon.store.log_survey import Survey, have_rows_in
from facemon.store.row_counts import LATENCIES, count_rows
from facemon.store.row_profiles import profile_rows
from facemon.store.segment import NewSegment, Segment
from facemon.store.segment_files import read_segment
from facemon.store.set_aside import SetAside
from facemon.store.totals import Totals, differences

_Hour = tuple[int, str, str]
"""Hour, model and origin of a profile: its sources are replaced together."""


class LogChangedError(FacemonError):
    """A retry replaced segments since the log was read."""


def balance(
    ledger: Ledger, found: Survey, *, dropped: Sequence[Segment] = (), kept: Sequence[Segment] = ()
) -> tuple[int, int]:
    """Take the `dropped` segments out of the log and make its sums agree with the rows that are left.

    Returns how many totals and how many hours of profiles were changed. Where damaged segments are `kept`, totals and
    the profiles of their hours stay as they are. LogChangedError when the log is no longer the one that was read.
    """
    gone, raised = ({}, {}) if kept else _surplus(found)
    hours = _hours_to_mend(found, kept)
    profiles = {key: add_profiles(parts) for key, parts in found.profiles.items() if _hour(key) in hours}
    if not (dropped or gone or raised or hours):
        return 0, 0
    with ledger.writing():
        arrived = _arrived(ledger, found)
        ledger.segments.remove(dropped)
        ledger.totals.depart(gone)
        ledger.totals.add(raised)
        ledger.profiles.replace(hours, profiles)
        for segment in arrived:
            new = profile_rows(read_segment(ledger, segment))
            ledger.profiles.add({key: each for key, each in new.items() if _hour(key) in hours})
    return len(gone) + len(raised), len(hours)


def take_in_again(ledger: Ledger, record: SetAside, path: str) -> bool:
    """Register a segment that was set aside, from its whole file at `path` below the store.

    False, and nothing is changed, when the log's counts of rows that are gone do not include its rows.
    """
    segment = Segment(
        record.segment, path, record.rows, record.model, record.first_observed, record.last_observed, record.sha256
    )
    table = read_segment(ledger, segment, proven=True)
    counts = count_rows(table)
    with ledger.writing():
        if not _includes(ledger.totals.departed(), counts):
            return False
        ledger.segments.register([NewSegment(segment.id, path, None, table, segment.sha256)])
        ledger.totals.take_back_departed(counts)
        ledger.profiles.add(profile_rows(table))
    return True


def raise_totals(ledger: Ledger, least: Totals) -> None:
    """Raise totals that are below others, and count the difference as rows that are gone."""
    present = ledger.totals.read()
    more = {key: value - present.get(key, 0.0) for key, value in least.items() if value > present.get(key, 0.0)}
    ledger.totals.add(more)
    # How long inference took is in no row.
    ledger.totals.depart({key: value for key, value in more.items() if key.metric != LATENCIES})


def _surplus(found: Survey) -> tuple[Totals, Totals]:
    """By how much totals exceed the rows, and by how much they fall short: a counter can be raised, never lowered."""
    kept, expected = found.kept_totals, found.expected_totals
    by = {key: kept.get(key, 0.0) - expected.get(key, 0.0) for key in differences(kept, expected)}
    more, less = ({key: abs(value) for key, value in by.items() if value * sign > 0} for sign in (1, -1))
    return more, less


def _hours_to_mend(found: Survey, kept: Sequence[Segment]) -> set[_Hour]:
    differing = {(key.hour, key.model, key.origin) for key in found.differing_profiles()}
    return {hour for hour in differing if not have_rows_in(kept, *hour[:2])}


def _arrived(ledger: Ledger, found: Survey) -> list[Segment]:
    """Segments that were registered since the log was read."""
    before, now = {segment.id for segment in found.segments}, ledger.segments.within()
    if before - {segment.id for segment in now}:
        raise LogChangedError(
            f"the log in {ledger.folder} is being changed by a retry", "run again when facemon predict has ended"
        )
    return [segment for segment in now if segment.id not in before]


def _hour(key: ProfileKey) -> _Hour:
    return key.hour, key.model, key.origin


def _includes(whole: Totals, part: Totals) -> bool:
    return all(whole.get(key, 0.0) > value - 1e-6 for key, value in part.items() if key.part != "sum")
