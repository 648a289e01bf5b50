"""Rows that are too old go; what they added to the totals stays, because counters only grow."""

import time
from dataclasses import dataclass
from datetime import datetime

from facemon.store.ledger import Ledger
from facemon.store.process_lock import ProcessLock
from facemon.store.profiles import subtract_from_profiles
from facemon.store.recovery import recover
from facemon.store.row_counts import count_rows
from facemon.store.row_profiles import profile_rows
from facemon.store.segment_files import SegmentGoneError, list_segments, read_segment
from facemon.store.totals import add_totals
from facemon.values.times import micros


@dataclass(frozen=True, slots=True)
class Pruning:
    """What a pruning removed."""

    segments: int
    rows: int


def prune(ledger: Ledger, before: datetime) -> Pruning:
    """Remove the segments whose last row was observed before a time; one that reaches beyond it stays whole.

    LockedError when another run prunes already.
    """
    segments = rows = 0
    with ProcessLock.for_command(ledger.folder, "prune"):
        recover(ledger)
        for segment in list_segments(ledger.connection, until=micros(before)):
            if segment.last_observed >= micros(before):
                continue
            try:
                table = read_segment(ledger, segment)
            except SegmentGoneError:
                continue  # compaction has just folded it into another
            with ledger.writing() as connection:
                if not connection.execute("DELETE FROM segments WHERE id = ?", (segment.id,)).rowcount:
                    continue
                add_totals(connection, count_rows(table), table="departed")
                subtract_from_profiles(connection, profile_rows(table))
                if segment.path:
                    connection.execute("INSERT INTO discards VALUES (?, ?)", (segment.path, int(time.time())))
            segments, rows = segments + 1, rows + segment.rows
    return Pruning(segments, rows)
