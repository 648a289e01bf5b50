"""The variances of many sources that are looked at one by one: one array over sources and bins for each column."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facemon.drift.design_effect import DECILES, SourceRows, SourceVariances, hourly_variance, is_constant
from facemon.values.binning import distinct
from facemon.values.profile import ColumnCounts, ColumnKind

Counts = NDArray[np.int64]


def single_variances(rows: Sequence[SourceRows]) -> list[SourceVariances]:
    """Return `SourceVariances.of` each of the sources alone; all are rows of one column."""
    numbers = [at for at, each in enumerate(rows) if _is_wide(each)]
    found = dict(zip(numbers, _of_numbers([rows[at] for at in numbers]), strict=True))
    return [found.get(at) or SourceVariances.of([each]) for at, each in enumerate(rows)]


def _is_wide(rows: SourceRows) -> bool:
    return rows.counts[0].kind is not ColumnKind.CATEGORICAL and not is_constant([rows])


def _of_numbers(rows: Sequence[SourceRows]) -> list[SourceVariances | None]:
    """None for sources of which some deciles are the same."""
    if not rows:
        return []
    before = [each.counts[0] for each in rows]
    now = [each.counts[1] for each in rows]
    bins = distinct(np.concatenate([column.bins for column in (*before, *now)]))
    below = cumulated(before, bins) + cumulated(now, bins)
    totals = below[:, -1:]
    shares = below / totals
    places = np.stack([np.count_nonzero(shares < decile, axis=1) for decile in DECILES], axis=1)
    is_plain = (np.diff(places, axis=1) > 0).all(axis=1)
    at_splits = np.take_along_axis(shares, places, axis=1)
    independent = (at_splits * (1 - at_splits)).sum(axis=1).tolist()
    splits = bins[places]
    return [
        SourceVariances(own, (hourly_variance(each.hours, own),), (variance,), is_constant=False) if plain else None
        for each, own, variance, plain in zip(rows, splits, independent, is_plain.tolist(), strict=True)
    ]


def cumulated(columns: Sequence[ColumnCounts], bins: NDArray[np.int32]) -> Counts:
    """The rows up to and including each bin, [columns, bins]; `bins` are all that the columns have, and ascend."""
    return np.asarray(np.cumsum(tabulated(columns, bins), axis=1))


def tabulated(columns: Sequence[ColumnCounts], bins: NDArray[np.int32]) -> Counts:
    """The counts of each bin, [columns, bins]."""
    table = np.zeros((len(columns), len(bins)), np.int64)
    sizes = np.array([len(column.counts) for column in columns])
    places = bins.searchsorted(np.concatenate([column.bins for column in columns]))
    places += np.repeat(np.arange(len(columns)) * len(bins), sizes)
    table.reshape(-1)[places] = np.concatenate([column.counts for column in columns])
    return table
