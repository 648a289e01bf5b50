"""Columns of a Parquet manifest whose types CSV and JSON lack: read as their text is, or refused in plain words."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from facemon.domain.image_input import ImageInput
from facemon.predict.image_source import ImageSource

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)


def inputs(path: Path) -> list[ImageInput]:
    return list(ImageSource([str(path)]))


@pytest.mark.parametrize(
    "type_",
    [
        pa.date32(), pa.date64(), pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string()),
        *(pa.timestamp(unit, zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC")),
    ],
    ids=str,
)  # fmt: skip
def test_a_date_is_midnight_in_utc_whatever_the_type(tmp_path: Path, type_: pa.DataType) -> None:
    text = "2026-11-20"
    given: list[Any] = [text if "string" in str(type_) else date(2026, 11, 20), None]
    times = pa.array(given).cast(type_) if "string" not in str(type_) else pa.array(given, type_)
    parquet.write_table(pa.table({"image": ["a.jpg", "b.jpg"], "observed_at": times}), tmp_path / "m.parquet")
    (tmp_path / "m.csv").write_text(f"image,observed_at\na.jpg,{text}\nb.jpg,\n")
    for name in ("m.parquet", "m.csv"):
        found = inputs(tmp_path / name)
        assert [(each.observed_at, each.problem) for each in found] == [(MIDNIGHT, None), (None, None)], name


@pytest.mark.parametrize("day", [date(1, 1, 1), date(9999, 12, 31)])
def test_the_first_and_the_last_date_are_read(tmp_path: Path, day: date) -> None:
    table = pa.table({"image": ["a.jpg"], "observed_at": pa.array([day], pa.date32())})
    parquet.write_table(table, tmp_path / "m.parquet")
    (image,) = inputs(tmp_path / "m.parquet")
    assert image.observed_at == datetime(day.year, day.month, day.day, tzinfo=UTC)


@pytest.mark.parametrize("days", [-(10**6), 10**8])
def test_a_date_beyond_the_calendar_is_the_error_of_its_row(tmp_path: Path, days: int) -> None:
    dates = pa.array([days, 20_000], pa.int32()).cast(pa.date32())
    parquet.write_table(pa.table({"image": ["a.jpg", "b.jpg"], "observed_at": dates}), tmp_path / "m.parquet")
    first, second = inputs(tmp_path / "m.parquet")
    assert first.problem is not None
    assert "observed_at cannot be read" in first.problem.message
    assert second.problem is None


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (date(2026, 11, 20), "2026-11-20"),
        (datetime(2026, 11, 20, 3, tzinfo=UTC), "2026-11-20 03:00:00+00:00"),
        (time(3, 4, 5), "03:04:05"),
        (timedelta(hours=2), "2:00:00"),
        (Decimal("12.50"), "12.50"),
        (b"\xff\0", "binary data"),
        (True, "true"),
        (1.5, "1.5"),
        ([1, 2], "a list"),
        ({"a": 1}, "an object"),
    ],
)
def test_no_message_shows_how_python_writes_a_cell(tmp_path: Path, cell: Any, shown: str) -> None:
    for column, rest in (
        ("observed_at", "not a time such as 2026-11-23T02:00:00Z"),
        ("image_id", "neither text nor a whole number"),
        ("source", "neither text nor a whole number"),
    ):
        if column == "observed_at" and isinstance(cell, date):
            continue
        parquet.write_table(pa.table({"image": ["a.jpg"], column: [cell]}), tmp_path / "m.parquet")
        (image,) = inputs(tmp_path / "m.parquet")
        assert image.problem is not None
        assert f"{column} is {shown}, {rest}" in image.problem.message
