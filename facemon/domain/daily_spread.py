"""How much the shares of every column vary from day to day, within each source and of all sources together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from facemon.domain.array_types import Floats
from facemon.domain.profile import ColumnCounts, ColumnKind, Profile
from facemon.domain.spread import Spread

_ADDED_AT_ONCE = 4
"""So many days of a column are kept before they become one."""
Keys = NDArray[np.int32] | NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class DailySpreads:
    """The variances between days: by source and column, and by column of all sources at a fixed mix of them."""

    by_source: Mapping[str | None, Mapping[str, Spread]] = field(default_factory=dict)
    whole: Mapping[str, Spread] = field(default_factory=dict)


def daily_spreads(days: Iterable[Mapping[str | None, Profile]], whole: Mapping[str | None, Profile]) -> DailySpreads:
    """Return the variances between days, each given as its profiles by source; one day is held at a time.

    With the share p_d of a key and ω_d, the day's part of all rows, the variance is Σ ω_d·(p_d-p̄)² / (1-Σ ω_d²), where
    p̄ = Σ ω_d·p_d: the unbiased variance of values with reliability weights. Days without rows of the column do not
    count; with one day `pairs` and `weight` are 0.

    Of all sources p_d is Σ W_s·p_sd, where W_s is the part that the source has of the column's rows in `whole`, over
    the sources that have rows on that day, whose W_s are made to add up to 1. So a day on which one camera saw more
    than usual does not count as a different day.
    """
    rows = {source: {name: column.total for name, column in p.columns.items()} for source, p in whole.items()}
    by_source: dict[str | None, dict[str, _Days]] = {}
    together: dict[str, _Days] = {}
    for day in days:
        of_day: dict[str, list[tuple[ColumnCounts, int]]] = {}
        for source, profile in day.items():
            columns = by_source.setdefault(source, {})
            for name, column in profile.columns.items():
                if len(column.counts):
                    keys, shares, total = _keys(column), column.counts / column.total, column.total
                    columns.setdefault(name, _Days(column.kind)).add(keys, shares, total)
                    of_day.setdefault(name, []).append((column, rows[source][name]))
        for name, parts in of_day.items():
            together.setdefault(name, _Days(parts[0][0].kind)).add(*_mixed(parts))
    return DailySpreads(
        {source: _spreads(columns) for source, columns in sorted(by_source.items(), key=lambda each: each[0] or "")},
        _spreads(together),
    )


def _mixed(parts: list[tuple[ColumnCounts, int]]) -> tuple[Keys, Floats, int]:
    """Return the keys of a day, their shares at the mix of sources of the weights, and the day's rows."""
    weights = np.array([weight for _, weight in parts], np.float64)
    scaled = [
        column.counts * (weight / column.total)
        for (column, _), weight in zip(parts, weights / weights.sum(), strict=True)
    ]
    keys, (shares,) = _united([_keys(column) for column, _ in parts], [scaled])
    return keys, shares, sum(column.total for column, _ in parts)


@dataclass(slots=True)
class _Days:
    """What the variance of one column between days is made of; sums of steps, as `Spread` has them, for bins."""

    kind: ColumnKind
    days: int = 0
    rows: int = 0
    squared_rows: int = 0
    keys: list[Keys] = field(default_factory=list)
    firsts: list[Floats] = field(default_factory=list)
    """Σ rows·share"""
    seconds: list[Floats] = field(default_factory=list)
    """Σ rows·share²"""

    def add(self, keys: Keys, shares: Floats, rows: int) -> None:
        self.days += 1
        self.rows += rows
        self.squared_rows += rows**2
        is_categorical = self.kind is ColumnKind.CATEGORICAL
        squares = shares**2 if is_categorical else np.diff(np.cumsum(shares) ** 2, prepend=0.0)
        self.keys.append(keys)
        self.firsts.append(shares * rows)
        self.seconds.append(squares * rows)
        if len(self.keys) > _ADDED_AT_ONCE:
            self._fold()

    def _fold(self) -> None:
        keys, (first, second) = _united(self.keys, [self.firsts, self.seconds])
        self.keys, self.firsts, self.seconds = [keys], [first], [second]

    def spread(self) -> Spread:
        self._fold()
        (keys,), (first,), (second,) = self.keys, self.firsts, self.seconds
        if self.days < 2:
            variances, weight = np.zeros(len(keys)), 0.0
        else:
            is_categorical = self.kind is ColumnKind.CATEGORICAL
            mean, mean_square = (part if is_categorical else np.cumsum(part) for part in (first, second))
            # What rounding leaves of equal days can lie below 0.
            squares = np.maximum(mean_square / self.rows - (mean / self.rows) ** 2, 0.0)
            variances, weight = squares / (1 - self.squared_rows / self.rows**2), 1.0
        if self.kind is ColumnKind.CATEGORICAL:
            return Spread(variances, weight, self.days - 1, labels=tuple(keys.tolist()))
        return Spread(np.diff(variances, prepend=0.0), weight, self.days - 1, bins=keys.astype(np.int32))


def _spreads(columns: Mapping[str, _Days]) -> dict[str, Spread]:
    return {name: columns[name].spread() for name in sorted(columns)}


def _keys(column: ColumnCounts) -> Keys:
    return np.array(column.labels, object) if column.kind is ColumnKind.CATEGORICAL else column.bins


def _united(keys: list[Keys], values: list[list[Floats]]) -> tuple[Keys, list[Floats]]:
    """Return the keys of all parts, ascending, and each of the lists of values added up by key."""
    united, places = np.unique(np.concatenate(keys), return_inverse=True)
    return united, [_summed(places, parts, len(united)) for parts in values]


def _summed(places: NDArray[np.int64], parts: list[Floats], keys: int) -> Floats:
    return np.bincount(places, np.concatenate(parts), keys).astype(np.float64)
