"""Counts of a column are the same however its rows are cut into batches, slices and clusters."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from facemon.domain.binning import Scale, bins_of
from facemon.domain.profile import MISSING_LABEL, ColumnCounts, ColumnKind
from facemon.drift import table_counts
from facemon.drift.table_counts import Codes, count_bins, count_labels, fixed_bins, numbers_of

ROWS = 1_000


def batches(column: pa.Array, codes: Codes, rows: int) -> Iterator[tuple[Any, Codes]]:
    for start in range(0, len(column), rows):
        yield column.slice(start, rows), codes[start : start + rows]


def expected(keys: list[Any], codes: Codes, clusters: int) -> list[dict[Any, int]]:
    return [dict(Counter(key for key, code in zip(keys, codes, strict=True) if code == own)) for own in range(clusters)]


def found(columns: list[ColumnCounts]) -> list[dict[Any, int]]:
    return [dict(zip(column.labels or column.bins.tolist(), column.counts.tolist(), strict=True)) for column in columns]


def numbers(rng: np.random.Generator, type_: pa.DataType) -> pa.Array:
    values: NDArray[np.float64] = np.where(rng.random(ROWS) < 0.1, 1.0, rng.random(ROWS))
    if pa.types.is_integer(type_):
        values = np.floor(values * 100)
    return pa.array(values, pa.float64(), mask=rng.random(ROWS) < 0.05).cast(type_)


@pytest.mark.parametrize("clusters", [1, 3])
@pytest.mark.parametrize("type_", [pa.float32(), pa.float64(), pa.int32(), pa.decimal128(12, 2), pa.string()], ids=str)
def test_numbers_are_counted_alike_in_slices_of_any_length(
    type_: pa.DataType, clusters: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(4)
    scale = Scale.LOG_LINEAR if pa.types.is_integer(type_) else Scale.LOGIT
    column = numbers(rng, pa.float64() if pa.types.is_decimal(type_) else type_)
    if pa.types.is_decimal(type_):
        column = pa.compute.round(column, 2).cast(type_)
    codes = rng.integers(0, clusters, ROWS).astype(np.int16)
    bins = bins_of(numbers_of(column), scale).tolist()
    for at_once in (1 << 15, 170):
        monkeypatch.setattr(table_counts, "_ROWS_AT_ONCE", at_once)
        for rows in (ROWS, 300):
            cells = batches(column, codes, rows)
            counted = count_bins(cells, clusters, fixed_bins(scale), ColumnKind.NUMBER)
            assert found(counted) == expected(bins, codes, clusters)


@pytest.mark.parametrize("clusters", [1, 3])
@pytest.mark.parametrize("labels", [1, 2, 7, 8, 30])
def test_labels_are_counted_alike_however_many_there_are(labels: int, clusters: int) -> None:
    rng = np.random.default_rng(labels)
    names = [f"label {number}" for number in rng.integers(0, labels, ROWS)]
    column = pa.array(names, pa.string(), mask=rng.random(ROWS) < 0.05)
    codes = rng.integers(0, clusters, ROWS).astype(np.int16)
    keys = [name or MISSING_LABEL for name in column.to_pylist()]
    for given in (column, column.dictionary_encode(), column.fill_null("label 0")):
        texts = keys if given.null_count else [key or "label 0" for key in keys]
        counted = count_labels(batches(given, codes, 300), clusters, lambda value: value or MISSING_LABEL)
        assert found(counted) == expected(texts, codes, clusters)


@pytest.mark.parametrize("type_", [pa.float16(), pa.float32(), pa.float64(), pa.int64(), pa.bool_()], ids=str)
def test_missing_numbers_are_nan(type_: pa.DataType) -> None:
    column = pa.array([1, None, 0], pa.float64()).cast(type_)
    for given, wanted in ((column, [1.0, np.nan, 0.0]), (column.slice(1, 1), [np.nan]), (column.slice(3), [])):
        got = numbers_of(given)
        assert got.dtype == np.float64
        np.testing.assert_array_equal(got, wanted)
