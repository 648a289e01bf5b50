"""Rows that are too old go; what they added to the totals stays, because counters only grow."""

from dataclasses import dataclass
from datetime import datetime

from facemon.domain.times import micros
from facemon.store.deliveries import Delivery, register
from facemon.store.ledger.protocol import Ledger
from facemon.store.process_lock import ProcessLock
from facemon.store.recovery import recover
from facemon.store.row_counts import count_rows
from facemon.store.row_profiles import profile_rows
from facemon.store.segment import Segment
from facemon.store.segment_files import (
    SegmentDamagedError,
    SegmentGoneError,
    last_predicted,
    read_segment,
)
from facemon.store.sent_rows import are_all_sent


@dataclass(frozen=True, slots=True)
class Pruning:
    """What a pruning removed."""

    segments: int
    rows: int
    left_out: tuple[SegmentDamagedError, ...] = ()
    """Why segments stay that would have been removed."""
    undelivered: int = 0
    """Segments that stay because this store delivers its rows, and has not delivered all of theirs."""


def prune(ledger: Ledger, before: datetime, *, undelivered: bool = False) -> Pruning:
    """Remove the segments whose rows were all observed and predicted before a time; others stay whole.

    The later of the two counts, because old photographs that were predicted today are new to the log. A damaged segment
    stays too, because what it added to the totals cannot be told. So does one with rows that this store has to deliver,
    unless `undelivered`. LockedError when another run prunes already.
    """
    segments = rows = waiting = 0
    left_out: list[SegmentDamagedError] = []
    with ProcessLock.for_command(ledger.folder, "prune"):
        recover(ledger)
        delivers = not undelivered and ledger.nodes.state() is not None
        for segment in ledger.segments.within(until=micros(before)):
            last = segment.last_observed if segment.last_predicted is None else segment.last_predicted
            if max(segment.last_observed, last) >= micros(before):
                continue
            try:
                # Its rows' counts go to `departed`: they must be those that it was counted with.
                table = read_segment(ledger, segment, proven=True)
            except SegmentGoneError:
                continue  # compaction has just folded it into another
            except SegmentDamagedError as error:
                left_out.append(error)
                continue
            if segment.last_predicted is None and (last := last_predicted(table)) >= micros(before):
                _keep_last_predicted(ledger, segment, last)
                continue
            if delivers and not are_all_sent(ledger, table):
                waiting += 1
                continue
            gone = Delivery(replaced=[segment], departed=count_rows(table), gone_profiles=[profile_rows(table)])
            with ledger.writing():
                if not register(ledger, gone):
                    continue
            segments, rows = segments + 1, rows + segment.rows
        with ledger.writing():
            ledger.arrivals.prune(before)
    return Pruning(segments, rows, tuple(left_out), waiting)


def _keep_last_predicted(ledger: Ledger, segment: Segment, last: int) -> None:
    """Spare the next pruning the reading of a segment that an older facemon wrote."""
    with ledger.writing():
        ledger.segments.keep_last_predicted(segment.id, last)
