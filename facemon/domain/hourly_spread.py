"""How much the shares of every column vary from hour to hour within one source, computed from its hours' profiles."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from facemon.domain.array_types import Floats
from facemon.domain.hour_table import HourTable, Places, hour_tables
from facemon.domain.packed_columns import packed
from facemon.domain.profile import ColumnCounts, Profile, add_profiles
from facemon.domain.spread import Spread

_FEWEST_FOR_BREAKS, _MOST_BREAKS = 8, 2
_BREAK = 16.0


def add_hours(hours: Sequence[tuple[int, Profile]]) -> tuple[Profile, dict[str, Spread]]:
    """Return the sum of the profiles of one source, each given with its hour, and the spread of each column over them.

    The hours may be in any order. Profiles of the same hour are added up. A pair is two hours that have rows of the
    column and none between them that has. `SpreadProfile` has the formula. The memory that this needs grows with
    hours times keys.
    """
    profiles = _in_order(hours)
    found: dict[str, tuple[ColumnCounts, Spread]] = {}
    for table in hour_tables([packed(profile.columns) for profile in profiles]):
        for part in _alike(table):
            found |= zip([name for name, _, _ in part.columns], _of_table(part), strict=True)
    whole = Profile(
        sum(profile.images for profile in profiles),
        sum(profile.faces for profile in profiles),
        sum(profile.squares for profile in profiles),
        {name: found[name][0] for name in sorted(found)},
    )
    return whole, {name: spread for name in whole.columns if len((spread := found[name][1]).sums)}


def _in_order(hours: Sequence[tuple[int, Profile]]) -> list[Profile]:
    parts: dict[int, list[Profile]] = {}
    for hour, profile in hours:
        parts.setdefault(hour, []).append(profile)
    return [add_profiles(parts[hour]) for hour in sorted(parts)]


def _alike(table: HourTable) -> Iterator[HourTable]:
    """Yield the columns that have rows in the same hours, and these hours of them."""
    if not table.columns:
        return
    has_rows = table.rows > 0
    alike: dict[bytes, list[int]] = {}
    for at, of_column in enumerate(has_rows.T):
        alike.setdefault(of_column.tobytes(), []).append(at)
    for columns in alike.values():
        yield table.chosen(columns, np.flatnonzero(has_rows[:, columns[0]]))


def _of_table(table: HourTable) -> list[tuple[ColumnCounts, Spread]]:
    """Return the sum and the spread of columns that have rows in all the hours of a table, or in none."""
    if not len(table.rows):
        columns = len(table.columns)
        return table.by_column(np.empty(0), np.zeros(columns), np.zeros(columns, np.int64))
    rows = table.rows.T
    before, after = rows[:, :-1], rows[:, 1:]
    steps = np.diff(table.shares, axis=0)
    if not table.labels:
        # Of the shares up to each bin. Those of a column add up to 0, so one running sum serves for all columns.
        np.cumsum(steps, axis=1, out=steps)
        steps[:, table.ends - 1] = 0.0
    sums, weights, pairs = _sums(steps, before * after / (before + after), table)
    return table.by_column(sums if table.labels else np.diff(sums, prepend=0.0), weights, pairs)


def _sums(differences: Floats, pair_rows: Floats, table: HourTable) -> tuple[Floats, Floats, Places]:
    """Return the sum over the pairs of the squared differences times q squared, for each key.

    And for each column the sum of its q and the number of its pairs, without those of `_breaks`.
    """
    np.square(differences, out=differences)
    is_held = np.split(table.is_held.astype(np.float64), table.starts[1:])
    parts = np.split(differences, table.starts[1:], axis=1)
    scores = [q * (part @ held) for q, part, held in zip(pair_rows, parts, is_held, strict=True)]
    is_break = _breaks(np.array(scores))
    kept = np.where(is_break, 0.0, pair_rows)
    sums = np.concatenate([q @ part for q, part in zip(np.square(kept), parts, strict=True)])
    return sums, kept.sum(axis=1), np.count_nonzero(~is_break, axis=1)


def _breaks(scores: Floats) -> NDArray[np.bool_]:
    """Return which pairs of hours are a break between two states, (columns, pairs).

    The scores are q·(p-p')² of each pair, summed over the keys. A camera that goes dark at noon differs once from
    the hour before. That is drift, and does not show that rows repeat. The two largest scores of a column are breaks
    where they are far beyond the mean of the others, as 0.2 % of the scores of independent rows are, which are
    chi-squared with one degree of freedom or more. The frames of a rare label are seen in few hours, and these are
    not breaks.
    """
    columns, pairs = scores.shape
    if pairs < _FEWEST_FOR_BREAKS:
        return np.zeros((columns, pairs), bool)
    second = np.partition(scores, pairs - _MOST_BREAKS, axis=1)[:, pairs - _MOST_BREAKS, None]
    others = np.where(scores < second, scores, 0.0)
    is_common = np.count_nonzero(others, axis=1, keepdims=True) >= (pairs - _MOST_BREAKS) / 2
    limit = _BREAK * others.sum(axis=1, keepdims=True) / (pairs - _MOST_BREAKS)
    return is_common & (scores >= second) & (scores > limit)
