"""Merges small segments of completed hours into few large ones; rows, totals and profiles stay what they are."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import pyarrow as pa

from facemon.domain.times import from_micros, hour_of, micros, start_of_hour
from facemon.store.deliveries import Delivery, register
from facemon.store.ledger.protocol import Ledger
from facemon.store.process_lock import ProcessLock
from facemon.store.recovery import recover
from facemon.store.segment import NewSegment, Segment
from facemon.store.segment_files import (
    SegmentDamagedError,
    SegmentGoneError,
    observed_range,
    read_segment,
    segment_path,
    write_parquet,
)

WRITER = "compact"
SMALL_ROWS = 65_536
"""A file with as many rows is left alone; inline segments are always folded."""
LARGEST_ROWS = 524_288
_DAY = 86_400_000_000
_WEEK = 7 * _DAY


@dataclass(frozen=True, slots=True)
class Compaction:
    """What a compaction did."""

    folded: int
    written: int
    rows: int
    left_out: tuple[SegmentDamagedError, ...] = ()
    """Why segments stay as they are that would have been folded."""


def compact(ledger: Ledger, now: datetime) -> Compaction:
    """Merge the small segments of each date whose hour is complete; damaged ones are left out.

    LockedError when another run does so already.
    """
    with ProcessLock.for_command(ledger.folder, WRITER):
        recover(ledger, holding=WRITER)
        closed = [
            segment
            for segment in ledger.segments.within(until=micros(start_of_hour(hour_of(now))))
            if segment.last_observed < micros(start_of_hour(hour_of(now)))
            and (segment.path is None or segment.rows < SMALL_ROWS)
        ]
        folded = written = rows = 0
        left_out: list[SegmentDamagedError] = []
        for group in _groups(closed):
            if _is_single_file(group):
                continue
            for parts, table in _by_schema(ledger, group, left_out):
                if not _is_single_file(parts) and _fold(ledger, parts, table):
                    folded, written, rows = folded + len(parts), written + 1, rows + table.num_rows
    return Compaction(folded, written, rows, tuple(left_out))


def _groups(segments: list[Segment]) -> Iterator[list[Segment]]:
    """Segments of one model, one date and one week of arrival, never more rows together than one file should have."""

    def place(segment: Segment) -> tuple[str, str, int]:
        return f"{from_micros(segment.first_observed):%Y-%m-%d}", segment.model, _weeks_late(segment)

    for _, members in groupby(sorted(segments, key=lambda s: (*place(s), s.first_observed, s.id)), key=place):
        group, rows = list[Segment](), 0
        for segment in members:
            if group and rows + segment.rows > LARGEST_ROWS:
                yield group
                group, rows = [], 0
            group.append(segment)
            rows += segment.rows
        yield group


def _weeks_late(segment: Segment) -> int:
    """The whole weeks from the date of observation to the last prediction.

    Retention counts from the last prediction of a whole file: without this a few photographs a month late would keep
    all rows of their date. Weeks begin with the date, so that folding once more moves no file into the next one.
    """
    predicted = segment.first_observed if segment.last_predicted is None else segment.last_predicted
    return max(0, (predicted - segment.first_observed // _DAY * _DAY) // _WEEK)


def _is_single_file(group: list[Segment]) -> bool:
    return len(group) == 1 and group[0].path is not None


def _by_schema(
    ledger: Ledger, group: list[Segment], left_out: list[SegmentDamagedError]
) -> Iterator[tuple[list[Segment], pa.Table]]:
    """A group's rows, apart by their columns: a column that rows never had must not become one without values."""
    alike: list[tuple[list[Segment], list[pa.Table]]] = []
    for segment in group:
        try:
            table = read_segment(ledger, segment, proven=True)
        except SegmentGoneError:
            continue  # retention has just removed it
        except SegmentDamagedError as error:
            left_out.append(error)
            continue
        for parts, tables in alike:
            if tables[0].schema.equals(table.schema):
                parts.append(segment)
                tables.append(table)
                break
        else:
            alike.append(([segment], [table]))
    for parts, tables in alike:
        yield parts, pa.concat_tables(tables)


def _fold(ledger: Ledger, group: list[Segment], table: pa.Table) -> bool:
    """Replace a group by one segment in one transaction; False when retention took a part of it meanwhile."""
    # Not made of a part's name, which would grow with each fold until no file system takes it.
    name = secrets.token_hex(8)
    path = segment_path(name, from_micros(observed_range(table)[0]))
    with ledger.writing():
        ledger.files.intend(WRITER, [(name, path)])
    new = NewSegment(name, path, None, table, write_parquet(ledger.folder / path, table))
    with ledger.writing():
        if register(ledger, Delivery([new], group)):
            return True
    recover(ledger, holding=WRITER)
    return False
