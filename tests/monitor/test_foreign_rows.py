"""Rows of other programs, checked and completed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pytest

from facemon.errors import FacemonError
from facemon.monitor import foreign_rows
from facemon.monitor.foreign_rows import given_tables, log_rows
from tests.store.log_rows import ATTRIBUTES, MODEL, NOON, SCHEMA

CONSTANTS = {"run": "r", "predicted_at": NOON, "model": MODEL, "origin": "batch"}


def tables_of(rows: Any) -> Iterator[pa.Table]:
    return (table for _, table in given_tables(rows))


def rows_of(*rows: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    (table,) = tables_of(list(rows))
    given: dict[str, Any] = {"first_ordinal": 0, "constants": CONSTANTS, "source": None, "observed_at": NOON} | options
    batch, _ = log_rows(table, ATTRIBUTES, **given)
    assert batch.schema == SCHEMA
    listed: list[dict[str, Any]] = batch.to_pylist()
    return listed


def test_what_is_not_given_is_filled_in() -> None:
    first, second = rows_of(
        {"image": "a", "gender": "female", "gender_confidence": 0.9, "age_value": 40.0},
        {"image": "b", "error": "no_face", "source": "gate", "observed_at": datetime(2026, 11, 1, tzinfo=UTC)},
        source="door",
        first_ordinal=7,
    )
    assert (first["ordinal"], first["face"], first["source"], first["observed_at"]) == (7, 0, "door", NOON)
    assert (first["age"], first["age_value"], first["run"], first["model"]) == ("old", 40.0, "r", MODEL)
    assert (second["ordinal"], second["face"], second["source"], second["error"]) == (8, None, "gate", "no_face")
    assert second["gender"] is second["age"] is None


TIMES = [
    datetime(2026, 11, 28, 10, 0, 0, 123456),  # noqa: DTZ001 - a time without a zone
    datetime(2026, 11, 28, 10, 0, 0, 123456, tzinfo=UTC),
    datetime(2026, 11, 28, 11, 0, 0, 123456, tzinfo=ZoneInfo("Europe/Berlin")),
    pd.Timestamp("2026-11-28 10:00:00.123456789"),
    pd.Timestamp("2026-11-28 11:00:00.123456789", tz="Europe/Berlin"),
    "2026-11-28T10:00:00.123456",
    "2026-11-28 11:00:00.123456+01:00",
    "2026-11-28T10:00:00.123456789Z",
]


@pytest.mark.parametrize("time", TIMES, ids=str)
def test_a_time_is_the_same_however_it_is_given(time: Any) -> None:
    expected = datetime(2026, 11, 28, 10, 0, 0, 123456, tzinfo=UTC)
    (frame,) = tables_of(pd.DataFrame({"image": ["a", "b"], "observed_at": [time, None]}))
    for table in (frame, *tables_of([{"image": "a", "observed_at": time}, {"image": "b"}])):
        batch, _ = log_rows(table, ATTRIBUTES, first_ordinal=0, constants=CONSTANTS, source=None, observed_at=NOON)
        assert batch.column("observed_at").to_pylist() == [expected, NOON]


def test_an_empty_source_is_that_of_the_call() -> None:
    first, second = rows_of({"image": "a", "source": ""}, {"image": "b", "source": "gate"}, source="door")
    assert (first["source"], second["source"]) == ("door", "gate")


def test_an_hour_that_a_clock_shows_twice() -> None:
    hour = pd.date_range("2026-10-25", periods=4, freq="h", tz="Europe/Berlin") + pd.Timedelta(1, "ns")
    (table,) = tables_of(pd.DataFrame({"image": ["a", "b", "c", "d"], "observed_at": hour}))
    batch, _ = log_rows(table, ATTRIBUTES, first_ordinal=0, constants=CONSTANTS, source=None, observed_at=NOON)
    assert [f"{time:%d %H:%M}" for time in batch.column("observed_at").to_pylist()] == [
        "24 22:00", "24 23:00", "25 00:00", "25 01:00",
    ]  # fmt: skip


def test_a_day_begins_at_midnight_in_utc() -> None:
    (row,) = rows_of({"image": "a", "observed_at": date(2026, 11, 28)})
    assert row["observed_at"] == datetime(2026, 11, 28, tzinfo=UTC)


def test_rows_of_one_image_that_follow_each_other_are_its_faces() -> None:
    names = ["a", "a", "b", "a"]
    rows = rows_of(*({"image": name, "gender": "male"} for name in names))
    assert [(row["ordinal"], row["face"]) for row in rows] == [(0, 0), (0, 1), (1, 0), (2, 0)]
    rows = rows_of(*({"image": "a", "face": face, "gender": "male"} for face in (0, 0, 1)))
    assert [(row["ordinal"], row["face"]) for row in rows] == [(0, 0), (1, 0), (1, 1)]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"gender": "male"}], "the rows have no column image"),
        ([{"image": None, "gender": "male"}], "row 0: image is missing"),
        ([{"image": "a", "gendre": "male"}], "the log has no column 'gendre'"),
        ([{"image": "a", "run": "x"}], "the log has no column 'run' that could be set"),
        ([{"image": "a", "gender": "male"}, {"image": "b", "gender": "robot"}], "row 1: gender must be one of"),
        ([{"image": "a", "gender_confidence": 1.5}], "row 0: gender_confidence is not a probability"),
        ([{"image": "a", "gender_confidence": float("nan")}], "row 0: gender_confidence is not a probability"),
        ([{"image": "a", "age_value": float("inf")}], "row 0: age_value is not finite"),
        ([{"image": "a", "error": "oops"}], "row 0: error must be one of no_face"),
        ([{"image": "a", "error": "nan", "gender": "male"}], "row 0: gender is given in a row with an error"),
        ([{"image": "a", "face": 1}], "row 0: face does not begin with 0"),
        ([{"image": "a", "face": 0}, {"image": "a", "face": 2}], "row 1: face does not count"),
        ([{"image": "a", "observed_at": "soon"}], "row 0: observed_at is 'soon', not a time such as"),
        ([{"image": "a", "observed_at": 1764600000}], "the column observed_at holds int64, not times"),
        ([{"image": "a", "box": [1, "x"]}], "the column box holds values of several kinds"),
        ([{"image": "a", "box": [1, 2, 3, 4]}, {"image": "b", "box": [1, 2, 3]}], "row 1: box is not four numbers"),
        ([{"image": "a", "box": None}, {"image": "b", "box": [1, None, 3, 4]}], "row 1: box is not four numbers"),
        ([{"image": "a"}, {"image": ""}], "row 1: image is empty"),
        ([{"image": "a", "source": "gate"}, {"image": "b", "source": " "}], "row 1: source is empty"),
        ([{"image": "a", "source": "a\nb"}], "row 0: source holds a control character"),
        ([{"image": "a", 7: "x"}], "a column is called 7, which is not text"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_with_its_row(rows: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(FacemonError, match=message):
        rows_of(*rows)


def test_every_kind_of_table_gives_the_same_rows() -> None:
    rows: list[dict[str, Any]] = [
        {"image": "a", "gender": "male", "gender_confidence": 0.75},
        {"image": "b", "gender": "female"},
    ]
    frame, table = pd.DataFrame(rows), pa.Table.from_pylist(rows)
    frame["gender"] = frame["gender"].astype("category")
    expected = rows_of(*rows)
    for given in (frame, table, table.to_batches()[0], [table], iter([frame]), (row for row in rows)):
        tables = list(tables_of(given))
        options = {"first_ordinal": 0, "constants": CONSTANTS, "source": None, "observed_at": NOON}
        batch, end = log_rows(tables[0], ATTRIBUTES, **options)  # type: ignore[arg-type]
        assert (len(tables), end) == (1, 2)
        assert batch.to_pylist() == expected


def test_names_that_are_numbers_are_the_names_that_a_table_of_labels_has() -> None:
    for number in (7, 7.0, Decimal(7), Decimal("7.00")):
        (row,) = rows_of({"image": number, "image_id": number, "source": number})
        assert (row["image"], row["image_id"], row["source"]) == ("7", "7", "7")


def test_pieces_never_part_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_rows, "ROWS_AT_ONCE", 4)

    def rows() -> Iterator[dict[str, str]]:
        for index in range(12):
            yield {"image": f"{index // 3}"}

    assert [table.num_rows for table in tables_of(rows())] == [3, 3, 3, 3]


def test_what_is_no_row() -> None:
    with pytest.raises(FacemonError, match="row 0 is a int"):
        list(tables_of([1, 2]))
