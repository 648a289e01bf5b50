"""Spreads computed pair by pair and key by key in plain Python."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from facemon.domain.profile import ColumnCounts
from facemon.domain.spread import Spread

Key = str | int


def counted(column: ColumnCounts) -> dict[Key, int]:
    """The counts by key."""
    keys: Sequence[Key] = column.labels or column.bins.tolist()
    return dict(zip(keys, column.counts.tolist(), strict=True))


def share(column: ColumnCounts, key: Key) -> float:
    """The share of a label, or of all up to a bin."""
    counts = counted(column)
    if isinstance(key, str):
        return counts.get(key, 0) / column.total
    return sum(count for held, count in counts.items() if int(held) <= key) / column.total


def slow_hourly(columns: Sequence[ColumnCounts]) -> tuple[dict[Key, float], float, int]:
    """The sum of each key's squares, the weight and the pairs of one column, from its hours with rows in order."""
    keys: list[Key] = sorted({key for column in columns for key in counted(column)})
    sums, weight = dict.fromkeys(keys, 0.0), 0.0
    for one, next_ in pairwise(columns):
        rows = one.total * next_.total / (one.total + next_.total)
        weight += rows
        for key in keys:
            sums[key] += rows**2 * (share(one, key) - share(next_, key)) ** 2
    return sums, weight, len(columns) - 1


def plain(spread: Spread) -> tuple[dict[Key, float], float, int]:
    """A spread in the form of `slow_hourly`: steps of bins are added up."""
    if spread.labels:
        return dict(zip(spread.labels, spread.sums.tolist(), strict=True)), spread.weight, spread.pairs
    sums = dict(zip(spread.bins.tolist(), np.cumsum(spread.sums).tolist(), strict=True))
    return sums, spread.weight, spread.pairs


def assert_alike(found: Spread, expected: tuple[dict[Key, float], float, int], rel: float = 1e-9) -> None:
    """The same keys and, but for rounding, the same sums and weight."""
    sums, weight, pairs = plain(found)
    assert list(sums) == list(expected[0])
    assert list(sums.values()) == pytest.approx(list(expected[0].values()), rel=rel, abs=1e-7)
    assert weight == pytest.approx(expected[1], rel=1e-12)
    assert pairs == expected[2]
