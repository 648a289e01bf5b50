"""Frames of pandas, Polars and DuckDB as Arrow tables: read, or a FacemonError that names the column."""

import uuid
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from facemon import Monitor
from facemon.errors import FacemonError
from facemon.monitor.data_frames import arrow_table
from facemon.monitor.foreign_rows import one_table
from facemon.tables.table_file import table_of
from tests.acceptance.small_model import CONFIG


def read(rows: Any) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = table_of(one_table(rows), "rows").read().to_pydict()
    return columns


COLUMNS: dict[str, tuple[Any, list[Any]]] = {
    "pd.cut": (pd.cut(pd.Series([1, 50, None]), [0, 30, 60]), ["(0, 30]", "(30, 60]", None]),
    "intervals": (pd.arrays.IntervalArray.from_breaks([0.0, 1.0, 2.0]), ["(0.0, 1.0]", "(1.0, 2.0]"]),
    "months": (pd.period_range("2026-01", periods=2, freq="M"), [datetime(2026, 1, 1), datetime(2026, 2, 1)]),  # noqa: DTZ001
    "sparse": (pd.arrays.SparseArray([0.0, 1.5, np.nan], fill_value=0.0), [0.0, 1.5, None]),
    "sparse whole": (pd.arrays.SparseArray([0, 0, 3]), [0, 0, 3]),
    "numbers and text": ([1, "a", None, 2.5, np.nan], ["1", "a", None, "2.5", None]),
    "numbers of all kinds": ([1, Decimal("2.5"), 10**30, True, pd.NA], [1.0, 2.5, 1e30, 1.0, None]),
    "numpy's numbers": ([np.float32(0.5), np.int8(3), None], [0.5, 3.0, None]),
    "categories of numbers": (pd.Categorical([3, 1, None]), [3, 1, None]),
    "categories of truths": (pd.Categorical([True, False, None]), [True, False, None]),
    "categories of all kinds": (pd.Categorical([1, "a", 2.0, None]), ["1", "a", "2", None]),
    "nullable": (pd.array([1, None], "Int64"), [1, None]),
    "text": (pd.array(["a", None], "string"), ["a", None]),
    "uuid": ([uuid.UUID(int=7), None], ["00000000-0000-0000-0000-000000000007", None]),
    "half": (np.array([0.5, 7], np.float16), [0.5, 7]),
    "nothing": ([None, None], [None, None]),
}


@pytest.mark.parametrize(("cells", "expected"), COLUMNS.values(), ids=COLUMNS)
def test_columns_of_pandas(cells: Any, expected: list[Any]) -> None:
    assert read(pd.DataFrame({"x": cells}))["x"] == expected


STRANGE: dict[str, tuple[list[Any], str]] = {
    "objects": ([object(), 1], "the column x holds cells of the type object"),
    "paths": ([Path("a"), Path("b")], "the column x holds cells of the type PosixPath"),
    "lists": ([[1], ["a"]], "the column x holds cells of the type list"),
    "complex": ([1j], "the column x cannot be read"),
    "half a character": (["\ud800", object()], "the column x holds"),
}


@pytest.mark.parametrize(("cells", "message"), STRANGE.values(), ids=STRANGE)
def test_what_cannot_be_read_names_the_column(cells: list[Any], message: str) -> None:
    with pytest.raises(FacemonError, match=message) as caught:
        one_table(pd.DataFrame({"n": [1] * len(cells), "x": pd.Series(cells, dtype=None)}))
    assert caught.value.hint


FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"], "c": [0.5, 1.5, None]})


def test_an_index_of_meaning_is_a_column() -> None:
    columns: dict[str, list[Any]] = {"a": [1, 2, 3], "b": ["x", "y", "z"], "c": [0.5, 1.5, None]}
    assert read(FRAME.set_index("b")) == columns
    assert read(FRAME.set_index(["b", "a"])) == columns
    assert read(FRAME) == columns
    assert read(FRAME.sort_values("a", ascending=False)) == {name: cells[::-1] for name, cells in columns.items()}
    levels = pd.MultiIndex.from_tuples([("p", 1), ("q", 2)])
    assert read(pd.DataFrame({"n": [1, 2]}, index=levels)) == {"level_0": ["p", "q"], "level_1": [1, 2], "n": [1, 2]}
    with pytest.raises(FacemonError, match="the index and a column are both called 'b'"):
        one_table(FRAME.set_index("b", drop=False))


def test_series() -> None:
    assert read(FRAME["b"]) == read(pl.Series("b", ["x", "y", "z"])) == {"b": ["x", "y", "z"]}
    assert read(FRAME.set_index("a")["b"]) == {"a": [1, 2, 3], "b": ["x", "y", "z"]}
    for series in (pd.Series([1]), pl.Series([1])):
        with pytest.raises(FacemonError, match="the series has no name"):
            one_table(series)


def test_frames_that_extend_pandas() -> None:
    class Extended(pd.DataFrame):
        """As GeoPandas does it."""

    assert read(Extended({"x": pd.cut([1], [0, 2])})) == {"x": ["(0, 2]"]}


def test_columns_of_polars() -> None:
    columns = {
        "category": pl.Series(["a", None], dtype=pl.Categorical),
        "enum": pl.Series(["a", None], dtype=pl.Enum(["a"])),
        "decimal": pl.Series(["1.20", None]).cast(pl.Decimal(10, 2)),
        "day": [date(2026, 1, 1), None],
        "time": [time(1), None],
        "small": pl.Series([1, None], dtype=pl.UInt8),
        "nothing": [None, None],
    }
    found = read(pl.DataFrame(columns))
    assert found["decimal"] == [Decimal("1.20"), None]
    assert (found["category"], found["enum"], found["small"]) == (["a", None], ["a", None], [1, None])
    with pytest.raises(FacemonError, match="the rows are a LazyFrame") as caught:
        one_table(pl.LazyFrame({"a": [1]}))
    assert caught.value.hint == "call collect() on it first"
    with pytest.raises(FacemonError, match="the DataFrame is not a table"):
        one_table(pl.DataFrame({"a": pl.Series([1], dtype=pl.Int128)}))


def test_columns_of_duckdb() -> None:
    query = "select 1::hugeint h, 'x'::enum('x', 'y') e, 1.25::decimal(5, 2) d, uuid() id, true b, null n, '{}'::json j"
    with duckdb.connect() as connection:
        found = read(connection.sql(query))
    assert [found[name] for name in "hedbnj"] == [[1], ["x"], [Decimal("1.25")], [True], [None], ["{}"]]
    assert isinstance(found["id"][0], str)


@pytest.mark.parametrize(
    "rows",
    [
        pa.array([1]), pa.chunked_array([[1]]), 5, None, "text", {"a": [1]}, np.zeros((2, 2)), [[1]], [], iter(()),
        pa.table({}), FRAME[:0], pd.DataFrame(), pl.DataFrame(), pd.DataFrame([[1, 2]], columns=["a", "a"]),
        [FRAME, 5], [pa.table({"a": ["x"]}), pa.table({"a": [1]})],
    ],
    ids=lambda rows: type(rows).__name__,
)  # fmt: skip
def test_what_is_no_table(rows: Any, tmp_path: Path) -> None:
    (tmp_path / "facemon.yaml").write_text(CONFIG)
    with pytest.raises(FacemonError):
        Monitor(tmp_path / "facemon.yaml").set_reference(rows, name="x")


WIDE: dict[str, Callable[[], Any]] = {
    "pandas": lambda: pd.DataFrame({name: pd.Series(cells, dtype=None) for name, (cells, _) in COLUMNS.items()}),
    "views": lambda: pa.table({"s": pa.array(["a"], pa.string_view()), "l": pa.array([[1]], pa.large_list(pa.int8()))}),
    "runs": lambda: pa.table(
        {"r": pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array(["a", "b"]))}
    ),
    "dictionaries": lambda: pa.table({"d": pa.array([1.5, None]).dictionary_encode(), "e": pa.nulls(2, pa.string())}),
    "times": lambda: pa.table({"d": pa.array([1], pa.duration("s")), "t": pa.array([1], pa.time32("s"))}),
    "nested": lambda: pa.table({"s": [{"a": 1}], "m": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64()))}),
    "duckdb": lambda: duckdb.sql("select [1] l, time '01:02' t, 5::bit::varchar bt, {'a': 1} s"),
}


@pytest.mark.parametrize("rows", WIDE.values(), ids=WIDE)
def test_every_type_is_compared_or_left_out(rows: Callable[[], Any], tmp_path: Path) -> None:
    (tmp_path / "facemon.yaml").write_text(CONFIG)
    monitor = Monitor(tmp_path / "facemon.yaml")
    monitor.set_reference(rows(), name="x")
    result = monitor.check(rows(), reference="x", checks=("data",))
    (data,) = result.checks.values()
    table = arrow_table(rows())
    assert table is not None
    assert {column.column for column in data.columns} == set(table.column_names)


UNSTORABLE = {
    "interval": lambda: duckdb.sql("select interval 3 days iv, 1 n"),
    "empty objects": lambda: pa.table({"iv": pa.array([{}], pa.struct([])), "n": [1]}),
}


@pytest.mark.parametrize("rows", UNSTORABLE.values(), ids=UNSTORABLE)
def test_what_no_file_can_hold_is_no_reference(rows: Callable[[], Any], tmp_path: Path) -> None:
    (tmp_path / "facemon.yaml").write_text(CONFIG)
    monitor = Monitor(tmp_path / "facemon.yaml")
    with pytest.raises(FacemonError, match=r"rows: column iv holds .*, which a Parquet file cannot hold"):
        monitor.set_reference(rows(), name="x")
    monitor.set_reference(pa.table({"n": [1]}), name="x")
    columns = monitor.check(rows(), reference="x", checks=("data",)).checks
    assert {column.column for check in columns.values() for column in check.columns} == {"iv", "n"}


def test_an_index_of_the_log_s_columns_is_logged(tmp_path: Path) -> None:
    (tmp_path / "facemon.yaml").write_text(CONFIG)
    monitor = Monitor(tmp_path / "facemon.yaml")
    frame = pd.DataFrame({"image": ["a", "b"], "hair": ["a", "b"], "ticket": [1, 2]})
    assert monitor.log(frame.set_index(["image", "ticket"])) == 2
    assert monitor.log(pl.DataFrame({"image": ["a"], "hair": pl.Series(["b"], dtype=pl.Categorical)})) == 1
    assert monitor.log(duckdb.sql("select 'c' image, 'a' hair, 0.5::decimal(3, 2) hair_confidence")) == 1
    with pytest.raises(FacemonError, match="several columns are called 'image'"):
        monitor.log(pa.table([["a"], ["b"]], names=["image", "image"]))
