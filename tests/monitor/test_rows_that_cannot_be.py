"""A call that ends in an error says which row is wrong and which are logged, so that nothing is logged twice."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from facemon import Monitor
from facemon.errors import FacemonError
from facemon.monitor import foreign_rows
from tests.monitor.test_monitor import CONFIG

Row = dict[str, Any]
ROWS, AT_ONCE = 100, 32
FAULTS: dict[str, tuple[Row, str]] = {
    "cell": ({"hair": "bald"}, "hair must be one of a, b"),
    "number": ({"hair_confidence": 1.5}, "hair_confidence is not a probability from 0 to 1"),
    "name": ({"image": ""}, "image is empty"),
    "source": ({"source": " "}, "source is empty"),
    "time": ({"observed_at": "soon"}, "observed_at is 'soon', not a time such as 2026-11-23T02:00:00Z"),
    "error": ({"hair": None, "error": "oops"}, "error must be one of"),
    "face": ({"face": 1}, "face "),
}
"""For each kind of fault the cells of a row that has it, and what is said of the row."""
GOOD: Row = {"hair_confidence": 0.5, "source": "gate", "observed_at": "2026-11-23T02:00Z", "face": 0, "error": None}


@pytest.fixture
def monitor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Monitor:
    monkeypatch.setattr(foreign_rows, "ROWS_AT_ONCE", AT_ONCE)
    (tmp_path / "facemon.yaml").write_text(CONFIG.format(model="m.onnx"))
    return Monitor(tmp_path / "facemon.yaml")


def good_rows(number: int = ROWS) -> list[Row]:
    return [{"image": f"{place}.jpg", "hair": "ab"[place % 2]} | GOOD for place in range(number)]


def images_in(monitor: Monitor) -> list[str]:
    return sorted(monitor.rows(limit=None)["image"].to_pylist()) if monitor.store_info()["rows"] else []


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("wrong", [3, 31, 32, 70, 99])
def test_the_row_has_its_number_and_the_rest_can_be_passed(monitor: Monitor, kind: str, wrong: int) -> None:
    cells, said = FAULTS[kind]
    rows = good_rows()
    rows[wrong] = rows[wrong] | cells
    with pytest.raises(FacemonError) as raised:
        monitor.log(row for row in rows)
    assert raised.value.message.startswith(f"row {wrong}: {said}")
    logged = re.search("; the first ([0-9]+) rows of this call are logged$", raised.value.message)
    whole = int(logged[1]) if logged else 0
    # Where a row itself does not say whether it begins an image, the rows before it wait for it.
    assert whole in {at // AT_ONCE * AT_ONCE for at in (wrong, wrong - 1)}
    assert "log only the rows after them" in (raised.value.hint or "") or not whole
    assert images_in(monitor) == sorted(row["image"] for row in rows[:whole])
    monitor.log(good_rows()[whole:])
    assert images_in(monitor) == sorted(row["image"] for row in good_rows())


@pytest.mark.parametrize("kind", FAULTS)
def test_a_row_of_the_third_table(monitor: Monitor, kind: str) -> None:
    cells, said = FAULTS[kind]
    rows = good_rows(30)
    rows[24] = rows[24] | cells
    tables = [pa.Table.from_pylist(rows[at : at + 10]) for at in (0, 10, 20)]
    with pytest.raises(FacemonError) as raised:
        monitor.log(iter(tables))
    assert raised.value.message.startswith(f"table 2, row 4: {said}")
    assert raised.value.message.endswith("; the first 20 rows of this call are logged")
    assert len(images_in(monitor)) == 20
    with pytest.raises(FacemonError, match=r"^row 4: ") as raised:
        monitor.log(tables[2])
    assert "logged" not in raised.value.message


def test_columns_and_things_that_are_no_rows_have_their_place_too(monitor: Monitor) -> None:
    first = pa.Table.from_pylist(good_rows(5))
    for faulty, message in (
        (first.append_column("hat", pa.array([1] * 5)), "table 1: the log has no column 'hat'"),
        (pd.DataFrame({"image": [object()]}), "table 1: the column image holds cells of the type object"),
        (7, "table 1 is a int, neither a mapping nor a table"),
    ):
        with pytest.raises(FacemonError, match=f"^{message}.*; the first 5 rows of this call are logged$"):
            monitor.log([first, faulty])
    mixed = [*good_rows(), {"image": "x", "hair": "a", "hair_confidence": "high"}]
    with pytest.raises(FacemonError, match=r"^from row 96 on: the column hair_confidence holds values of"):
        monitor.log(mixed)
    with pytest.raises(FacemonError, match=r"^row 100 is a NoneType, neither a mapping .* the first 96 rows"):
        monitor.log([*good_rows(), None])


def test_mappings_and_tables_are_logged_in_their_order(monitor: Monitor) -> None:
    rows = good_rows(30)
    assert monitor.log([*rows[:10], pa.Table.from_pylist(rows[10:20]), *rows[20:]]) == 30
    by_ordinal = monitor.rows(limit=None).sort_by("ordinal")
    assert by_ordinal["image"].to_pylist() == [row["image"] for row in rows]


def test_an_iterator_that_fails_by_itself(monitor: Monitor) -> None:
    def rows() -> Iterator[Row]:
        yield from good_rows(40)
        raise ConnectionError("the database is gone")

    with pytest.raises(ConnectionError, match="the database is gone") as raised:
        monitor.log(rows())
    assert raised.value.__notes__ == ["the first 32 rows of this call are logged: log only the rows after them"]
    assert len(images_in(monitor)) == 32
