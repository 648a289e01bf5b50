from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from facemon.config.drift import TablesConfig
from facemon.drift.table_sample import sampled_rows
from facemon.values.drift_result import Verdict
from tests.drift.table_files import check, write

KINDS = TablesConfig(kinds={"site": "categorical", "flag": "categorical", "width": "numerical", "row": "ignore"})


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_columns_are_of_the_kinds_that_were_declared(tmp_path: Path, suffix: str) -> None:
    """Site 7 becomes site 30; among the widths are cells that are no numbers, and later more of them."""
    rows = np.arange(2000)
    sides = []
    for name, site, gaps in (("before", 7, 0.1), ("after", 30, 0.4)):
        widths = [f"{at % 97 / 10}" if at >= 2000 * gaps else "bad" for at in range(2000)]
        columns = {"site": np.where(rows % 2, site, 8), "flag": rows % 2, "width": widths, "row": rows}
        sides.append(write(tmp_path / f"{name}{suffix}", columns))
    found = check(sides[0], sides[1], tables=KINDS)
    kinds = {name: (column.kind, column.verdict) for name, column in found.items()}
    assert kinds == {
        "site": ("categorical", Verdict.DRIFT),
        "flag": ("categorical", Verdict.OK),
        "width": ("number", Verdict.DRIFT),
        "row": ("categorical", Verdict.NOT_COMPARED),
    }
    assert [found[name].score for name in ("site", "width")] == pytest.approx([0.5, 0.3])
    assert found["row"].reason == "ignored by tables.kinds"
    sampled = sampled_rows(sides[0], attributes=[], tables=KINDS, most=100)
    assert [sampled.schema.field(name).type for name in ("site", "flag", "width")] == [
        pa.string(), pa.string(), pa.float64(),
    ]  # fmt: skip
    assert set(sampled["site"].to_pylist()) == {"7", "8"}
    assert sampled["width"].null_count == sum(at < 200 for at in sampled["row"].to_pylist())


def test_a_declared_kind_holds_whatever_the_file_made_of_the_cells(tmp_path: Path) -> None:
    """Empty cells turn whole numbers into floats, and a stray word turns a column into text."""
    before = write(tmp_path / "before.parquet", {"site": np.arange(600) % 3, "width": np.arange(600) % 7})
    floats = [float(at % 3) if at >= 6 else None for at in range(600)]
    texts = [str(at % 7) if at >= 7 else "?" for at in range(600)]
    after = write(tmp_path / "after.parquet", {"site": floats, "width": texts})
    found = check(before, after, tables=KINDS)
    assert {name: column.score for name, column in found.items()} == {
        "site": pytest.approx(0.01),
        "width": pytest.approx(7 / 600),
    }


@pytest.mark.parametrize(
    ("cells", "kind", "reason"),
    [
        ([f"name {at}" for at in range(3000)], "categorical", "it has more than 1,000 labels"),
        (list(range(3000)), "categorical", "it has more than 1,000 labels"),
        (["a", "b", ""] * 1000, "numerical", "it holds no numbers"),
        ([[1, 2]] * 3000, "categorical", "it holds list<element: int64>, no labels"),
        ([datetime(2026, 1, 1)] * 3000, "numerical", "it holds timestamp[us], no numbers"),  # noqa: DTZ001
    ],
)
def test_a_column_that_is_not_what_was_declared_is_undecided(
    tmp_path: Path, cells: Sequence[object], kind: str, reason: str
) -> None:
    path = write(tmp_path / "table.parquet", {"x": pa.array(cells)})
    found = check(path, path, tables=TablesConfig.model_validate({"kinds": {"x": kind}}))["x"]
    assert (found.verdict, found.reason) == (Verdict.UNDECIDED, f"{reason} in the reference")
    assert sampled_rows(path, attributes=[], tables=TablesConfig(kinds={"x": "ignore"}), most=9).num_rows == 9


def test_what_would_pass_for_an_identifier_is_compared_where_it_is_declared(tmp_path: Path) -> None:
    before = write(tmp_path / "before.csv", {"n": np.arange(900), "site": [f"site {at}" for at in range(900)]})
    after = write(tmp_path / "after.csv", {"n": np.arange(900) + 450, "site": [f"site {at}" for at in range(900)]})
    declared = TablesConfig(kinds={"n": "numerical", "site": "categorical"})
    assert {column.verdict for column in check(before, after).values()} == {Verdict.NOT_COMPARED}
    found = check(before, after, tables=declared)
    assert found["n"].verdict is Verdict.DRIFT
    assert found["n"].score == pytest.approx(0.5, abs=0.01)
    assert found["site"].score == 0


@pytest.mark.parametrize("kind", [None, "numerical", "categorical"])
def test_numbers_that_the_reference_lacks_altogether(tmp_path: Path, kind: str | None) -> None:
    tables = TablesConfig.model_validate({"kinds": {"width": kind} if kind else {}})
    before = write(tmp_path / "before.parquet", {"width": pa.nulls(300, pa.float64())})
    after = write(tmp_path / "after.parquet", {"width": np.arange(300.0) % 9})
    assert check(before, after, tables=tables)["width"].score == 1
    assert check(before, before, tables=tables)["width"].score == 0
