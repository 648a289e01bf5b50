"""What drift needs of a set of rows and nothing more: counts per label or bin, which add up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import compress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facemon.domain.binning import MISSING, places_of

MISSING_LABEL = ""
"""The label of a value that is not there; a configured label is never empty."""
UNRECOGNISED = "(no label)"
"""Counted for the cells of a table that are not labels of their attribute: whatever they mean is not known."""
_DENSE = 1 << 14
"""Bins that lie so close together are summed in a table, which takes no sorting."""
_ZERO = np.zeros(1)
OTHER = "other"
"""A label outside the configured ones, and the source of rows beyond the 64 that are kept apart."""


class ColumnKind(StrEnum):
    """What a column holds, and with it what its counts are keyed by."""

    CATEGORICAL = "categorical"
    CONFIDENCE = "confidence"
    NUMBER = "number"


class Unit(StrEnum):
    """What one count of a column stands for."""

    IMAGE = "image"
    FACE = "face"


class ProfileKey(NamedTuple):
    """Whose rows a profile counts: one UTC hour (counted from 1970) of one model, source and origin."""

    hour: int
    model: str
    source: str | None
    origin: str


@dataclass(frozen=True, slots=True)
class ColumnCounts:
    """The counts of one column: per label, or per bin of `facemon.domain.binning`.

    `labels` names the keys of a categorical column (`MISSING_LABEL` for a missing value) and is empty
    for numbers; `bins` are then the keys, ascending. `counts` is int64, as long as either.
    """

    kind: ColumnKind
    unit: Unit
    counts: NDArray[np.int64]
    labels: tuple[str, ...] = ()
    bins: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    _total: int | None = field(default=None, init=False, repr=False)
    _below: NDArray[np.float64] | None = field(default=None, init=False, repr=False)

    @property
    def total(self) -> int:
        """Rows that were counted, missing ones included."""
        if self._total is None:
            # Asked for many times of each column of each source; the counts never change.
            object.__setattr__(self, "_total", int(self.counts.sum()))
        return self._total or 0

    @property
    def holds_values(self) -> bool:
        """Whether any row has a value, and not only missing ones."""
        if self.kind is ColumnKind.CATEGORICAL:
            counted = zip(self.labels, self.counts.tolist(), strict=True)
            return any(count and label != MISSING_LABEL for label, count in counted)
        # Bins ascend, and that of missing values comes before all others.
        first = int(len(self.bins) > 0 and self.bins[0] == MISSING)
        return bool(self.counts[first:].any())

    @property
    def below(self) -> NDArray[np.float64]:
        """How many rows lie before each key, and before the end: float64, one more than the counts."""
        if self._below is None:
            object.__setattr__(self, "_below", np.concatenate([_ZERO, np.cumsum(self.counts)]))
        assert self._below is not None  # noqa: S101 - for mypy
        return self._below

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ColumnCounts):
            return NotImplemented
        return (
            (self.kind, self.unit, self.labels) == (other.kind, other.unit, other.labels)
            and np.array_equal(self.bins, other.bins)
            and np.array_equal(self.counts, other.counts)
        )

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Profile:
    """The counts of every column over a set of rows.

    Faces of one image are not independent of each other: `squares`, the sum over images of the squared
    number of faces, gives the Kish effective number of independent faces, `faces**2 / squares`.
    """

    images: int = 0
    faces: int = 0
    squares: int = 0
    columns: Mapping[str, ColumnCounts] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was counted."""
        return self.images == 0


def categorical_counts(counts: Mapping[str, int], unit: Unit = Unit.FACE) -> ColumnCounts:
    """The counts of a categorical column, labels sorted, zeros dropped."""
    kept = sorted((label, count) for label, count in counts.items() if count)
    return ColumnCounts(
        ColumnKind.CATEGORICAL,
        unit,
        np.array([count for _, count in kept], dtype=np.int64),
        labels=tuple(label for label, _ in kept),
    )


def binned_counts(
    bins: NDArray[np.int32], counts: NDArray[np.int64], kind: ColumnKind, unit: Unit = Unit.FACE
) -> ColumnCounts:
    """The counts of a numeric column from bins in any order, repeats summed, zeros dropped."""
    if (tabulated := places_of(bins, _DENSE)) is not None:
        places, keys = tabulated
        # Sums of whole numbers are exact in float64 up to 2**53.
        sums = np.bincount(places, counts, len(keys)).astype(np.int64)
        return ColumnCounts(kind, unit, sums[sums != 0], bins=keys[sums != 0])
    keys, inverse = np.unique(bins, return_inverse=True)
    sums = np.zeros(len(keys), dtype=np.int64)
    np.add.at(sums, inverse, counts)
    return ColumnCounts(kind, unit, sums[sums != 0], bins=keys[sums != 0])


def add_profiles(profiles: Iterable[Profile]) -> Profile:
    """The profile of all rows together; the order and grouping of the parts do not matter."""
    parts = list(profiles)
    if len(parts) == 1:
        return parts[0]
    gathered: dict[str, list[ColumnCounts]] = {}
    for part in parts:
        for name, column in part.columns.items():
            gathered.setdefault(name, []).append(column)
    return Profile(
        sum(part.images for part in parts),
        sum(part.faces for part in parts),
        sum(part.squares for part in parts),
        {name: _add_columns(gathered[name]) for name in sorted(gathered)},
    )


def subtract_profile(whole: Profile, part: Profile) -> Profile:
    """What is left of `whole` without `part`, which was once added to it."""
    rest = {name: _subtract(column, part.columns.get(name)) for name, column in whole.columns.items()}
    # A part that was never added leaves negative counts, which show that something is wrong.
    rest |= {name: replace(column, counts=-column.counts) for name, column in part.columns.items() if name not in rest}
    kept = {name: rest[name] for name in sorted(rest) if len(rest[name].counts)}
    return Profile(whole.images - part.images, whole.faces - part.faces, whole.squares - part.squares, kept)


def _subtract(whole: ColumnCounts, part: ColumnCounts | None) -> ColumnCounts:
    if part is None or not len(part.counts):
        return whole
    is_categorical = whole.kind is ColumnKind.CATEGORICAL
    if is_categorical:
        place_of = {label: at for at, label in enumerate(whole.labels)}
        places = np.array([place_of.get(label, -1) for label in part.labels])
        is_there = places.min() >= 0
    else:
        places = np.searchsorted(whole.bins, part.bins)
        is_there = places[-1] < len(whole.bins) and bool((whole.bins[places] == part.bins).all())
    if not is_there:
        return _add_columns([whole, replace(part, counts=-part.counts)])
    rest = whole.counts.copy()
    rest[places] -= part.counts
    is_left = rest != 0
    if is_categorical:
        return ColumnCounts(whole.kind, whole.unit, rest[is_left], tuple(compress(whole.labels, is_left.tolist())))
    return ColumnCounts(whole.kind, whole.unit, rest[is_left], bins=whole.bins[is_left])


def _add_columns(columns: Sequence[ColumnCounts]) -> ColumnCounts:
    first = columns[0]
    if len(columns) == 1:
        return first
    if all(_has_same_keys(column, first) for column in columns):
        summed = sum((column.counts for column in columns[1:]), start=first.counts)
        if summed.all():
            return ColumnCounts(first.kind, first.unit, summed, first.labels, first.bins)
    if first.kind is ColumnKind.CATEGORICAL:
        sums: dict[str, int] = {}
        for column in columns:
            for label, count in zip(column.labels, column.counts.tolist(), strict=True):
                sums[label] = sums.get(label, 0) + count
        return categorical_counts(sums, first.unit)
    bins = np.concatenate([column.bins for column in columns])
    counts = np.concatenate([column.counts for column in columns])
    return binned_counts(bins, counts, first.kind, first.unit)


def _has_same_keys(column: ColumnCounts, other: ColumnCounts) -> bool:
    """Whether a column has the labels or the bins of another one."""
    if len(column.counts) != len(other.counts) or column.labels != other.labels:
        return False
    return bool(column.labels) or column.bins is other.bins or bool((column.bins == other.bins).all())
