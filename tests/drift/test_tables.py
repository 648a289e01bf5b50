from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from facemon.config.drift import TablesConfig
from facemon.domain.drift_result import Verdict
from facemon.domain.profile import UNRECOGNISED, ColumnKind
from facemon.drift.table_sample import sampled_rows
from facemon.drift.tables import read_sample
from facemon.errors import FacemonError
from facemon.tables.table_file import open_table
from tests.drift.table_files import AGE, BEARD, TABLES, check, compared, write
from tests.drift.worlds import numbers, single, yes_no


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_every_format_says_the_same(tmp_path: Path, suffix: str) -> None:
    rng = np.random.default_rng(61)
    sides = []
    for name, share, shift in (("before", 0.3, 0.0), ("after", 0.5, 1.0)):
        columns = {
            "image": [f"{at}.jpg" for at in range(600)],
            "beard": np.where(np.arange(600) < 600 * share, "yes", "no"),
            "width": rng.normal(shift, 1, 600),
            "place": np.where(rng.random(600) < 0.4, "in", "out"),
            "sunny": rng.random(600) < 0.4,
        }
        sides.append(write(tmp_path / f"{name}{suffix}", columns))
    found = check(sides[0], sides[1], BEARD)
    assert list(found) == ["width", "place", "sunny", "beard"]
    assert found["beard"].score == pytest.approx(0.2)
    assert {name: column.verdict for name, column in found.items()} == {
        "width": Verdict.DRIFT,
        "place": Verdict.OK,
        "sunny": Verdict.OK,
        "beard": Verdict.DRIFT,
    }


def test_what_blinds_evidently_is_seen(tmp_path: Path) -> None:
    rng = np.random.default_rng(62)
    normal, other = rng.normal(0, 1, 2000), rng.normal(0, 1, 2000)
    outlier = other + 3
    outlier[7] = 1e9
    infinite = other.copy()
    infinite[:400] = np.inf
    before = write(
        tmp_path / "before.parquet",
        dict.fromkeys(("missing", "outlier", "null", "infinite", "quiet"), normal) | {"constant": np.full(2000, 5.0)},
    )
    after = write(
        tmp_path / "after.parquet",
        {
            "missing": np.where(rng.random(2000) < 0.6, np.nan, other),
            "outlier": outlier,
            "null": pa.nulls(2000),
            "infinite": infinite,
            "quiet": other,
            "constant": np.full(2000, 5.001),
        },
    )
    found = check(before, after)
    assert {name for name, column in found.items() if column.verdict is Verdict.DRIFT} == set(found) - {"quiet"}
    assert found["missing"].score == pytest.approx(0.6, abs=0.04)
    assert found["null"].score == found["constant"].score == 1
    assert found["outlier"].score == pytest.approx(0.87, abs=0.03)


def test_a_reference_without_any_value(tmp_path: Path) -> None:
    before = write(tmp_path / "before.csv", {"width": pa.nulls(300, pa.float64()), "x": np.arange(300) % 7})
    after = write(tmp_path / "after.csv", {"width": np.arange(300.0) % 9, "x": np.arange(300) % 7})
    assert check(before, after)["width"].score == 1
    assert check(before, before)["width"].reason == "no value on either side"


def test_columns_are_mapped_to_attributes(tmp_path: Path) -> None:
    tables = TablesConfig(columns={"beard": "beard_binary"}, values={"beard": {0: "no", 1: "yes"}})
    path = write(
        tmp_path / "labels.csv",
        {"beard_binary": np.arange(500) % 2, "age": np.arange(500) % 60, "age_confidence": np.full(500, 0.9)},
    )
    sample = read_sample(path, attributes=[BEARD, AGE], tables=tables)
    assert dict(zip(sample.total.columns["beard"].labels, sample.total.columns["beard"].counts, strict=True)) == {
        "no": 250,
        "yes": 250,
    }
    assert sample.total.columns["age"].labels == ("old", "young")
    assert sample.total.columns["age_confidence"].kind is ColumnKind.CONFIDENCE
    rows = sampled_rows(path, attributes=[BEARD, AGE], tables=tables, most=100)
    assert rows.num_rows == 100
    assert set(rows.column("beard").to_pylist()) == {"no", "yes"}


def test_an_unknown_label_is_counted_apart_and_an_empty_cell_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("beard,n\n" + "yes,1\n" * 3 + ",1\n" * 2 + "maybe,1\n")
    column = read_sample(path, attributes=[BEARD], tables=TABLES).total.columns["beard"]
    assert dict(zip(column.labels, column.counts, strict=True)) == {"": 2, UNRECOGNISED: 1, "yes": 3}


def test_cells_that_are_no_labels_need_a_mapping(tmp_path: Path) -> None:
    path = write(tmp_path / "labels.csv", {"beard": np.arange(300) % 2})
    with pytest.raises(FacemonError, match=r"no cell is a label of beard \(no, yes\); found 0, 1") as caught:
        read_sample(path, attributes=[BEARD], tables=TABLES)
    assert "tables.values.beard" in str(caught.value.hint)


def test_an_attribute_that_the_current_table_lacks_is_undecided(tmp_path: Path) -> None:
    before = write(tmp_path / "before.csv", {"beard": ["yes", "no"] * 200})
    after = write(tmp_path / "after.csv", {"bearded": ["yes", "no"] * 200})
    found = check(before, after, BEARD)
    assert found["beard"].verdict is Verdict.UNDECIDED
    assert found["beard"].reason == "the current data has no such column; the nearest are bearded"
    assert found["bearded"].verdict is Verdict.NOT_COMPARED


def test_labels_that_become_identifiers_are_not_reported_as_fine(tmp_path: Path) -> None:
    before = write(tmp_path / "before.csv", {"site": ["a", "b"] * 1500})
    after = write(tmp_path / "after.csv", {"site": [f"row {at}" for at in range(3000)]})
    found = check(before, after)["site"]
    assert found.verdict is Verdict.UNDECIDED
    assert found.reason == "it names single rows (an identifier) in the current data"
    assert check(after, before)["site"].verdict is Verdict.NOT_COMPARED


def test_identifiers_times_and_nested_values_are_not_compared(tmp_path: Path) -> None:
    rows = 3000
    path = write(
        tmp_path / "odd.parquet",
        {
            "person": [f"person {at}" for at in range(rows)],
            "row": np.arange(rows),
            "taken": pa.array(np.arange(rows), pa.timestamp("s")),
            "box": [[1, 2]] * rows,
            "size": [str(at) if at % 50 else "unknown" for at in range(rows)],
            "n": np.arange(rows) % 5,
        },
    )
    found = check(path, path)
    verdicts = {name: column.verdict for name, column in found.items()}
    assert [verdicts[name] for name in ("person", "row", "taken", "box")] == [Verdict.NOT_COMPARED] * 4
    assert (verdicts["size"], found["size"].reason) == (
        Verdict.UNDECIDED,
        "it mixes numbers and text in the reference",
    )
    assert verdicts["n"] is Verdict.OK


def test_decimals_are_the_labels_and_sources_that_floats_are(tmp_path: Path) -> None:
    columns = {"age": [12.5, 40.0, None, 250.25], "beard": [1.0, 0.0, 1.0, 7.5], "source": [1.0, 2.0, 1.0, 2.5]}
    tables = TablesConfig(values={"beard": {1: "yes", 0: "no", 7.5: "no"}})
    decimals = {name: pa.array(cells).cast(pa.decimal128(30, 2)) for name, cells in columns.items()}
    floats, same = (
        read_sample(write(tmp_path / name, table), attributes=[BEARD, AGE], tables=tables)
        for name, table in (("floats.parquet", columns), ("decimals.parquet", decimals))
    )
    assert same == floats
    assert set(same.by_source) == {"1", "2", "2.5"}
    assert set(same.total.columns["age"].labels) == {"young", "old", "", UNRECOGNISED}


@pytest.mark.parametrize("column", ["beard", "beard_confidence"])
def test_an_attribute_in_lists_is_undecided(tmp_path: Path, column: str) -> None:
    columns: dict[str, list[object]] = {"beard": ["yes", "no"] * 600, "beard_confidence": [0.5] * 1200}
    before = write(tmp_path / "before.parquet", columns)
    after = write(tmp_path / "after.parquet", columns | {column: [[cell] for cell in columns[column]]})
    found = check(before, after, BEARD)[column]
    assert found.verdict is Verdict.UNDECIDED
    assert (found.reason or "").endswith("not labels or numbers in the current data")


def test_numbers_that_became_text_are_undecided(tmp_path: Path) -> None:
    before = write(tmp_path / "before.csv", {"width": np.arange(400) % 9})
    after = write(tmp_path / "after.csv", {"width": [str(at % 9) if at % 5 else "bad" for at in range(400)]})
    assert check(before, after)["width"].reason == "numbers in the reference, labels in the current data"


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(63)
    columns = {"beard": rng.choice(["yes", "no"], 1000), "width": rng.normal(0, 1, 1000)}
    order = rng.permutation(1000)
    before = write(tmp_path / "before.parquet", columns)
    after = write(tmp_path / "after.parquet", {name: cells[order] for name, cells in columns.items()})
    found = check(before, after, BEARD)
    assert [column.score for column in found.values()] == [0, 0]


def test_a_directory_of_parquet_is_one_table(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    for part in range(3):
        write(tmp_path / "parts" / f"{part}.parquet", {"beard": ["yes", "no"] * 100})
    assert read_sample(tmp_path / "parts", attributes=[BEARD], tables=TABLES).rows == 600


def test_a_table_of_labels_against_the_log(tmp_path: Path) -> None:
    path = write(tmp_path / "labels.csv", {"beard": ["yes", "no"] * 300, "photographer": ["a"] * 600})
    reference = read_sample(path, attributes=[BEARD], tables=TABLES)
    current = single(beard=yes_no(400, 500), beard_confidence=numbers(np.full(500, 0.9), ColumnKind.CONFIDENCE))
    found = compared(reference, current, [BEARD])
    assert found["beard"].verdict is Verdict.DRIFT
    assert found["beard_confidence"].verdict is Verdict.NOT_COMPARED
    assert "photographer" not in found


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.csv", None, "no such file"),
        ("empty.csv", b"", "the file holds no rows"),
        ("head.csv", b"beard,age\n", "the file holds no rows"),
        ("torn.csv", b"a,b\n1,2\n1,2,3\n", "cannot be read: .*Expected 2 columns, got 3"),
        ("bad.parquet", b"PAR1 not really", "cannot be read"),
        ("bad.jsonl", b'{"a": 1}\n{"a": \n', "cannot be read"),
        ("mixed.jsonl", b'{"a": 1}\n{"a": "x"}\n', "cannot be read"),
        ("rows.xlsx", b"x", "spreadsheets are not read"),
        ("rows.feather", b"x", "the suffix says nothing"),
        ("rows.gz", b"x", "the suffix says nothing"),
        ("torn.csv.gz", b"no gzip", "cannot be read"),
        ("twice.csv", b"a,a\n1,2\n", "several columns are called 'a'"),
    ],
)
def test_bad_files_are_clear_errors(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(FacemonError, match=message) as caught:
        read_sample(tmp_path / name, attributes=[BEARD], tables=TABLES)
    assert caught.value.hint


def test_a_directory_without_parquet_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FacemonError, match=r"holds no \.parquet file"):
        read_sample(tmp_path, attributes=[BEARD], tables=TABLES)


def test_one_row_is_undecided(tmp_path: Path) -> None:
    before = write(tmp_path / "before.csv", {"beard": ["yes", "no"] * 200, "width": np.arange(400.0) % 3})
    after = write(tmp_path / "after.csv", {"beard": ["yes"], "width": [1.0]})
    assert {column.verdict for column in check(before, after, BEARD).values()} == {Verdict.UNDECIDED}


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_a_whole_table_has_plain_columns(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"table{suffix}", {"beard": ["yes", "no"] * 200, "n": np.arange(400)})
    table = open_table(path).read()
    assert (table.schema.field("beard").type, table.num_rows) == (pa.string(), 400)


def test_a_sample_of_one_source(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.parquet", {"source": ["a", "b", None, "b"] * 300, "n": np.arange(1200)})
    rows = sampled_rows(path, attributes=[], tables=TABLES, most=100, source="b")
    assert rows.num_rows == 100
    assert all(number % 2 == 1 for number in rows["n"].to_pylist())
    assert sampled_rows(path, attributes=[], tables=TABLES, most=100, source="c").num_rows == 0
