"""How far apart two distributions are, from 0 (the same) to 1 (nothing in common)."""

import numpy as np

from facemon.domain.array_types import Counts
from facemon.domain.binning import distinct
from facemon.domain.profile import ColumnCounts, ColumnKind


def aligned(columns: list[ColumnCounts]) -> list[Counts]:
    """The counts of columns of one kind over the same keys: all their labels or bins, ascending."""
    if columns[0].kind is ColumnKind.CATEGORICAL:
        labels = sorted({label for column in columns for label in column.labels})
        if all(len(column.counts) == len(labels) and column.labels == tuple(labels) for column in columns):
            return [column.counts for column in columns]
        place = {label: at for at, label in enumerate(labels)}
        places = [np.array([place[label] for label in column.labels], dtype=np.intp) for column in columns]
        width = len(labels)
    else:
        bins = distinct(np.concatenate([column.bins for column in columns]))
        places = [bins.searchsorted(column.bins) for column in columns]
        width = len(bins)
    gathered = np.zeros((len(columns), width), dtype=np.int64)
    for counts, column, at in zip(gathered, columns, places, strict=True):
        counts[at] = column.counts
    return list(gathered)


def total_variation(reference: Counts, current: Counts) -> float:
    """Half the sum of the absolute differences of shares: the share of rows that would have to change label.

    Both are counts over the same labels, of which "missing" is one like any other. For two labels it is the
    change of either share: 0.05 is five percentage points.
    """
    if len(reference) == 2:
        # In plain numbers: of sources that are judged one by one there are thousands.
        (before, now), rows = (reference.tolist(), current.tolist()), (int(reference.sum()), int(current.sum()))
        moved = [abs(second / rows[1] - first / rows[0]) for first, second in zip(before, now, strict=True)]
        return min(sum(moved) / 2, 1.0)
    shares = np.abs(current / current.sum() - reference / reference.sum())
    return float(min(shares.sum() / 2, 1.0))


def ks_distance(reference: Counts, current: Counts) -> float:
    """The largest difference of the cumulative shares over ordered bins (Kolmogorov-Smirnov).

    The missing values are the first bin and take part in the order. If a share m of the values vanishes at
    random, the cumulative shares differ by m right after that bin, so the distance is at least m: 60 %
    missing shows as 0.6 or more, where a distance over the values that are left would show nothing.
    """
    differences = np.cumsum(current) / current.sum() - np.cumsum(reference) / reference.sum()
    return float(min(np.abs(differences).max(), 1.0))
