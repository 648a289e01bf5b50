"""The variances of a row within each of many sources: between its hours, and as if its rows were independent."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facemon.domain.array_types import Floats
from facemon.domain.profile import ColumnCounts
from facemon.domain.spread import Spread

_NO_BINS, _NO_SUMS = np.empty(0, np.int32), np.empty(0)

FEWEST_PAIRS = 8
"""Fewer pairs of hours of a source show nothing but chance."""


def hourly_variances(
    hours: Sequence[tuple[Spread | None, Spread | None]], splits: NDArray[np.int32] | None
) -> list[tuple[float, int, float] | None]:
    """Return of each source the variance between hours, the pairs that show it and their weight.

    None where these are too few. `splits` are [D], or [S, D] where each source has its own.
    """
    held = [
        (at, spread) for at, sides in enumerate(hours) for spread in sides if spread is not None and spread.weight > 0
    ]
    traces: list[list[float]] = [[] for _ in hours]
    places = np.array([at for at, _ in held], np.intp)
    found = _traces([spread for _, spread in held], splits if splits is None or splits.ndim == 1 else splits[places])
    for (at, _), trace in zip(held, found, strict=True):
        traces[at].append(trace)
    return [_hourly_variance(sides, of_source) for sides, of_source in zip(hours, traces, strict=True)]


def _hourly_variance(
    hours: tuple[Spread | None, Spread | None], traces: Sequence[float]
) -> tuple[float, int, float] | None:
    pairs, weight = 0, 0.0
    for spread in hours:
        if spread is not None and spread.weight > 0:
            pairs, weight = pairs + spread.pairs, weight + spread.weight
    return None if pairs < FEWEST_PAIRS else (sum(traces) / weight, pairs, weight)


def _traces(spreads: Sequence[Spread], splits: NDArray[np.int32] | None) -> list[float]:
    """The sum of each spread over all labels, or over the splits."""
    if splits is None:
        return [math.fsum(spread.sums.tolist()) for spread in spreads]
    return sums_up_to(spreads, [spread.sums for spread in spreads], splits).sum(axis=1).tolist()


def independent_variances(
    counts: Sequence[tuple[ColumnCounts, ColumnCounts]], splits: NDArray[np.int32] | None
) -> list[float]:
    """Return the sum of p(1-p) over all labels, or over the splits, of both windows of each source together."""
    if splits is None:
        return [_independent_labels(each) for each in counts]
    totals = np.array([first.total + second.total for first, second in counts], np.float64)
    first, second = (
        sums_up_to(of_side, [each.counts for each in of_side], splits)
        for of_side in ([sides[at] for sides in counts] for at in (0, 1))
    )
    shares = (first + second) / totals[:, None]
    return (shares * (1 - shares)).sum(axis=1).tolist()


def _independent_labels(counts: tuple[ColumnCounts, ColumnCounts]) -> float:
    total = counts[0].total + counts[1].total
    if counts[0].labels == counts[1].labels:
        return sum(count * (total - count) for count in (counts[0].counts + counts[1].counts).tolist()) / total**2
    held = dict(zip(counts[0].labels, counts[0].counts.tolist(), strict=True))
    for label, count in zip(counts[1].labels, counts[1].counts.tolist(), strict=True):
        held[label] = held.get(label, 0) + count
    return sum(count * (total - count) for count in held.values()) / total**2


def sums_up_to(
    columns: Sequence[ColumnCounts] | Sequence[Spread],
    values: Sequence[NDArray[np.int64]] | Sequence[Floats],
    splits: NDArray[np.int32],
) -> Floats:
    """The sums of the values of each column up to and including some bins, its own ones or the same of all, [S, D]."""
    column = np.repeat(np.arange(len(columns)), [len(each.bins) for each in columns])
    bins = np.concatenate([_NO_BINS, *(each.bins for each in columns)])
    width = splits.shape[-1] + 1
    if splits.ndim == 1:
        groups = splits.searchsorted(bins)
    else:
        own = splits + (np.arange(len(columns)) << 33)[:, None]
        groups = own.reshape(-1).searchsorted(bins + (column << 33)) - column * (width - 1)
    sums = np.bincount(column * width + groups, np.concatenate([_NO_SUMS, *values]), len(columns) * width)
    return sums.reshape(-1, width).cumsum(axis=1)[:, :-1]


def below(column: ColumnCounts | Spread, at: NDArray[np.int32]) -> Floats:
    """Return the sums of one column up to and including some bins."""
    return column.below[column.bins.searchsorted(at, side="right")]
