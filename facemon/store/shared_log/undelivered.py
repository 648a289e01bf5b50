"""Which rows of a store its next delivery holds: those of closed hours that no delivery before had."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from facemon.domain.row_ranges import Ranges, inside, ranges_of, united
from facemon.domain.times import micros
from facemon.store.ledger.protocol import Ledger
from facemon.store.node_state import PendingDelivery, RowRanges
from facemon.store.row_counts import LATENCIES
from facemon.store.segment import Segment
from facemon.store.segment_files import SegmentDamagedError, read_segment
from facemon.store.sent_rows import ordinals_of
from facemon.store.shared_log.node_commit import FURTHEST_AHEAD
from facemon.store.totals import Totals

_MOST_ROWS = 131_072
"""Rows of a delivery, which are held in memory; a segment more may come with them."""
_KEYS = ("run", "ordinal", "observed_at", "predicted_at")
_TIMES = _KEYS[2:]


Damaged = dict[str, SegmentDamagedError]
"""Segments that cannot be read; their rows are delivered once they can."""


@dataclass
class Plan:
    """The next delivery, where there is something to deliver, and which segments were looked through."""

    pending: PendingDelivery | None = None
    looked_through: list[str] = field(default_factory=list)
    ahead: int = 0
    """Rows of closed hours that wait, because no storage would take the time at which they were predicted."""


def next_delivery(ledger: Ledger, until: int, delivered: Totals, damaged: Damaged) -> Plan:
    """Choose rows of one model that were observed before `until` (microseconds), a bounded number of them.

    `delivered` are the totals of latencies that earlier deliveries had. Damaged segments are left out: those that are
    known, and those that are found now, which are added to them.
    """
    plan, rows, count, model = Plan(), dict[str, list[tuple[int, int]]](), 0, ""
    latest = micros(ledger.now() + FURTHEST_AHEAD)
    with ledger.reading():
        looked_through = ledger.nodes.looked_through()
        for segment in ledger.segments.within(until=until):
            if segment.id in looked_through or segment.id in damaged or model not in ("", segment.model):
                continue
            try:
                keys = read_segment(ledger, segment, _KEYS)
            except SegmentDamagedError as error:
                damaged[segment.id] = error
                continue
            observed, predicted = (keys[name].cast(pa.int64()).to_numpy() for name in _TIMES)
            ahead = _unsent(ledger, keys, (observed < until) & (predicted > latest))
            plan.ahead += (waiting := sum(len(ordinals) for _, ordinals in ahead))
            if fresh := list(_unsent(ledger, keys, (observed < until) & (predicted <= latest))):
                model = segment.model
                for run, ordinals in fresh:
                    rows[run] = united(rows.get(run, ()), ranges_of(ordinals))
                    count += len(ordinals)
            elif segment.last_observed < until and not waiting:
                plan.looked_through.append(segment.id)
            if count >= _MOST_ROWS:
                break
        if rows:
            plan.pending = PendingDelivery(model, rows, _latencies(ledger, model, delivered))
    return plan


def rows_of(ledger: Ledger, pending: PendingDelivery, damaged: Damaged) -> list[pa.Table]:
    """Return the rows of a delivery that the log has; those of damaged segments are left out, which are added."""
    left, tables = sum(end - first for ranges in pending.rows.values() for first, end in ranges), list[pa.Table]()
    with ledger.reading():
        looked_through = ledger.nodes.looked_through()
        for segment in ledger.segments.within(model=pending.model):
            if not left:
                break
            if segment.id in looked_through:
                continue
            try:
                table = _chosen(ledger, segment, pending.rows)
            except SegmentDamagedError as error:
                damaged[segment.id] = error
                continue
            if table is not None:
                # All rows of an image are in one segment.
                left -= sum(len(np.unique(ordinals)) for _, ordinals in ordinals_of(table))
                tables.append(table)
    return tables


def ranges_in(tables: Iterable[pa.Table]) -> dict[str, Ranges]:
    """Return which images of which runs some tables have."""
    found: dict[str, list[tuple[int, int]]] = {}
    for table in tables:
        for run, ordinals in ordinals_of(table):
            found[run] = united(found.get(run, ()), ranges_of(ordinals))
    return dict(found)


def without(table: pa.Table, rows: RowRanges) -> pa.Table:
    """Return the rows of a table that are not among some images."""
    return table.filter(pa.array(~_among(table, rows)))


def latencies_of(ledger: Ledger) -> Totals:
    """Return the totals of latencies, which are in no row."""
    return {key: value for key, value in ledger.totals.read().items() if key.metric == LATENCIES}


def _latencies(ledger: Ledger, model: str, delivered: Totals) -> Totals:
    added = {
        key: value - delivered.get(key, 0.0) for key, value in latencies_of(ledger).items() if key.labels == (model,)
    }
    return {key: value for key, value in added.items() if value > 0}


def _unsent(ledger: Ledger, keys: pa.Table, among: NDArray[np.bool_]) -> Iterator[tuple[str, NDArray[np.int64]]]:
    for run, ordinals in ordinals_of(keys.filter(pa.array(among))):
        if len(left := ordinals[~inside(ordinals, ledger.nodes.sent(run))]):
            yield run, left


def _chosen(ledger: Ledger, segment: Segment, rows: RowRanges) -> pa.Table | None:
    if not _among(read_segment(ledger, segment, _KEYS), rows).any():
        return None
    table = read_segment(ledger, segment, proven=True)
    return table.filter(pa.array(_among(table, rows)))


def _among(table: pa.Table, rows: RowRanges) -> NDArray[np.bool_]:
    runs, ordinals = table["run"].to_numpy(), table["ordinal"].to_numpy()
    found = np.zeros(len(ordinals), np.bool_)
    for run in table["run"].unique().to_pylist():
        if run in rows:
            of_run = runs == run
            found[of_run] = inside(ordinals[of_run], rows[run])
    return found
