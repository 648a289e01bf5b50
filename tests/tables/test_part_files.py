"""Directories of part files as Spark, Hive, pandas and DuckDB write them."""

import codecs
import gzip
import itertools
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest

from facemon.errors import FacemonError
from facemon.tables.table_file import open_table


def parquet(path: Path, **columns: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pa.parquet.write_table(pa.table(columns), path)
    return path


def rows_of(path: Path) -> list[dict[str, Any]]:
    """All rows, read whole and, as a check reads them, column by column."""
    table = open_table(path)
    for name in table.names:
        read = [cell for batch in table.batches([name]) for cell in batch.column(0).to_pylist()]
        assert read == table.read()[name].to_pylist()
    rows: list[dict[str, Any]] = table.read().to_pylist()
    return rows


def test_folders_are_columns(tmp_path: Path) -> None:
    parquet(tmp_path / "kind=a%20b" / "year=2026" / "share=0.5" / "day=2026-01-02" / "0.parquet", n=[1])
    parquet(tmp_path / "kind=__HIVE_DEFAULT_PARTITION__" / "year=7" / "share=1" / "day=2026-01-03" / "0.parquet", n=[2])
    assert rows_of(tmp_path) == [
        {"n": 2, "kind": None, "year": 7, "share": 1.0, "day": date(2026, 1, 3)},
        {"n": 1, "kind": "a b", "year": 2026, "share": 0.5, "day": date(2026, 1, 2)},
    ]


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["1", "-20"], pa.int64()),
        (["1", "01"], pa.string()),
        (["1", "1.5"], pa.float64()),
        (["2026-01-01", "2026-13-01"], pa.string()),
        (["1", "x"], pa.string()),
        (["12345678901234567890", "1"], pa.float64()),
        (["true", "false"], pa.string()),
        (["a=b", "c"], pa.string()),
    ],
)
def test_types_of_folders(tmp_path: Path, values: list[str], type_: pa.DataType) -> None:
    for value in values:
        parquet(tmp_path / f"k={value}" / "0.parquet", n=[1])
    assert open_table(tmp_path).schema.field("k").type == type_


@pytest.mark.parametrize("writer", ["pyarrow", "duckdb", "polars"])
def test_what_others_partition_is_read(tmp_path: Path, writer: str) -> None:
    table = pa.table({"kind": ["a", "b c", "ü/%", None], "w": [1.5, 2.5, 3.5, None]})
    folder = tmp_path / "parts"
    match writer:
        case "pyarrow":
            pa.parquet.write_to_dataset(table, folder, partition_cols=["kind"])
        case "duckdb":
            with duckdb.connect() as connection:
                connection.register("rows", table)
                connection.sql(
                    f"COPY rows TO '{folder}' (FORMAT parquet, PARTITION_BY (kind), WRITE_PARTITION_COLUMNS)"
                )
        case "polars":
            frame = pl.from_arrow(table)
            assert isinstance(frame, pl.DataFrame)
            frame.write_parquet(folder, partition_by="kind")
    found = sorted(rows_of(folder), key=lambda row: row["w"] or 0)
    assert found == sorted(table.to_pylist(), key=lambda row: row["w"] or 0)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_what_begins_with_a_line_or_a_point_is_no_data(tmp_path: Path, suffix: str) -> None:
    folder = tmp_path / "_staging" / ".given"  # names above the folder say nothing
    for name in ("part-0", "deep/part-1", "_temporary/0/part-2", "deep/.ipynb_checkpoints/part-3", "_x", "._y", ".z"):
        path = folder / f"{name}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if suffix == ".csv":
            path.write_text(f"name\n{name}\n")
        else:
            parquet(path, name=[name])
    (folder / "_SUCCESS").touch()
    (folder / ".part-0.parquet.crc").write_bytes(b"crc")
    assert [row["name"] for row in rows_of(folder)] == ["deep/part-1", "part-0"]


FLOAT32 = pa.array([0.5, 0.1], pa.float32())
TYPES: dict[str, tuple[list[Any], pa.DataType, list[Any]]] = {
    "single and double": ([FLOAT32, [0.5, 0.1]], pa.float32(), [0.5, FLOAT32[1].as_py()] * 2),
    "whole and double": ([[1, 2], [0.5, None]], pa.float64(), [1, 2, 0.5, None]),
    "truth and 0 and 1": ([[True, None], [0, 1]], pa.int64(), [1, None, 0, 1]),
    "truth and double": ([[True, False], [0.0, None]], pa.float64(), [1, 0, 0, None]),
    "narrow and wide": ([pa.array([1], pa.int8()), pa.array([2], pa.uint32())], pa.int64(), [1, 2]),
    "huge": ([pa.array([1], pa.int8()), pa.array([2**63], pa.uint64())], pa.float64(), [1, 2.0**63]),
    "nothing and text": ([pa.nulls(1), ["a"]], pa.string(), [None, "a"]),
    "dictionaries": (
        [pa.array(["a", None]).dictionary_encode(), pa.array(["b"], pa.large_string()).dictionary_encode(), ["c"]],
        pa.string(),
        ["a", None, "b", "c"],
    ),
    "dictionaries of numbers": ([pa.array([5, 7]).dictionary_encode(), [1]], pa.int64(), [5, 7, 1]),
    "decimals": (
        [pa.array([Decimal("0.30")]), pa.array([Decimal("2.5100")]), [0.1], pa.array([Decimal(1)], pa.decimal256(40))],
        pa.float64(),
        [0.3, 2.51, 0.1, 1.0],
    ),
    "days and moments": (
        [[date(2026, 1, 1)], pa.array([1], pa.timestamp("ms", "UTC"))], pa.timestamp("us", "UTC"),
        [datetime(2026, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, 0, 0, 0, 1000, tzinfo=UTC)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("types", TYPES.values(), ids=TYPES)
@pytest.mark.parametrize("backwards", [False, True])
def test_types_that_fit(tmp_path: Path, types: Any, backwards: bool) -> None:
    parts, type_, expected = types
    for at, cells in enumerate(reversed(parts) if backwards else parts):
        parquet(tmp_path / f"{at}.parquet", x=cells, other=["y"] * len(cells))
    rows = rows_of(tmp_path)
    assert open_table(tmp_path).schema.field("x").type == type_
    found = [row["x"] for row in rows]
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert backwards or found == expected


OTHER_COLUMNS: list[tuple[dict[str, Any], str]] = [
    ({"x": ["text"], "y": [1]}, "the column x holds int64 in {0} and string in {1}"),
    ({"x": [1]}, "{1}: there is no column y, which {0} has"),
    ({"x": [1], "y": [1], "z": [1]}, "{0}: there is no column z, which {1} has"),
]
OTHER_TYPES: list[tuple[dict[str, Any], str]] = [
    ({"x": [b"bytes"], "y": [1]}, "the column x holds int64 in {0} and binary in {1}"),
    ({"x": [[1]], "y": [1]}, "the column x holds int64 in {0} and list"),
]


@pytest.mark.parametrize(
    ("suffix", "second", "message"),
    [
        *((".parquet", *each) for each in OTHER_COLUMNS + OTHER_TYPES),
        *((".csv", *each) for each in OTHER_COLUMNS),
    ],
)
def test_parts_that_do_not_fit_are_named_with_the_column(
    tmp_path: Path, suffix: str, second: dict[str, Any], message: str
) -> None:
    files = [tmp_path / f"{at}{suffix}" for at in range(2)]
    for path, columns in zip(files, ({"x": [1], "y": [1]}, second), strict=True):
        parquet(path, **columns) if suffix == ".parquet" else pl.DataFrame(columns).write_csv(path)
    with pytest.raises(FacemonError) as caught:
        open_table(tmp_path)
    assert message.format(*files) in caught.value.message
    assert caught.value.hint


def test_columns_in_another_order_are_the_same_columns(tmp_path: Path) -> None:
    parquet(tmp_path / "0.parquet", a=[1], b=["x"])
    parquet(tmp_path / "1.parquet", b=["y"], a=[2])
    assert rows_of(tmp_path) == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


def test_a_folder_that_only_some_parts_have_does_not_fit(tmp_path: Path) -> None:
    parquet(tmp_path / "0.parquet", n=[1])
    parquet(tmp_path / "kind=a" / "1.parquet", n=[1])
    with pytest.raises(FacemonError, match="there is no column kind"):
        open_table(tmp_path)


def test_a_folder_of_text_files_is_a_table(tmp_path: Path) -> None:
    for kind, text in (("a", "x;y\n1;u\n"), ("b", "y,x\nv,2.5\n")):
        (tmp_path / f"kind={kind}").mkdir()
        (tmp_path / f"kind={kind}" / "part-0.csv").write_text(text)
    (tmp_path / "part-1.csv").touch()
    expected = [{"x": 1.0, "y": "u", "kind": "a"}, {"x": 2.5, "y": "v", "kind": "b"}]
    assert rows_of(tmp_path) == expected


def test_lines_of_json_leave_out_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "0.jsonl").write_text('{"x": 1}\n')
    (tmp_path / "1.json").write_text('[{"x": 2.5, "y": "a"}]')
    assert rows_of(tmp_path) == [{"x": 1.0, "y": None}, {"x": 2.5, "y": "a"}]


@pytest.mark.parametrize("names", [[], ["notes.txt"], ["_SUCCESS", ".part.parquet"]])
def test_a_folder_without_a_table(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(FacemonError, match=r"the directory holds no \.parquet file") as caught:
        open_table(tmp_path)
    assert ".csv" in str(caught.value.hint)


BLANK = (b"", b"\n", codecs.BOM_UTF8, codecs.BOM_UTF8 + b" \r\n\r\n")
NO_OBJECTS = (b"[]", b" [\n]\n")


@pytest.mark.parametrize("other", ["1.csv", "1.jsonl"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        *itertools.product(["0.json", "0.jsonl", "z.json", "0.json.gz", "x=1/0.json"], BLANK + NO_OBJECTS),
        *itertools.product(["0.csv", "z.csv", "0.csv.gz", "x=1/0.csv"], BLANK),
    ],
)
def test_a_part_without_rows_leaves_the_others_as_they_are(tmp_path: Path, name: str, text: bytes, other: str) -> None:
    (tmp_path / other).write_text({".csv": "a,b\n1,u\n", ".jsonl": '{"a": 1, "b": "u"}\n'}[Path(other).suffix])
    alone = rows_of(tmp_path)
    empty = tmp_path / name
    empty.parent.mkdir(exist_ok=True)
    empty.write_bytes(gzip.compress(text) if empty.suffix == ".gz" else text)
    assert rows_of(tmp_path) == alone == [{"a": 1, "b": "u"}]
    (tmp_path / other).unlink()
    for path in (tmp_path, empty):
        with pytest.raises(FacemonError, match=r"holds? no rows"):
            open_table(path)


def test_a_parquet_part_without_columns_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    parquet(tmp_path / "0.parquet")
    parquet(tmp_path / "x=1" / "0.parquet")
    with pytest.raises(FacemonError, match="the files in it hold no rows"):
        open_table(tmp_path)
    with pytest.raises(FacemonError, match="the file holds no rows"):
        open_table(tmp_path / "0.parquet")
    parquet(tmp_path / "1.parquet", a=[1], b=["u"])
    assert rows_of(tmp_path) == [{"a": 1, "b": "u"}]
    parquet(tmp_path / "x=1" / "1.parquet", a=[2], b=["v"])
    (tmp_path / "1.parquet").unlink()
    assert rows_of(tmp_path) == [{"a": 2, "b": "v", "x": 1}]
