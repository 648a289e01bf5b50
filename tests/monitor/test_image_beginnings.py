"""Which rows of another program are faces of one image."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon import Monitor
from facemon.domain.drift_result import Check
from facemon.errors import FacemonError
from facemon.monitor import foreign_rows
from facemon.monitor.foreign_rows import log_rows
from tests.monitor.test_foreign_rows import tables_of
from tests.monitor.test_monitor import CONFIG
from tests.store.log_rows import ATTRIBUTES, MODEL, NOON

Row = dict[str, Any]
CONSTANTS = {"run": "r", "predicted_at": NOON, "model": MODEL, "origin": "batch"}
DEFAULTS = {"source": "door", "observed_at": NOON}
CELLS: Mapping[str, list[Any]] = {
    "image": ["a", "b"],
    "source": [None, "", "door", "gate"],
    "observed_at": [
        None, NOON, NOON.isoformat(), NOON.replace(tzinfo=None), NOON + timedelta(minutes=1), "2026-11-22T12:01Z",
    ],
    "image_sha256": [None, "1" * 64, "2" * 64],
    "image_id": [None, "x", "y"],
}  # fmt: skip


def times_alike(rows: list[Row]) -> list[Row]:
    """The rows with their times all as text, where one is: a column holds cells of one kind."""
    if not any(isinstance(row.get("observed_at"), str) for row in rows):
        return rows
    return [
        row | {"observed_at": at.isoformat() if isinstance(at := row["observed_at"], datetime) else at}
        if "observed_at" in row
        else row
        for row in rows
    ]


@st.composite
def drawn_rows(draw: st.DrawFn) -> list[Row]:
    """Rows of a few columns with few values, some of them failures."""
    columns = ["image", *draw(st.lists(st.sampled_from([*CELLS][1:]), unique=True))]
    row = st.fixed_dictionaries({name: st.sampled_from(CELLS[name]) for name in columns})
    repeated = st.tuples(row, st.integers(1, 4), st.sampled_from([None, None, None, "no_face"]))
    drawn = draw(st.lists(repeated, min_size=1, max_size=12))
    has_errors = any(error for *_, error in drawn)
    rows = [each | ({"error": error} if has_errors else {}) for each, times, error in drawn for _ in range(times)]
    return times_alike(rows)


def images_of(rows: list[Row]) -> list[int | None]:
    """How many faces each image has, None of one that failed, by the rule as it is documented."""

    def identity(row: Row) -> tuple[Any, ...]:
        at = row.get("observed_at") or NOON
        at = datetime.fromisoformat(at) if isinstance(at, str) else at
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return (row["image"], row.get("source") or "door", at, row.get("image_sha256"), row.get("image_id"))

    found: list[int | None] = []
    for (_, failed), group in groupby(rows, lambda row: (identity(row), row.get("error"))):
        size = len(list(group))
        found += [None] * size if failed else [size]
    return found


def logged(tables: Iterator[pa.Table]) -> list[Row]:
    first, rows = 0, []
    for table in tables:
        batch, first = log_rows(table, ATTRIBUTES, first_ordinal=first, constants=CONSTANTS, **DEFAULTS)  # type: ignore[arg-type]
        rows += batch.to_pylist()
    return rows


@given(drawn_rows())
def test_an_image_is_as_long_as_all_that_tells_it_apart_is_the_same(rows: list[Row]) -> None:
    found = logged(tables_of(pa.Table.from_pylist(rows)))
    images = [list(group) for _, group in groupby(found, lambda row: row["ordinal"])]
    assert [None if image[0]["error"] else len(image) for image in images] == images_of(rows)
    assert [row["face"] for row in found] == [
        None if row["error"] else face for image in images for face, row in enumerate(image)
    ]
    assert all(len({(row["source"], row["observed_at"]) for row in image}) == 1 for image in images)
    # The faces that were counted are those that a caller may give.
    faces = [row | {"face": each["face"]} for row, each in zip(rows, found, strict=True)]
    assert logged(tables_of(pa.Table.from_pylist(faces))) == found


@given(drawn_rows(), st.integers(1, 5))
def test_mappings_in_pieces_are_the_images_of_the_whole(rows: list[Row], at_once: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        whole = logged(tables_of(rows))
        patch.setattr(foreign_rows, "ROWS_AT_ONCE", at_once)
        assert logged(tables_of(iter(rows))) == whole


@pytest.mark.parametrize("column", CELLS)
def test_faces_that_are_given_are_those_of_one_image(column: str) -> None:
    first, second = CELLS[column][0], CELLS[column][-1]
    rows = [{"image": "a", column: cell, "face": face} for cell, face in ((first, 0), (second, 0), (second, 1))]
    assert [(row["ordinal"], row["face"]) for row in logged(tables_of(rows))] == [(0, 0), (1, 0), (1, 1)]
    with pytest.raises(FacemonError, match=f"row 1: face is not 0, although {column} is not that of the row before"):
        logged(tables_of([rows[0], rows[2], rows[1]]))


def test_an_endless_camera_is_logged_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_rows, "ROWS_AT_ONCE", 4)
    tables = tables_of({"image": "latest.jpg", "observed_at": NOON + timedelta(minutes=n)} for n in range(10))
    assert [table.num_rows for table in tables] == [4, 4, 2]


def test_two_cameras_that_name_their_frames_alike(tmp_path: Path) -> None:
    (tmp_path / "facemon.yaml").write_text(CONFIG.format(model="m.onnx"))
    monitor = Monitor(tmp_path / "facemon.yaml")
    rows = [
        {"image": f"frame{frame}.jpg", "source": camera, "hair": "ab"[frame % 2]}
        for frame in range(40)
        for camera in ("north", "south")
    ]
    assert monitor.log(rows) == 80
    found = monitor.rows(limit=None)
    assert set(found["face"].to_pylist()) == {0}
    assert len(set(found["ordinal"].to_pylist())) == 80
    monitor.set_reference_window("1h", name="both")
    (faces,) = [each for each in monitor.check(found).checks[Check.DATA].columns if each.column == "image_faces"]
    assert (faces.score, faces.n_reference, faces.n_current) == (0, 80, 80)
