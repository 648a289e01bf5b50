"""Counts the cells of one column of a table per cluster, batch by batch."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from facemon.domain.array_types import Floats
from facemon.domain.binning import MISSING, Scale, bins_of, places_of
from facemon.domain.profile import ColumnCounts, ColumnKind, binned_counts, categorical_counts
from facemon.tables.attribute_cells import values_of
from facemon.tables.column_types import plain_type
from facemon.tables.decimal_numbers import doubles_of
from facemon.tables.number_notations import numbers_in

Codes = NDArray[np.int16]
Cells = Iterable[tuple[Any, Codes]]
"""Per batch an Arrow array, and for each of its rows the number of the cluster that it belongs to."""

MOST_LABELS = 1_000
"""A text column with more distinct values than this is an identifier."""
_QUANTILES = 1_000
_WIDEST = 1 << 16
_ROWS_AT_ONCE = 1 << 15
"""Rows of a cluster that are binned together: the arrays of each step then stay in the processor's second cache."""
_FEW_LABELS = 8
"""Up to so many labels it is cheaper to compare all cells with each label than to tabulate them."""


class TooManyLabels(Exception):
    """A column has more distinct values than any set of labels; `seen` are the first of them."""

    def __init__(self, seen: list[str]) -> None:
        super().__init__()
        self.seen = seen


def count_labels(cells: Cells, clusters: int, label_of: Callable[[Any], str]) -> list[ColumnCounts]:
    """The counts per cluster under the labels that `label_of` gives the cells; TooManyLabels if they are not labels."""
    place: dict[str, int] = {}
    totals = np.zeros((clusters, 0), dtype=np.int64)
    for cell_array, codes in cells:
        encoded = cell_array if pa.types.is_dictionary(cell_array.type) else pc.dictionary_encode(cell_array)
        values = [*values_of(encoded.dictionary), None]
        places = np.array([place.setdefault(label_of(value), len(place)) for value in values])
        if len(place) > MOST_LABELS:
            raise TooManyLabels(list(place)[:MOST_LABELS])
        indices = encoded.indices
        if indices.null_count:
            indices = pc.fill_null(indices, len(values) - 1)
        found = _per_cluster(indices.to_numpy(zero_copy_only=False), codes, clusters, len(values))
        grown = np.zeros((clusters, len(place)), dtype=np.int64)
        grown[:, : totals.shape[1]] = totals
        np.add.at(grown.T, places, found.T)
        totals = grown
    return [categorical_counts(dict(zip(place, row.tolist(), strict=True))) for row in totals]


def count_bins(
    cells: Cells,
    clusters: int,
    bin_of: Callable[[Floats], NDArray[np.int32]],
    kind: ColumnKind,
    decimal: str = ".",
) -> list[ColumnCounts]:
    """The counts per cluster in the bins that `bin_of` gives the numbers; `decimal` as in `numbers_of`."""
    keys: list[list[NDArray[np.int32]]] = [[np.empty(0, np.int32)] for _ in range(clusters)]
    counts: list[list[NDArray[np.int64]]] = [[np.empty(0, np.int64)] for _ in range(clusters)]
    for cell_array, codes in _slices(cells, _ROWS_AT_ONCE * clusters):
        bins, table = _tabulate(bin_of(numbers_of(cell_array, decimal)), codes, clusters)
        for cluster, row in enumerate(table):
            occurs = row != 0
            keys[cluster].append(bins[occurs])
            counts[cluster].append(row[occurs])
    return [
        binned_counts(np.concatenate(own_keys), np.concatenate(own_counts), kind)
        for own_keys, own_counts in zip(keys, counts, strict=True)
    ]


def numbers_of(cell_array: Any, decimal: str = ".") -> Floats:
    """The cells as float64; missing ones are NaN, and so is text that is not a number.

    `decimal` is the decimal sign of text where it may be either.
    """
    type_ = value_type(cell_array.type)
    if is_text(type_):
        encoded = cell_array if pa.types.is_dictionary(cell_array.type) else pc.dictionary_encode(cell_array)
        numbers = np.array([*numbers_in(encoded.dictionary.to_pylist(), decimal), np.nan])
        return numbers[pc.fill_null(encoded.indices, len(numbers) - 1).to_numpy(zero_copy_only=False)]
    if pa.types.is_dictionary(cell_array.type):
        cell_array = cell_array.cast(type_)
    if pa.types.is_decimal(type_):
        return doubles_of(cell_array)
    if pa.types.is_floating(type_):
        return cell_array.to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
    return pc.cast(cell_array, pa.float64(), safe=False).to_numpy(zero_copy_only=False)


def value_type(type_: Any) -> Any:
    """The type of a column's cells, be they encoded or not."""
    return plain_type(type_)


def is_text(type_: Any) -> bool:
    """Whether cells of this type are text."""
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))


def is_number(type_: Any) -> bool:
    """Whether cells of this type are numbers."""
    return bool(pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_))


def may_be_numbers(type_: Any) -> bool:
    """Whether `numbers_of` can read cells of this type."""
    return is_number(type_) or is_text(type_) or bool(pa.types.is_boolean(type_) or pa.types.is_null(type_))


def fixed_bins(scale: Scale) -> Callable[[Floats], NDArray[np.int32]]:
    """The bins of the log, for columns that may be compared with it."""
    return lambda values: bins_of(values, scale)


def quantile_edges(values: Floats) -> Floats:
    """At most 1,001 distinct values that cut the finite ones into equal shares, the extremes among them."""
    finite = np.sort(values[np.isfinite(values)])
    if len(finite) == 0:
        return np.zeros(1)
    return np.unique(finite[np.linspace(0, len(finite) - 1, _QUANTILES + 1).astype(np.int64)])


def quantile_bins(edges: Floats, precision: Any = np.float64) -> Callable[[Floats], NDArray[np.int32]]:
    """Bins between the edges, and one for each edge itself: a value that is repeated a lot is a bin of its own.

    Even bins are open intervals (the first and last take what lies beyond the reference, infinities
    included), odd ones hold exactly an edge. So a constant that moves by a hair changes its bin. Values and edges
    are compared in `precision`, the coarser of both sides' types: 0.1 in single precision equals 0.1.
    """
    if precision != np.float64:
        with np.errstate(over="ignore"):
            edges = edges.astype(precision)

    def bin_of(values: Floats) -> NDArray[np.int32]:
        if precision != np.float64:
            with np.errstate(over="ignore"):
                values = values.astype(precision)
        left = np.searchsorted(edges, values)
        equal = edges[np.minimum(left, len(edges) - 1)] == values
        return np.where(np.isnan(values), MISSING, 2 * left + equal).astype(np.int32)

    return bin_of


def _slices(cells: Cells, rows: int) -> Cells:
    """The cells, at most `rows` of them at once; text as it came, since each slice would read its dictionary again."""
    for cell_array, codes in cells:
        step = max(1, len(cell_array)) if is_text(value_type(cell_array.type)) else rows
        for start in range(0, len(cell_array), step):
            yield cell_array.slice(start, step), codes[start : start + step]


def _tabulate(bins: NDArray[np.int32], codes: Codes, clusters: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The bins that occur and their counts, one row per cluster."""
    tabulated = places_of(bins, _WIDEST)
    if tabulated is None:
        keys, places = np.unique(bins, return_inverse=True)
    else:
        places, keys = tabulated
    return keys, _per_cluster(places, codes, clusters, len(keys))


def _per_cluster(places: NDArray[np.integer], codes: Codes, clusters: int, width: int) -> NDArray[np.int64]:
    """How often each place below `width` occurs in each cluster: [clusters, width]."""
    if clusters == 1 and width <= _FEW_LABELS:
        found = [np.count_nonzero(places == place) for place in range(width - 1)]
        return np.array([[*found, len(places) - sum(found)]], dtype=np.int64)
    if clusters > 1:
        places = codes.astype(np.int64) * width + places
    return np.bincount(places, minlength=clusters * width).reshape(clusters, width)
