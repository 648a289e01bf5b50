"""The same rows get the same verdicts, whichever library holds them and in whichever file they lie."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest

from facemon import Monitor
from facemon.domain.drift_result import Verdict, to_document
from tests.acceptance.small_model import CONFIG as SMALL_MODEL
from tests.conftest import RunFacemon

ROWS = 900
CONFIG = f"""\
{SMALL_MODEL}
tables:
  columns: {{hair: hair_code}}
  values: {{hair: {{0: a, 1: b}}}}
drift: {{data: {{threshold: 0.2}}, model: {{threshold: 0.2}}}}
"""


def rows_of_every_kind(seed: int, shift: float) -> pa.Table:
    """Numbers, truth values, text, times; each also with missing cells, and moved by `shift`."""
    random = np.random.default_rng(seed)
    at = np.arange(ROWS)
    start = datetime(2026, 11, 1, 12, tzinfo=UTC)
    normal = random.normal(shift * 5, 1, ROWS).round(4)
    truths = random.random(ROWS) < 0.3 + shift
    words = random.choice(["wide", "long", "normal"], ROWS, p=[0.4 + shift, 0.4 - shift, 0.2])
    cents = random.integers(0, 400, ROWS) + int(shift * 1000)
    return pa.table(
        {
            "image": [f"{index}.jpg" for index in at],
            "hair_code": (random.random(ROWS) < 0.4 + shift).astype(int),
            "hair_confidence": random.uniform(0.5, 1, ROWS).round(4),
            "whole": random.integers(0, 50, ROWS) + int(shift * 100),
            "whole_missing": pa.array(cents, pa.int64(), mask=at % 7 == 0),
            "number": normal,
            "number_missing": pa.array(normal, mask=at % 9 == 0),
            "single": pa.array(random.choice([0.1, 0.2, 0.3], ROWS, p=[0.5 - shift, 0.3, 0.2 + shift]), pa.float32()),
            "price": pa.array([Decimal(int(each)).scaleb(-2) for each in cents], pa.decimal128(9, 2)),
            "truth": truths,
            "truth_missing": pa.array(truths, mask=at % 5 == 0),
            "word": words.tolist(),
            "word_missing": pa.array(words.astype(object), pa.string(), mask=at % 20 == 0),
            "day": pa.array([date(2026, 1, 1) + timedelta(days=int(index % 90)) for index in at]),
            "moment": pa.array([start + timedelta(milliseconds=int(index) * 1001) for index in at]),
            "ticket": [f"ticket {index}" for index in at],
            "row": at,
            "never": pa.nulls(ROWS, pa.float64()),
        }
    )


NORMAL, MOVED = rows_of_every_kind(1, 0), rows_of_every_kind(2, 0.25)


def as_pandas(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    return frame.assign(word=frame["word"].astype("category"), whole=frame["whole"].astype("category"))


def as_indexed_pandas(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    return frame.set_index(["image", "word"])


def as_sparse_pandas(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    return frame.assign(number=frame["number"].astype(pd.SparseDtype(float, 0.0)))


def as_polars(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame.with_columns(pl.col("word").cast(pl.Categorical))


def as_duckdb(table: pa.Table) -> duckdb.DuckDBPyRelation:
    # A relation lives no longer than its connection.
    return duckdb.connect().from_arrow(table)


def as_reader(table: pa.Table) -> pa.RecordBatchReader:
    return table.to_reader(max_chunksize=100)


IN_MEMORY: dict[str, Callable[[pa.Table], Any]] = {
    "pyarrow": lambda table: table,
    "pandas": as_pandas,
    "pandas with an index": as_indexed_pandas,
    "pandas, sparse": as_sparse_pandas,
    "polars": as_polars,
    "duckdb": as_duckdb,
    "reader": as_reader,
    "mappings": lambda table: iter(table.to_pylist()),
}


def write_csv(table: pa.Table, path: Path, **options: Any) -> None:
    table.to_pandas(types_mapper=pd.ArrowDtype).to_csv(path, index=False, **options)


def write_zstd(table: pa.Table, path: Path) -> None:
    write_csv(table, path.with_suffix(""))
    with pa.output_stream(str(path), compression="zstd") as file:
        file.write(path.with_suffix("").read_bytes())


def write_european(table: pa.Table, path: Path) -> None:
    write_csv(table, path, sep=";")


def write_tsv(table: pa.Table, path: Path) -> None:
    write_csv(table, path, sep="\t", encoding="utf-8-sig")


def json_rows(table: pa.Table) -> list[str]:
    """A row as JSON has it: a decimal number, and single precision by its shortest digits."""
    rows = []
    for row in table.to_pylist():
        row["price"], row["single"] = float(row["price"]), float(str(np.float32(row["single"])))
        rows.append(json.dumps({name: str(cell) if isinstance(cell, date) else cell for name, cell in row.items()}))
    return rows


def write_jsonl(table: pa.Table, path: Path) -> None:
    with gzip.open(path, "wt") if path.suffix == ".gz" else path.open("w") as file:
        file.write("\n".join(json_rows(table)))


def write_json(table: pa.Table, path: Path) -> None:
    path.write_text("[\n" + ",\n".join(json_rows(table)) + "]\n")


def write_parts(table: pa.Table, path: Path) -> None:
    """As Spark and pyarrow partition it, in parts whose types differ where they may."""
    parts = pa.Table.from_arrays(table.columns, names=table.column_names)
    at = parts.column_names.index("price")
    for part, type_ in enumerate((pa.decimal128(9, 2), pa.decimal128(12, 4), pa.float64())):
        rows = parts.slice(part * 300, 300)
        # Not Arrow's own cast: it makes 2.5100000000000002 of 2.51.
        prices = [float(price) for price in rows.column("price").to_pylist()]
        rows = rows.set_column(at, "price", pa.array(prices) if part == 2 else rows.column("price").cast(type_))
        if part == 1:
            word = rows.column("word_missing").dictionary_encode()
            rows = rows.set_column(rows.column_names.index("word_missing"), "word_missing", word)
        pa.parquet.write_to_dataset(rows, path, partition_cols=["word"])
    (path / "_temporary" / "0").mkdir(parents=True)
    pa.parquet.write_table(pa.table({"lens": ["never read"] * 500}), path / "_temporary" / "0" / "part-0.parquet")


FILES: dict[str, Callable[[pa.Table, Path], None]] = {
    "rows.csv": write_csv,
    "semicolons.csv": write_european,
    "rows.tsv": write_tsv,
    "rows.csv.zst": write_zstd,
    "rows.jsonl": write_jsonl,
    "rows.jsonl.gz": write_jsonl,
    "rows.json": write_json,
    "rows.parquet": pa.parquet.write_table,
    "parts": write_parts,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("same")
    (folder / "facemon.yaml").write_text(CONFIG)
    Monitor(folder / "facemon.yaml").set_reference(NORMAL, name="expected")
    return folder


@pytest.fixture(scope="module")
def monitor(folder: Path) -> Monitor:
    return Monitor(folder / "facemon.yaml")


@pytest.fixture(scope="module")
def expected(monitor: Monitor) -> dict[str, dict[str, Any]]:
    columns = verdicts_of(to_document(monitor.check(MOVED, reference="expected")))
    found = {name: column["verdict"] for name, column in columns.items()}
    left_out = dict.fromkeys(("day", "moment", "ticket", "row"), Verdict.NOT_COMPARED)
    quiet = {"never": Verdict.NOT_COMPARED, "hair_confidence": Verdict.OK}
    moved = [name for name in MOVED.column_names if name not in {*left_out, *quiet, "image", "hair_code"}]
    assert found == left_out | quiet | dict.fromkeys([*moved, "hair"], Verdict.DRIFT)
    return columns


def verdicts_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All that is said of each column; the order of the columns may be another one."""
    return {column["column"]: column for check in document["checks"].values() for column in check["columns"]}


@pytest.mark.parametrize("form", IN_MEMORY.values(), ids=IN_MEMORY)
def test_any_table_in_memory(
    monitor: Monitor, expected: dict[str, Any], form: Callable[[pa.Table], Any], request: pytest.FixtureRequest
) -> None:
    assert verdicts_of(to_document(monitor.check(form(MOVED), reference="expected"))) == expected
    monitor.set_reference(form(NORMAL), name=request.node.callspec.id)
    assert verdicts_of(to_document(monitor.check(MOVED, reference=request.node.callspec.id))) == expected


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_any_file(folder: Path, facemon: RunFacemon, expected: dict[str, Any], name: str) -> None:
    for side, rows in (("normal", NORMAL), ("moved", MOVED)):
        (folder / side).mkdir(exist_ok=True)
        FILES[name](rows, folder / side / name)
    made = facemon("reference", "set", f"normal/{name}", "--name", f"file {name}", cwd=folder)
    assert made.returncode == 0, made.stderr
    for current, reference in ((f"moved/{name}", "expected"), (f"moved/{name}", f"file {name}")):
        answer = facemon(
            "drift-check", "--current", current, "--reference", reference, "--check", "data", "--format", "json",
            cwd=folder,
        )  # fmt: skip
        assert answer.returncode == 3, answer.stderr
        found = verdicts_of(json.loads(answer.stdout))
        assert found == {column: expected[column] for column in expected if column in found}
        assert len(found) == len(expected) - 2
