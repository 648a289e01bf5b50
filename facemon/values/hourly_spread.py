"""How much the shares of every column vary from hour to hour within one source, computed from its hours' profiles."""

from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from facemon.values.binning import MISSING
from facemon.values.profile import ColumnCounts, ColumnKind, Profile, add_profiles, categorical_counts
from facemon.values.spread import Floats, Spread

_TABLE = 1 << 17
"""Places of a table of all bins, of all columns together, that cost less than a sort."""
_NONE = categorical_counts({})
_FEWEST_FOR_BREAKS, _MOST_BREAKS = 8, 2
_BREAK = 16.0
Places = NDArray[np.int64]


def hourly_spreads(hours: Sequence[tuple[int, Profile]]) -> dict[str, Spread]:
    """Return the spread of each column over the profiles of one source, each given with its hour.

    The hours may be in any order. Profiles of the same hour are added up. A pair is two hours that have rows of the
    column and none between them that has. `SpreadProfile` has the formula. The memory that this needs
    grows with hours times keys.
    """
    return add_hours(hours)[1]


def add_hours(hours: Sequence[tuple[int, Profile]]) -> tuple[Profile, dict[str, Spread]]:
    """Return the sum of the profiles, as `add_profiles` does, and their `hourly_spreads`, from one table of counts."""
    profiles = _in_order(hours)
    alike: dict[tuple[bool, tuple[bool, ...]], list[str]] = {}
    for name in sorted(set[str]().union(*(profile.columns for profile in profiles))):
        columns = [profile.columns.get(name, _NONE) for profile in profiles]
        kind = next(column.kind for column in columns if column is not _NONE)
        has_rows = tuple([column.counts.size > 0 for column in columns])
        alike.setdefault((kind is ColumnKind.CATEGORICAL, has_rows), []).append(name)
    found: dict[str, tuple[ColumnCounts, Spread]] = {}
    for (is_categorical, has_rows), names in alike.items():
        held = [profile for profile, has in zip(profiles, has_rows, strict=True) if has]
        if held:
            table = [[profile.columns[name] for profile in held] for name in names]
            found |= zip(names, (_of_labels if is_categorical else _of_bins)(table), strict=True)
        else:
            empty = add_profiles([Profile(columns=_some(profile, names)) for profile in profiles])
            found |= {name: (empty.columns[name], Spread(np.empty(0), 0.0, 0)) for name in names}
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


def _of_labels(table: Sequence[Sequence[ColumnCounts]]) -> list[tuple[ColumnCounts, Spread]]:
    """Return the sum and the spread of columns, each of which has rows in all the hours."""
    labels = [tuple(sorted(set[str]().union(*(column.labels for column in columns)))) for columns in table]
    starts = _starts(map(len, labels))
    places: list[int] = []
    for columns, known, start in zip(table, labels, starts.tolist(), strict=True):
        place_of = {label: start + place for place, label in enumerate(known)}
        for column in columns:
            places += map(place_of.__getitem__, column.labels)
    counts, shares, pair_rows = _shares(table, np.array(places, np.int64), sum(map(len, labels)))
    sums, weights, pairs = _sums(np.diff(shares, axis=0), pair_rows, starts)
    parts = zip(table, labels, np.split(counts, starts[1:]), np.split(sums, starts[1:]), weights, pairs, strict=True)
    return [
        (
            ColumnCounts(columns[0].kind, columns[0].unit, part, labels=known),
            Spread(squares, weight, number, labels=known),
        )
        for columns, known, part, squares, weight, number in parts
    ]


def _of_bins(table: Sequence[Sequence[ColumnCounts]]) -> list[tuple[ColumnCounts, Spread]]:
    """As `_of_labels`, of the shares up to each bin, and as steps."""
    places, bins, starts = _places_of_bins(table)
    counts, shares, pair_rows = _shares(table, places, len(bins))
    # The differences of a column add up to 0, so one running sum serves for all columns.
    steps = np.diff(shares, axis=0)
    np.cumsum(steps, axis=1, out=steps)
    steps[:, np.append(starts[1:], len(bins)) - 1] = 0.0
    sums, weights, pairs = _sums(steps, pair_rows, starts)
    split = (np.split(each, starts[1:]) for each in (bins, counts, np.diff(sums, prepend=0.0)))
    return [
        (
            ColumnCounts(columns[0].kind, columns[0].unit, part, bins=held),
            Spread(squares, weight, number, bins=held),
        )
        for columns, weight, number, held, part, squares in zip(table, weights, pairs, *split, strict=True)
    ]


def _places_of_bins(table: Sequence[Sequence[ColumnCounts]]) -> tuple[Places, NDArray[np.int32], Places]:
    """Return the key of each count as a place among all columns' keys; the keys; where each column's begin."""
    parts = list(chain.from_iterable(table))
    bins = np.concatenate([part.bins for part in parts])
    sizes = np.array([len(part.bins) for part in parts])
    first = _starts(sizes)
    # Bins ascend, so that a missing value is the first of its part. It has the place before the lowest bin.
    is_missing = bins[first] == MISSING
    lowest = bins[np.where(is_missing & (sizes > 1), first + 1, first)].astype(np.int64)
    low = np.where(is_missing & (sizes == 1), np.int64(2**31), lowest).reshape(len(table), -1).min(axis=1)
    high = bins[first + sizes - 1].astype(np.int64).reshape(len(table), -1).max(axis=1)
    width = np.maximum(high - low, 0) + 2
    begin = _starts(width)
    if width.sum() > _TABLE:
        return _sorted_places(bins, sizes, len(table))
    hours = len(table[0])
    in_table = np.repeat(np.repeat(begin + 1 - low, hours), sizes)
    in_table += bins
    in_table[first[is_missing]] = np.repeat(begin, hours)[is_missing]
    is_held = np.zeros(width.sum(), bool)
    is_held[in_table] = True
    held = np.flatnonzero(is_held)
    column = np.searchsorted(begin, held, side="right") - 1
    offset = held - begin[column]
    keys = np.where(offset == 0, MISSING, offset - 1 + low[column]).astype(np.int32)
    return (np.cumsum(is_held) - 1)[in_table], keys, np.searchsorted(column, np.arange(len(table)))


def _sorted_places(bins: NDArray[np.int32], sizes: Places, columns: int) -> tuple[Places, NDArray[np.int32], Places]:
    """As `_places_of_bins`, for bins far apart."""
    column = np.repeat(np.repeat(np.arange(columns), len(sizes) // columns), sizes)
    codes, places = np.unique((column << 32) + (bins.astype(np.int64) - MISSING), return_inverse=True)
    keys = ((codes & 0xFFFFFFFF) + MISSING).astype(np.int32)
    return places, keys, np.searchsorted(codes >> 32, np.arange(columns))


def _shares(
    table: Sequence[Sequence[ColumnCounts]], places: Places, keys: int
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Return the count of each key; its share in each hour (hours, keys); q of each pair of hours (columns, pairs)."""
    parts = list(chain.from_iterable(table))
    counts = np.concatenate([part.counts for part in parts], dtype=np.float64)
    sizes = np.array([len(part.counts) for part in parts])
    rows = np.add.reduceat(counts, _starts(sizes))
    # Sums of whole numbers are exact in float64 up to 2**53.
    sums = np.bincount(places, counts, keys).astype(np.int64)
    hours = len(table[0])
    at = np.repeat(np.tile(np.arange(hours) * keys, len(table)), sizes)
    at += places
    counts /= np.repeat(rows, sizes)
    shares = np.zeros(hours * keys)
    shares[at] = counts
    before, after = rows.reshape(-1, hours)[:, :-1], rows.reshape(-1, hours)[:, 1:]
    return sums, shares.reshape(hours, keys), before * after / (before + after)


def _sums(differences: Floats, pair_rows: Floats, starts: Places) -> tuple[Floats, list[float], list[int]]:
    """Return the sum over the pairs of the squared differences times q squared, for each key.

    And for each column the sum of its q and the number of its pairs, without those of `_breaks`.
    """
    np.square(differences, out=differences)
    parts = np.split(differences, starts[1:], axis=1)
    is_break = _breaks(np.array([q * part.sum(axis=1) for q, part in zip(pair_rows, parts, strict=True)]))
    kept = np.where(is_break, 0.0, pair_rows)
    sums = np.concatenate([q @ part for q, part in zip(np.square(kept), parts, strict=True)])
    return sums, kept.sum(axis=1).tolist(), np.count_nonzero(~is_break, axis=1).tolist()


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


def _starts(sizes: Iterable[int] | Places) -> Places:
    """Return where each of several parts of such sizes begins when they stand one behind the other."""
    return np.concatenate([[0], np.cumsum(np.fromiter(sizes, np.int64))[:-1]])


def _some(profile: Profile, names: Sequence[str]) -> dict[str, ColumnCounts]:
    return {name: profile.columns[name] for name in names if name in profile.columns}
