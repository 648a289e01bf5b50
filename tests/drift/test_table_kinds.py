from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import permutations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from facemon.config.drift import TablesConfig
from facemon.domain.drift_result import Verdict
from facemon.drift.table_sample import sampled_rows
from facemon.errors import FacemonError
from tests.drift.table_files import BEARD, check, write

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
        ([[1, 2]] * 3000, "categorical", "it holds list<element: int64>, not labels"),
        ([datetime(2026, 1, 1)] * 3000, "numerical", "it holds timestamp[us], not numbers"),  # noqa: DTZ001
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
    assert check(before, before, tables=tables)["width"].reason == "no value on either side"


AT = np.arange(900)
TENTHS, CENTS = np.array([0.1, 0.2, 0.3])[AT % 3], [Decimal(each).scaleb(-2) for each in range(30)] * 30
SAME: dict[str, Sequence[object]] = {
    "truths": (AT % 3 == 0, (AT % 3 == 0).astype(int), (AT % 3 == 0).astype(float)),
    "truths with gaps": ([None, True, False] * 300, pa.array([None, 1, 0] * 300, pa.uint8()), [np.nan, 1.0, 0.0] * 300),
    "single precision": (TENTHS, TENTHS.astype(np.float32)),
    "half precision": (TENTHS, TENTHS.astype(np.float16), TENTHS.astype(np.float32)),
    "decimals": (CENTS, [float(each) for each in CENTS], pa.array(CENTS, pa.decimal128(38, 20))),
    "whole numbers": (AT % 40, (AT % 40).astype(float), (AT % 40).astype(np.uint8)),
    "text": (["a", None, "b"] * 300, pa.array(["a", None, "b"] * 300, pa.large_string()).dictionary_encode()),
    "running numbers": (AT, AT.astype(float), pa.array([Decimal(int(each)) for each in AT])),
}


@pytest.mark.parametrize("forms", SAME.values(), ids=SAME)
def test_the_same_cells_in_another_type_are_the_same(
    tmp_path: Path, forms: Sequence[object], request: pytest.FixtureRequest
) -> None:
    paths = [write(tmp_path / f"{at}.parquet", {"x": cells}) for at, cells in enumerate(forms)]
    # With one column alone a missing cell would be an empty line, which is not a row.
    paths.append(write(tmp_path / "rows.csv", {"x": forms[0], "n": AT % 7}))
    (tmp_path / "parts").mkdir()
    for at, cells in enumerate(forms):
        write(tmp_path / "parts" / f"{at}.parquet", {"x": cells})
    is_counter = request.node.callspec.id == "running numbers"
    for reference, current in permutations([*paths, tmp_path / "parts"], 2):
        found = check(reference, current)["x"]
        if is_counter:
            assert found.verdict is Verdict.NOT_COMPARED or tmp_path / "parts" == reference
        else:
            assert found.verdict is Verdict.OK, (reference, current)
            assert found.score == pytest.approx(0), (reference, current)


@pytest.mark.parametrize(("before", "after"), [(AT % 3 == 0, AT % 3), (AT % 3, AT % 3 == 0)])
def test_truths_beside_other_numbers_are_undecided(tmp_path: Path, before: object, after: object) -> None:
    first, second = (write(tmp_path / f"{at}.parquet", {"x": cells}) for at, cells in enumerate((before, after)))
    assert check(first, second)["x"].verdict is Verdict.UNDECIDED


def test_truths_that_move_beside_numbers_that_move(tmp_path: Path) -> None:
    before = write(tmp_path / "before.parquet", {"x": AT % 4 == 0})
    after = write(tmp_path / "after.parquet", {"x": (AT % 2 == 0).astype(float)})
    for sides in ((before, after), (after, before)):
        found = check(*sides)["x"]
        assert found.verdict is Verdict.DRIFT
        assert found.score == pytest.approx(0.25)


@pytest.mark.parametrize("notation", ["{}%", "{},5", "€ {}", "{}'000", "{},000.5", "({},5)"])
@pytest.mark.parametrize(("suffix", "rows"), [(".csv", 300), (".csv", 3000), (".parquet", 3000), (".jsonl", 300)])
def test_numbers_in_another_notation_are_never_left_out(tmp_path: Path, notation: str, suffix: str, rows: int) -> None:
    """With few values they are not compared as labels, with many they do not pass for identifiers."""
    texts = [notation.format(1 + at) for at in range(rows)]
    texts[7] = "unknown"
    strange = write(tmp_path / f"strange{suffix}", {"x": texts, "n": np.arange(rows) % 7})
    plain = write(tmp_path / f"plain{suffix}", {"x": np.arange(rows) % 97 / 2, "n": np.arange(rows) % 7})
    for sides in ((strange, strange), (plain, strange), (strange, plain)):
        with pytest.raises(
            FacemonError, match=f"strange{suffix}: column x holds numbers in another notation"
        ) as caught:
            check(*sides)
        assert "tables." in str(caught.value.hint)
    for kind in ("categorical", "ignore", "numerical"):
        declared = TablesConfig.model_validate({"kinds": {"x": kind}})
        check(strange, strange, tables=declared)


def test_few_numbers_in_another_notation_are_labels_unless_the_reference_has_numbers(tmp_path: Path) -> None:
    shares = write(tmp_path / "shares.csv", {"x": ["25%", "50%", "75%"] * 300})
    numbers = write(tmp_path / "numbers.csv", {"x": [25, 50, 75] * 300})
    assert check(shares, shares)["x"].verdict is Verdict.OK
    with pytest.raises(FacemonError, match="another notation, such as '25%'"):
        check(numbers, shares)


def test_declared_numbers_are_read_in_any_notation(tmp_path: Path) -> None:
    before = write(tmp_path / "before.csv", {"x": [f"{1 + at}'000 CHF" for at in range(900)]})
    after = write(tmp_path / "after.csv", {"x": [f"{1000 * at:,.2f}" for at in range(451, 1351)]})
    numbers = TablesConfig(kinds={"x": "numerical"})
    found = check(before, after, tables=numbers)["x"]
    assert (found.kind, found.verdict) == ("number", Verdict.DRIFT)
    assert found.score == pytest.approx(0.5, abs=0.01)
    sampled = sampled_rows(before, attributes=[], tables=numbers, most=900)
    assert sampled["x"].to_pylist() == [1000.0 * (1 + at) for at in range(900)]


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("notation", ["{},5", "{}.5%"])
def test_text_that_is_declared_numerical_shows_its_decimal_sign(tmp_path: Path, notation: str, decimal: str) -> None:
    """A file may hold columns of both notations: amounts with commas, and percentages with points."""
    before = write(tmp_path / "before.parquet", {"x": [notation.format(at % 50) for at in range(900)]})
    after = write(tmp_path / "after.csv", {"x": [notation.format(at % 50 + 25) for at in range(900)]})
    tables = TablesConfig.model_validate({"kinds": {"x": "numerical"}, "csv": {"decimal": decimal}})
    assert check(before, before, tables=tables)["x"].score == 0
    assert check(before, after, tables=tables)["x"].score == pytest.approx(0.5)
    assert sampled_rows(after, attributes=[], tables=tables, most=1)["x"].to_pylist()[0] % 1 == 0.5


def test_the_configured_decimal_sign_decides_where_both_may_be(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.parquet", {"x": [f"{1 + at % 50},250" for at in range(900)]})
    for decimal, number in ((".", 1250), (",", 1.25)):
        tables = TablesConfig.model_validate({"kinds": {"x": "numerical"}, "csv": {"decimal": decimal}})
        assert min(sampled_rows(path, attributes=[], tables=tables, most=900)["x"].to_pylist()) == number


def test_confidences_in_another_notation_are_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", {"beard": ["yes", "no"] * 100, "beard_confidence": ["0,9", "0,8"] * 100})
    with pytest.raises(FacemonError, match="column beard_confidence holds numbers in another notation") as caught:
        check(path, path, BEARD)
    assert "tables.csv.decimal" in str(caught.value.hint)
    assert "kinds" not in str(caught.value.hint)


@pytest.mark.parametrize("kind", [None, "categorical", "ignore"])
def test_bytes_are_an_error_unless_they_are_left_out(tmp_path: Path, kind: str | None) -> None:
    path = write(tmp_path / "rows.parquet", {"x": [b"a", b"b"] * 300, "n": [1, 2, 3] * 200})
    tables = TablesConfig.model_validate({"kinds": {"x": kind} if kind else {}})
    if kind is None:
        with pytest.raises(FacemonError, match="column x holds bytes") as caught:
            check(path, path)
        assert "tables.kinds: {x: ignore}" in str(caught.value.hint)
        return
    verdict = Verdict.UNDECIDED if kind == "categorical" else Verdict.NOT_COMPARED
    assert check(path, path, tables=tables)["x"].verdict is verdict
