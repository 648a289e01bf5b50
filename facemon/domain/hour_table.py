"""The counts of several hours as tables: one row for each hour, the keys of all columns one behind the other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facemon.domain.array_types import Bins, Floats
from facemon.domain.binning import MISSING
from facemon.domain.packed_columns import ColumnLayout, PackedColumns
from facemon.domain.profile import ColumnCounts, ColumnKind, Unit
from facemon.domain.spread import Spread

_WIDEST = 1 << 17
"""Places of a table of all bins, of all columns together, that cost less than a sort."""
_FEW = 8
"""Of fewer than one count in so many the places are computed: that costs less than to look at all of them."""
_FILLED = 2
"""A table of all bins, those that no hour has too, may have so many places for each count."""
_ABOVE_ALL = 1 << 31
_NO_PLACES, _NO_BINS = np.empty(0, np.int64), np.empty(0, np.int32)

Places = NDArray[np.int64]
_Column = tuple[str, ColumnKind, Unit]


@dataclass(frozen=True, slots=True)
class HourTable:
    """H hours of C columns, all of them labels or all of them numbers, which have K keys together.

    `counts` is int64 [K], of all hours; `shares` is float64 [H, K], of the column's rows in the hour; `rows` is
    float64 [H, C]. The keys of a column are `labels`, or a part of `bins` (int32 [K]), which begins at its `starts`.
    Bins that no hour has may stand between the others; `is_held` tells them.
    """

    columns: tuple[_Column, ...]
    starts: Places
    counts: NDArray[np.int64]
    shares: Floats
    rows: Floats
    labels: tuple[tuple[str, ...], ...]
    bins: Bins

    @property
    def ends(self) -> Places:
        """Where the keys of each column end."""
        return np.append(self.starts[1:], len(self.counts))

    def chosen(self, columns: Sequence[int], hours: Places) -> "HourTable":
        """A part of the table: some of the columns, and of the hours."""
        if len(columns) == len(self.columns) and len(hours) == len(self.rows):
            return self
        sizes = (self.ends - self.starts)[columns]
        keys = np.repeat(self.starts[columns] - _starts_of(sizes), sizes) + np.arange(sizes.sum())
        return HourTable(
            tuple(self.columns[at] for at in columns),
            _starts_of(sizes),
            self.counts[keys],
            self.shares[hours][:, keys],
            self.rows[hours][:, columns],
            tuple(self.labels[at] for at in columns) if self.labels else (),
            self.bins[keys] if len(self.bins) else self.bins,
        )

    @property
    def is_held(self) -> NDArray[np.bool_]:
        """Whether a key is a label, or a bin that some hour has."""
        return self.counts != 0 if len(self.bins) else np.ones(len(self.counts), bool)

    def by_column(self, sums: Floats, weights: Floats, pairs: Places) -> list[tuple[ColumnCounts, Spread]]:
        """The counts of each column over all the hours, and its spread; `sums` is [K], and the others are [C]."""
        is_held = self.is_held
        starts = np.append(0, np.cumsum(is_held))[self.starts[1:]]
        counts, squares = np.split(self.counts[is_held], starts), np.split(sums[is_held], starts)
        labels = self.labels or [()] * len(counts)
        bins = np.split(self.bins[is_held], starts) if not self.labels else [self.bins] * len(counts)
        facts = zip(self.columns, labels, bins, counts, squares, weights.tolist(), pairs.tolist(), strict=True)
        return [
            (ColumnCounts(kind, unit, held, known, keys), Spread(each, weight, number, known, keys))
            for (_, kind, unit), known, keys, held, each, weight, number in facts
        ]


@dataclass(frozen=True, slots=True)
class _Parts:
    """The counts of each column in each hour that has any of it, one behind the other; `sizes` says how many."""

    columns: tuple[_Column, ...]
    hours: int
    hour: Places
    column: Places
    sizes: Places
    counts: Floats

    @classmethod
    def of(cls, hours: Sequence[PackedColumns], counts: Floats, columns: tuple[_Column, ...]) -> Self:
        """The parts of those of the columns that are asked for, in the order of the hours; `counts` are of all."""
        place_of = {name: at for at, (name, _, _) in enumerate(columns)}
        of_layout = {
            key: np.array([place_of.get(name, -1) for name in layout.names], np.int64)
            for key, layout in _layouts(hours).items()
        }
        column = np.concatenate([_NO_PLACES, *(of_layout[id(each.layout)] for each in hours)])
        sizes = np.fromiter(chain.from_iterable(each.sizes for each in hours), np.int64, len(column))
        hour = np.repeat(np.arange(len(hours)), [len(each) for each in hours])
        is_held = (column >= 0) & (sizes > 0)
        chosen = sizes[is_held]
        if _FEW * chosen.sum() < len(counts):
            begin = _starts_of(sizes)[is_held]
            own = counts[np.repeat(begin - _starts_of(chosen), chosen) + np.arange(chosen.sum())]
        else:
            own = counts[np.repeat(is_held, sizes)]
        return cls(columns, len(hours), hour[is_held], column[is_held], chosen, own)

    def table(
        self, places: Places, starts: Places, *, labels: Sequence[tuple[str, ...]] = (), bins: Bins = _NO_BINS
    ) -> HourTable:
        """The table of H·K places in which the counts have such `places`; the rest is the table's."""
        keys = sum(map(len, labels)) + len(bins)
        rows = np.zeros((self.hours, len(self.columns)))
        if len(self.counts):
            rows[self.hour, self.column] = np.add.reduceat(self.counts, _starts_of(self.sizes))
        table = np.zeros(self.hours * keys)
        table[places] = self.counts
        shares = table.reshape(self.hours, keys)
        # Sums of whole numbers are exact in float64 up to 2**53.
        counts = shares.sum(axis=0).astype(np.int64)
        shares /= np.repeat(np.maximum(rows, 1), np.diff(starts, append=keys), axis=1)
        return HourTable(self.columns, starts, counts, shares, rows, tuple(labels), bins)


def hour_tables(hours: Sequence[PackedColumns]) -> tuple[HourTable, HourTable]:
    """Return the table of the columns that are labels and that of the others, each in the order of the names."""
    columns: dict[str, _Column] = {}
    for layout in _layouts(hours).values():
        for column in zip(layout.names, layout.kinds, layout.units, strict=True):
            columns.setdefault(column[0], column)
    found = [columns[name] for name in sorted(columns)]
    labels = tuple(column for column in found if column[1] is ColumnKind.CATEGORICAL)
    numbers = tuple(column for column in found if column[1] is not ColumnKind.CATEGORICAL)
    counts = np.concatenate([_NO_PLACES, *(each.counts for each in hours)], dtype=np.float64)
    return _of_labels(hours, counts, labels), _of_numbers(hours, counts, numbers)


def _layouts(hours: Sequence[PackedColumns]) -> dict[int, ColumnLayout]:
    """The layouts of the hours, which are few, by their identity."""
    return {id(each.layout): each.layout for each in hours}


def _of_labels(hours: Sequence[PackedColumns], counts: Floats, columns: tuple[_Column, ...]) -> HourTable:
    held = [(id(each.layout), each.label_sizes(), each.labels) for each in hours]
    # Most hours have the same labels as others.
    distinct = {key: each.label_keys() for key, each in dict(zip(held, hours, strict=True)).items()}
    known: dict[str, set[str]] = {name: set() for name, _, _ in columns}
    for name, label in chain.from_iterable(distinct.values()):
        known[name].add(label)
    labels = [tuple(sorted(each)) for each in known.values()]
    starts = _starts_of(map(len, labels))
    keys = [(name, label) for name, of_column in zip(known, labels, strict=True) for label in of_column]
    place_of = {key: at for at, key in enumerate(keys)}
    places = {each: np.array([place_of[key] for key in keys], np.int64) for each, keys in distinct.items()}
    # The places of each hour come behind those of the hours before.
    found = np.concatenate([_NO_PLACES, *(places[each] + at * len(keys) for at, each in enumerate(held))])
    return _Parts.of(hours, counts, columns).table(found, starts, labels=labels)


def _of_numbers(hours: Sequence[PackedColumns], counts: Floats, columns: tuple[_Column, ...]) -> HourTable:
    parts = _Parts.of(hours, counts, columns)
    bins = np.concatenate([_NO_BINS, *(each.bins for each in hours)])
    places, keys, starts = _places_of_bins(bins, parts)
    return parts.table(places, starts, bins=keys)


def _places_of_bins(bins: Bins, parts: _Parts) -> tuple[Places, Bins, Places]:
    """Return the place of each bin in a table of hours and keys; the keys; where those of each column begin."""
    first, columns = _starts_of(parts.sizes), len(parts.columns)
    # Bins ascend, so that a missing value is the first of its part. It has the place before the lowest bin.
    is_missing = bins[first] == MISSING
    is_alone = is_missing & (parts.sizes == 1)
    low, high = np.full(columns, _ABOVE_ALL), np.full(columns, MISSING, np.int64)
    lowest = bins[np.where(is_missing & ~is_alone, first + 1, first)].astype(np.int64)
    np.minimum.at(low, parts.column, np.where(is_alone, _ABOVE_ALL, lowest))
    np.maximum.at(high, parts.column, bins[first + parts.sizes - 1])
    width = np.maximum(high - low, 0) + 2
    every = int(width.sum())
    if every > _WIDEST:
        return _sorted_places(bins, parts)
    begin = _starts_of(width)
    is_filled = parts.hours * every <= _FILLED * len(bins)
    hour = parts.hour * every if is_filled else np.zeros(len(parts.hour), np.int64)
    in_table = np.repeat(hour + (begin + 1 - low)[parts.column], parts.sizes)
    in_table += bins
    in_table[first[is_missing]] = (hour + begin[parts.column])[is_missing]
    offset = np.arange(every) - np.repeat(begin, width)
    keys = np.where(offset == 0, MISSING, offset - 1 + np.repeat(low, width)).astype(np.int32)
    if is_filled:
        return in_table, keys, begin
    is_held = np.zeros(every, bool)
    is_held[in_table] = True
    places = (np.cumsum(is_held) - 1)[in_table]
    places += np.repeat(parts.hour * np.count_nonzero(is_held), parts.sizes)
    return places, keys[is_held], np.append(0, np.cumsum(is_held))[begin]


def _sorted_places(bins: Bins, parts: _Parts) -> tuple[Places, Bins, Places]:
    """As `_places_of_bins`, for bins far apart."""
    column = np.repeat(parts.column, parts.sizes)
    codes, places = np.unique((column << 32) + (bins.astype(np.int64) - MISSING), return_inverse=True)
    keys = ((codes & 0xFFFFFFFF) + MISSING).astype(np.int32)
    places += np.repeat(parts.hour * len(keys), parts.sizes)
    return places, keys, np.searchsorted(codes >> 32, np.arange(len(parts.columns)))


def _starts_of(sizes: Iterable[int] | Places) -> Places:
    """Return where each of several parts of such sizes begins when they stand one behind the other."""
    each = sizes if isinstance(sizes, np.ndarray) else np.fromiter(sizes, np.int64)
    return np.cumsum(each) - each
