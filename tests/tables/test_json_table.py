"""JSON Lines, arrays of objects, and what people take for them."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from facemon.errors import FacemonError
from facemon.tables.table_file import open_table

ROWS: list[dict[str, Any]] = [{"a": 1, "b": "ü", "c": None}, {"a": 2.5, "b": None, "c": True}]


@pytest.mark.parametrize(
    "text",
    [
        "".join(json.dumps(row) + "\n" for row in ROWS),
        "\ufeff" + "\n\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS),
        json.dumps(ROWS),
        "\ufeff \n" + json.dumps(ROWS, indent=2, ensure_ascii=False),
        "\n".join(json.dumps(row, indent=1) for row in ROWS),
    ],
    ids=["lines", "mark and empty lines", "array", "indented array", "indented objects"],
)
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.ndjson", "a.jsonl.gz", "a.JSON.zst"])
def test_the_same_rows(tmp_path: Path, text: str, name: str) -> None:
    path = tmp_path / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    elif name.endswith(".zst"):
        with pa.output_stream(str(path), compression="zstd") as file:
            file.write(text.encode())
    else:
        path.write_text(text)
    assert open_table(path).read().to_pylist() == ROWS


@pytest.mark.parametrize("array", [False, True])
def test_rows_larger_than_a_block(tmp_path: Path, array: bool) -> None:
    rows = [{"a": at, "b": "x" * 3_000_000} for at in range(4)]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(rows) if array else "\n".join(map(json.dumps, rows)))
    assert open_table(path).read().to_pylist() == rows


@pytest.mark.parametrize(
    ("cells", "type_"),
    [
        (["2026-11-01T12:00:00Z", None, "2026-11-01T12:00:00.25+01:00"], pa.timestamp("us", "UTC")),
        ([None, "2026-11-01 12:00:00.000001"], pa.timestamp("us")),
        (["2026-11-01T12:00:00Z", "soon"], pa.string()),
        (["2026-11-01 and later"], pa.string()),
    ],
)
def test_times_are_times_as_in_csv(tmp_path: Path, cells: list[str | None], type_: pa.DataType) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps({"t": cell, "n": 1}) for cell in cells))
    table = open_table(path).read()
    assert table.schema.field("t").type == type_
    if type_ == pa.timestamp("us", "UTC"):
        assert table["t"][2].as_py() == datetime(2026, 11, 1, 11, 0, 0, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"a": "\xfc"}\n', "text that is not UTF-8"),
        (b'[{"a": "\xfc"}]\n', "text that is not UTF-8"),
        (b'[{"a": 1}, 2]', "item 1 of the array is not an object"),
        (b'[{"a": 1},', "cannot be read"),
        (b"[]", "the file holds no rows"),
        (b"  \n", "the file holds no rows"),
        (pd.DataFrame({"a": [1, 2]}).to_json().encode(), "the file is one object, not one for each row"),
        (b'[{"a": 1}, {"a": "x"}]', "cannot be read"),
    ],
)
def test_what_is_no_table(tmp_path: Path, text: bytes, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(text)
    with pytest.raises(FacemonError, match=message) as caught:
        open_table(path)
    assert caught.value.hint
