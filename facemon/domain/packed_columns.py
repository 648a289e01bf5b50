"""The columns of a profile as two arrays, one behind the other: quick to unpack, and to add up with those of others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, compress, repeat
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facemon.domain.binning import MISSING
from facemon.domain.profile import ColumnCounts, ColumnKind, Unit

_NO_BINS = np.empty(0, np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class ColumnLayout:
    """Which columns there are, in their order. Many hours have the same ones, and share it."""

    names: tuple[str, ...]
    kinds: tuple[ColumnKind, ...]
    units: tuple[Unit, ...]
    is_number: NDArray[np.bool_]
    is_label: tuple[bool, ...]

    @classmethod
    def of(cls, names: tuple[str, ...], kinds: tuple[ColumnKind, ...], units: tuple[Unit, ...]) -> Self:
        """The layout of columns, which are numbers unless their kind is categorical."""
        is_label = tuple(kind is ColumnKind.CATEGORICAL for kind in kinds)
        return cls(names, kinds, units, ~np.array(is_label, bool), is_label)


class PackedColumns(Mapping[str, ColumnCounts]):
    """The columns of a profile, which become single ones when they are asked for.

    `sizes` says how many counts each column has. `counts` are of all columns, int64 or, to hold thousands of hours,
    uint8 where that is enough; `bins` is int32, of those that are numbers, and `labels` are those of the others.
    """

    __slots__ = ("_columns", "bins", "counts", "labels", "layout", "sizes")

    def __init__(
        self,
        layout: ColumnLayout,
        sizes: Sequence[int],
        labels: tuple[str, ...],
        counts: NDArray[np.int64] | NDArray[np.uint8],
        bins: NDArray[np.int32],
    ) -> None:
        self.layout, self.sizes, self.labels = layout, sizes, labels
        self.counts, self.bins = counts, bins
        self._columns: dict[str, ColumnCounts] | None = None

    def __getitem__(self, name: str) -> ColumnCounts:
        return self._unpacked()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.layout.names)

    def __len__(self) -> int:
        return len(self.layout.names)

    def label_sizes(self) -> tuple[int, ...]:
        """Return the number of labels of each column that is not numeric."""
        return tuple(compress(self.sizes, self.layout.is_label))

    def label_keys(self) -> tuple[tuple[str, str], ...]:
        """The column and the label of each of `labels`."""
        names = compress(self.layout.names, self.layout.is_label)
        columns = chain.from_iterable(map(repeat, names, self.label_sizes()))
        return tuple(zip(columns, self.labels, strict=True))

    def counts_of(self, name: str) -> dict[str, int]:
        """Return the counts by label of a column that is not numeric, unpacking no other; empty where there is none."""
        layout = self.layout
        if name not in layout.names or not layout.is_label[at := layout.names.index(name)]:
            return {}
        first, size = sum(self.sizes[:at]), self.sizes[at]
        first_label = sum(compress(self.sizes[:at], layout.is_label))
        labels = self.labels[first_label : first_label + size]
        return dict(zip(labels, self.counts[first : first + size].tolist(), strict=True))

    def _unpacked(self) -> dict[str, ColumnCounts]:
        if self._columns is None:
            layout, columns, at, bin_at = self.layout, dict[str, ColumnCounts](), 0, 0
            every = self.counts.astype(np.int64, copy=False)
            for name, kind, unit, size in zip(layout.names, layout.kinds, layout.units, self.sizes, strict=True):
                counts = every[at : at + size]
                if kind is ColumnKind.CATEGORICAL:
                    labels = self.labels[at - bin_at : at - bin_at + size]
                    columns[name] = ColumnCounts(kind, unit, counts, labels)
                else:
                    columns[name] = ColumnCounts(kind, unit, counts, (), self.bins[bin_at : bin_at + size])
                    bin_at += size
                at += size
            self._columns = columns
        return self._columns


def packed(columns: Mapping[str, ColumnCounts]) -> PackedColumns:
    """The same columns as arrays."""
    if isinstance(columns, PackedColumns):
        return columns
    held = columns.values()
    layout = ColumnLayout.of(
        tuple(columns), tuple(column.kind for column in held), tuple(column.unit for column in held)
    )
    return PackedColumns(
        layout,
        [len(column.counts) for column in held],
        tuple(chain.from_iterable(column.labels for column in held)),
        np.concatenate([np.empty(0, np.int64), *(column.counts for column in held)]),
        np.concatenate([_NO_BINS, *(column.bins for column in held)]),
    )


def subtracted(whole: PackedColumns, part: PackedColumns) -> PackedColumns | None:
    """Return the counts of `whole` without those of `part`.

    None where it cannot be subtracted: a part has a label that the whole lacks, or a column would be empty.
    """
    place_of = {name: at for at, name in enumerate(whole.layout.names)}
    if not place_of.keys() >= set(part.layout.names):
        return None
    columns = np.array([place_of[name] for name in part.layout.names], np.int64)
    codes = [_codes(each, at) for each, at in ((whole, np.arange(len(place_of))), (part, columns))]
    places = codes[0].searchsorted(codes[1])
    if not np.array_equal(codes[0][np.minimum(places, len(codes[0]) - 1)], codes[1]):
        return None
    label_of = {key: at for at, key in enumerate(whole.label_keys())}
    labels = [label_of.get(key, -1) for key in part.label_keys()]
    is_number = [np.repeat(each.layout.is_number, each.sizes) for each in (whole, part)]
    rest = whole.counts.astype(np.int64)
    at_label = np.flatnonzero(~is_number[0])[labels]
    rest[np.flatnonzero(is_number[0])[places]] -= part.counts[is_number[1]]
    rest[at_label] -= part.counts[~is_number[1]]
    is_left = rest != 0
    sizes = np.bincount(np.repeat(np.arange(len(whole)), whole.sizes), is_left, len(whole)).astype(np.int64)
    if -1 in labels or not sizes.all():
        return None
    return PackedColumns(
        whole.layout,
        tuple(sizes.tolist()),
        tuple(compress(whole.labels, is_left[~is_number[0]].tolist())),
        rest[is_left],
        whole.bins[is_left[is_number[0]]],
    )


def _codes(columns: PackedColumns, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each bin with the place of its column above it; ascending where the places do."""
    is_number = columns.layout.is_number
    sizes = np.array(columns.sizes, np.int64)[is_number]
    return (np.repeat(places[is_number], sizes) << 32) + (columns.bins.astype(np.int64) - MISSING)
