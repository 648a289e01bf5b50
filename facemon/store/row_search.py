"""Rows of the log that fulfil conditions, the first ones of an order or all; of others only what decides is read."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from facemon.domain.array_types import Floats, Indices
from facemon.store.ledger.protocol import Ledger
from facemon.store.row_conditions import RowCondition, fulfilling
from facemon.store.segment import Segment
from facemon.store.segment_files import SegmentDamagedError, read_places, read_segment

EARLIEST, LATEST = -(2**63), 2**63 - 1
_ROWS_AT_ONCE = 65_536


@dataclass(frozen=True, slots=True)
class RowOrder:
    """What rows are sought first: those with the largest key. A row whose key is NaN is not sought at all."""

    columns: tuple[str, ...]
    key: Callable[[pa.Table], Floats]


def _observed(table: pa.Table) -> Floats:
    # Microseconds since 1970 are whole numbers below 2**53 until the year 2255.
    return table["observed_at"].cast(pa.int64()).to_numpy().astype(np.float64)


_NEWEST = RowOrder(("observed_at",), _observed)


@dataclass(frozen=True, slots=True)
class RowSearch:
    """Which rows are sought: those of a model observed in `[since, until)` (microseconds) that fulfil conditions."""

    model: str
    since: int = EARLIEST
    until: int = LATEST
    conditions: tuple[RowCondition, ...] = ()
    order: RowOrder = _NEWEST

    def segments(self, ledger: Ledger) -> list[Segment]:
        """Return the segments that may hold such rows, the newest first."""
        begin = None if self.since == EARLIEST else self.since
        found = ledger.segments.within(begin, None if self.until == LATEST else self.until, self.model)
        return sorted(found, key=lambda each: (each.last_observed, each.last_predicted or 0, each.id), reverse=True)

    def takes_all_of(self, segment: Segment) -> bool:
        """Whether each row of a segment is sought, so that none of them need be read to know it."""
        is_whole = self.since <= segment.first_observed and segment.last_observed < self.until
        return is_whole and not self.conditions and self.order is _NEWEST

    def read(self, ledger: Ledger, segment: Segment) -> tuple[Indices, Floats]:
        """Return the places in a segment of the rows that are sought, and the key of each."""
        needed = {name for condition in self.conditions for name in condition.columns} | set(self.order.columns)
        table = read_segment(ledger, segment, sorted({*needed, "observed_at"}))
        found = fulfilling(table, self.conditions)
        if not (self.since <= segment.first_observed and segment.last_observed < self.until):
            observed = table["observed_at"].cast(pa.int64()).to_numpy()
            found &= (observed >= self.since) & (observed < self.until)
        places = np.flatnonzero(found)
        keys = self.order.key(table)[places]
        return places[~np.isnan(keys)], keys[~np.isnan(keys)]


@dataclass(slots=True)
class FoundRows:
    """The first rows, in order, of all that were found."""

    rows: pa.Table
    matched: int
    """How many rows were found."""
    left_out: list[SegmentDamagedError]
    """Damaged segments, whose rows are not among them."""


@dataclass(slots=True)
class _First:
    """The rows with the largest keys so far; of equal ones those of newer segments, and in a segment the later ones."""

    most: int
    keys: Floats = field(default_factory=lambda: np.empty(0))
    segments: Indices = field(default_factory=lambda: np.empty(0, np.intp))
    places: Indices = field(default_factory=lambda: np.empty(0, np.intp))

    @property
    def least(self) -> float:
        """The key that a row must exceed to be among them."""
        return float(self.keys[-1]) if len(self.keys) >= self.most else -np.inf

    def add(self, segment: int, places: Indices, keys: Floats) -> None:
        keys = np.concatenate([self.keys, keys])
        segments = np.concatenate([self.segments, np.full(len(places), segment, np.intp)])
        places = np.concatenate([self.places, places])
        order = np.lexsort((-places, segments, -keys))[: self.most]
        self.keys, self.segments, self.places = keys[order], segments[order], places[order]


def first_rows(ledger: Ledger, search: RowSearch, most: int, schema: pa.Schema) -> FoundRows:
    """The first `most` rows in the order of the search, and how many there are; columns that rows lack are null.

    No more is in memory at a time than these rows and the columns of one segment that decide.
    """
    left_out, matched, first = list[SegmentDamagedError](), 0, _First(most)
    with ledger.reading():
        segments = search.segments(ledger)
        for number, segment in enumerate(segments):
            if search.takes_all_of(segment) and segment.last_observed < first.least:
                matched += segment.rows
                continue
            try:
                places, keys = search.read(ledger, segment)
            except SegmentDamagedError as error:
                left_out.append(error)
                continue
            matched += len(places)
            if len(keys) and keys.max() > first.least:
                first.add(number, places, keys)
        parts = [_taken(ledger, segments, first, number, schema) for number in np.unique(first.segments).tolist()]
    rows = pa.concat_tables(parts) if parts else schema.empty_table()
    return FoundRows(_ordered(rows, search.order), matched, left_out)


def all_rows(
    ledger: Ledger, search: RowSearch, schema: pa.Schema, left_out: list[SegmentDamagedError]
) -> Iterator[pa.Table]:
    """Every row that is sought, segment by segment, the newest segment first and its rows in the order of the search.

    Call it in a transaction. No more rows than a few row groups of one segment are in memory at a time.
    """
    for segment in search.segments(ledger):
        try:
            places, keys = search.read(ledger, segment)
        except SegmentDamagedError as error:
            left_out.append(error)
            continue
        places = places[np.lexsort((-places, -keys))]
        for begin in range(0, len(places), _ROWS_AT_ONCE):
            wanted = places[begin : begin + _ROWS_AT_ONCE]
            yield _ordered(fitted(read_places(ledger, segment, np.sort(wanted)), schema), search.order)


def _taken(ledger: Ledger, segments: Sequence[Segment], first: _First, number: int, schema: pa.Schema) -> pa.Table:
    places: NDArray[np.intp] = np.sort(first.places[first.segments == number])
    return fitted(read_places(ledger, segments[number], places), schema)


def fitted(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows with the columns of a schema; those that they lack are null."""
    columns = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _ordered(rows: pa.Table, order: RowOrder) -> pa.Table:
    """The rows by the order's key; of equal ones the newest first, and the faces of an image as they are counted."""
    newest = ("observed_at", "predicted_at", "run", "ordinal")
    keys = [("key", "descending"), *((name, "descending") for name in newest), ("face", "ascending")]
    sorted_by = rows.select([*newest, "face"]).append_column("key", pa.array(order.key(rows)))
    return rows.take(pc.sort_indices(sorted_by, keys)).combine_chunks()
