"""Files in the log's schema whose rows lie in another order, or of which some are missing."""

import json
from datetime import timedelta
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon import Monitor
from facemon.domain.prediction import log_schema
from facemon.domain.profile import Unit
from facemon.drift import log_table
from facemon.drift.log_table import read_log_table
from facemon.drift.sample import Sample
from facemon.errors import FacemonError
from facemon.tables.table_file import table_of
from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.drift.worlds import binary
from tests.store.log_rows import NOON

OF_IMAGES = {"image_faces", "image_failed", "image_no_face", "image_brightness"}


@st.composite
def drawn_tables(draw: st.DrawFn) -> pa.Table:
    """Images of two runs, each with up to four faces, or none; one may be there several times."""
    image = st.tuples(st.integers(0, 4), st.sampled_from(["a", "b", None]), st.sampled_from(["r", "s"]))
    drawn = draw(st.lists(image, min_size=1, max_size=9))
    images = [*enumerate(drawn), *[(0, drawn[0])] * draw(st.integers(0, 2))]
    rows = [
        {
            "run": run, "ordinal": ordinal, "image": "latest.jpg", "face": face, "observed_at": NOON,
            "predicted_at": NOON, "model": "m@1", "source": source, "origin": "batch",
            "error": "no_face" if face is None else None, "image_brightness": 80.0 + ordinal % 3,
            "beard": None if face is None else "yes" if face else "no",
        }
        for ordinal, (faces, source, run) in images
        for face in (range(faces) if faces else (None,))
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, log_schema([binary("beard")]))


def sample_of(table: pa.Table, source: str | None = None) -> Sample:
    return read_log_table(table_of(table, "rows"), source)


@pytest.mark.parametrize("at_once", [2, 1_000_000])
@given(table=drawn_tables(), seed=st.integers(0, 2**32), source=st.sampled_from([None, "a"]))
def test_the_order_of_rows_changes_nothing(at_once: int, table: pa.Table, seed: int, source: str | None) -> None:
    order = list(range(table.num_rows))
    Random(seed).shuffle(order)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_table, "_ROWS_TO_SORT", at_once)
        found, expected = sample_of(table.take(order), source), sample_of(table, source)
    assert (found.by_source, found.not_comparable) == (expected.by_source, {})


@given(drawn_tables(), st.data())
def test_how_many_faces_an_image_had_is_known_only_where_none_is_missing(table: pa.Table, data: st.DataObject) -> None:
    kept = data.draw(st.permutations(range(table.num_rows)))[: data.draw(st.integers(1, table.num_rows))]
    part = table.take(kept)
    faces: dict[tuple[str, int], list[int]] = {}
    for row in part.to_pylist():
        if row["face"] is not None:
            faces.setdefault((row["run"], row["ordinal"]), []).append(row["face"])
    is_known = all(found.count(face) >= found.count(face + 1) for found in faces.values() for face in range(4))
    sample = sample_of(part)
    counted = {name for name, counts in sample.total.columns.items() if counts.unit is Unit.IMAGE} & OF_IMAGES
    assert (counted, set(sample.not_comparable) & OF_IMAGES) == ((OF_IMAGES, set()) if is_known else (set(), OF_IMAGES))
    assert sample.total.faces == sum(map(len, faces.values()))
    assert not faces or sample.total.columns["beard"].total == sample.total.faces


def test_numbers_that_are_none(tmp_path: Path) -> None:
    rows = pa.table({name: ["x"] for name in log_schema([]).names if name != "observed_at"})
    with pytest.raises(FacemonError, match="rows: the column ordinal holds string, not whole numbers") as raised:
        sample_of(rows.append_column("observed_at", pa.array([NOON])))
    assert "facemon log -o" in (raised.value.hint or "")


def test_rows_of_the_log_that_were_filtered_sorted_and_drawn(tmp_path: Path, facemon: RunFacemon) -> None:
    write_small_model(tmp_path, "drift: {evidently: {when: never}}\n")
    monitor = Monitor(tmp_path / "facemon.yaml")
    random = Random(0)
    monitor.log(
        {"image": f"{image}.jpg", "face": face, "hair": random.choice("ab"), "observed_at": NOON - timedelta(hours=1)}
        for image in range(2000)
        for face in range(1 + image % 3)
    )
    monitor.set_reference_window(NOON - timedelta(days=1), NOON, name="whole")

    def verdicts(file: str, exit_code: int) -> dict[str, str]:
        check = ("drift-check", "--reference", "whole", "--current", file, "--format", "json")
        done = facemon(*check, cwd=tmp_path)
        assert done.returncode == exit_code, done.stderr
        checks = json.loads(done.stdout)["checks"]
        return {column["column"]: column["verdict"] for part in checks.values() for column in part["columns"]}

    assert facemon("log", "-o", "all.parquet", cwd=tmp_path).returncode == 0
    assert facemon("log", "--where", "face>=1", "-o", "later.parquet", cwd=tmp_path).returncode == 0
    rows = pa.parquet.read_table(tmp_path / "all.parquet")
    pa.parquet.write_table(rows.sort_by("hair"), tmp_path / "sorted.parquet")
    some = sorted(random.sample(range(rows.num_rows), 3000))
    pa.parquet.write_table(rows.take(some), tmp_path / "drawn.parquet")
    assert pc.count_distinct(rows["face"]).as_py() == 3
    for whole in ("all.parquet", "sorted.parquet"):
        assert verdicts(whole, 0)["image_faces"] == "ok"
    for part in ("later.parquet", "drawn.parquet"):
        found = verdicts(part, 4)
        assert (found["hair"], found["image_faces"], found["image_failed"]) == ("ok", "undecided", "undecided")
    assert facemon("reference", "set", "later.parquet", "--name", "later", cwd=tmp_path).returncode == 0
