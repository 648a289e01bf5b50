import csv
import json
import os
import pickle
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from facemon.config.model import ModelConfig
from facemon.domain.prediction import PredictedBatch, log_schema
from facemon.errors import FacemonError, UsageError
from facemon.predict.output import WRITERS, OutputFormat, format_of, open_file, open_stream
from tests.documents import documents_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.jsonl", "jsonl"), ("a.ndjson", "jsonl"), ("a.b.CSV", "csv"), ("x/a.parquet", "parquet")],
)
def test_the_suffix_names_the_format(name: str, expected: str) -> None:
    assert format_of(Path(name)) is OutputFormat(expected)


@pytest.mark.parametrize("kind", list(OutputFormat))
def test_an_attribute_may_be_called_like_a_time(kind: OutputFormat, model: ModelConfig, batch: PredictedBatch) -> None:
    names = [name.replace("glasses", "looking_at") for name in batch.rows.column_names]
    attributes = [
        each.model_copy(update={"name": "looking_at"}) if each.name == "glasses" else each for each in model.attributes
    ]
    stream = BytesIO()
    with open_stream(stream, kind, attributes) as writer:
        writer.add(batch.rows.rename_columns(names))
    if kind is not OutputFormat.PARQUET:
        assert b"looking_at" in stream.getvalue()


@pytest.mark.parametrize("name", ["a.xlsx", "jsonl", "-"])
def test_another_suffix_is_wrong_usage(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        format_of(Path(name))
    assert caught.value.hint == "use one of .jsonl, .ndjson, .csv, .parquet"


def test_json_lines_hold_the_documents(model: ModelConfig, batch: PredictedBatch) -> None:
    stream = BytesIO()
    with open_stream(stream, OutputFormat.JSONL, model.attributes) as writer:
        writer.add(batch.rows)
        assert stream.getvalue().count(b"\n") == 3
        writer.add(batch.rows)
    lines = [json.loads(line) for line in stream.getvalue().decode().splitlines()]
    assert lines == documents_of(batch.rows, model.attributes) * 2
    assert lines[0]["schema"] == "facemon.prediction/1"
    assert lines[0]["attributes"]["glasses"] == {"label": "yes", "confidence": 0.9996647}
    assert lines[1]["error"] == "unreadable"
    assert lines[1]["attributes"] == {}


def test_csv_holds_the_columns_of_the_log(model: ModelConfig, batch: PredictedBatch) -> None:
    stream = BytesIO()
    rows = batch.rows.set_column(
        batch.rows.schema.get_field_index("box"), "box", pa.array([[-1, 2, 30, 40], None, None], pa.list_(pa.int32()))
    )
    with open_stream(stream, OutputFormat.CSV, model.attributes) as writer:
        writer.add(rows)
        writer.add(rows.slice(0, 0))
    read = list(csv.DictReader(stream.getvalue().decode().splitlines()))
    names = [name for name in log_schema(model.attributes).names if name != "box"]
    assert set(read[0]) == {*names, "box_left", "box_top", "box_right", "box_bottom"}
    assert [row["image"] for row in read] == ['a "red" one, é.png', "missing.png", "blue.png"]
    assert [read[0][f"box_{side}"] for side in ("left", "top", "right", "bottom")] == ["-1", "2", "30", "40"]
    assert read[1]["box_left"] == read[1]["glasses"] == read[1]["face"] == ""
    assert read[0]["predicted_at"] == "2026-11-23T12:00:00.000000Z"
    assert read[0]["glasses_confidence"] == "0.9996647"
    assert read[2]["glasses"] == "no"


def test_parquet_has_the_log_s_schema(tmp_path: Path, model: ModelConfig, batch: PredictedBatch) -> None:
    path = tmp_path / "out.parquet"
    with open_file(path, OutputFormat.PARQUET, model.attributes) as writer:
        for _ in range(7000):
            writer.add(batch.rows)
    table = parquet.read_table(path)
    assert table.schema.equals(log_schema(model.attributes))
    assert table.num_rows == 21_000
    assert parquet.ParquetFile(path).num_row_groups == 2
    assert table.slice(0, 3).combine_chunks().equals(pa.Table.from_batches([batch.rows]).combine_chunks())


@pytest.mark.parametrize("output_format", list(OutputFormat))
def test_no_rows_make_a_whole_file(tmp_path: Path, model: ModelConfig, output_format: OutputFormat) -> None:
    path = tmp_path / "out"
    with open_file(path, output_format, model.attributes):
        pass
    assert path.is_file()
    if output_format is OutputFormat.PARQUET:
        assert parquet.read_table(path).num_rows == 0


def test_every_format_has_a_writer() -> None:
    assert set(WRITERS) == set(OutputFormat)


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path, model: ModelConfig, batch: PredictedBatch) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("what was there before")

    def run_that_breaks() -> None:
        with open_file(path, OutputFormat.JSONL, model.attributes) as writer:
            writer.add(batch.rows)
            assert path.read_text() == "what was there before"
            raise FacemonError("the run broke")

    with pytest.raises(FacemonError, match="the run broke"):
        run_that_breaks()
    assert path.read_text() == "what was there before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.jsonl"]
    with open_file(path, OutputFormat.JSONL, model.attributes) as writer:
        writer.add(batch.rows)
    assert path.read_text().count("\n") == 3
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.jsonl"]


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(
    tmp_path: Path, model: ModelConfig, batch: PredictedBatch
) -> None:
    path = tmp_path / "out[1].jsonl"
    for name in (".out[1].jsonl.0123abcd.part", ".out1.jsonl.0123abcd.part", ".out[1].jsonl.mine.part"):
        (tmp_path / name).touch()
    with open_file(path, OutputFormat.JSONL, model.attributes) as first:
        with open_file(path, OutputFormat.JSONL, model.attributes):
            assert len(list(tmp_path.glob(".out?1?.jsonl.????????.part"))) == 2
        first.add(batch.rows)
    assert path.read_text().count("\n") == 3
    kept = {".out1.jsonl.0123abcd.part", ".out[1].jsonl.mine.part", path.name}
    assert {entry.name for entry in tmp_path.iterdir()} == kept


def test_a_new_file_has_the_usual_permissions_and_a_link_stays_a_link(tmp_path: Path, model: ModelConfig) -> None:
    link, path = tmp_path / "link.jsonl", tmp_path / "out.jsonl"
    link.symlink_to("out.jsonl")
    with open_file(link, OutputFormat.JSONL, model.attributes):
        pass
    (tmp_path / "other").touch()
    assert link.is_symlink()
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_places_that_cannot_be_written(tmp_path: Path, model: ModelConfig) -> None:
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    for path, reason in ((folder, "is a directory"), (tmp_path / "none" / "a.csv", "does not exist")):
        with pytest.raises(UsageError, match=reason), open_file(path, OutputFormat.CSV, model.attributes):
            pass


@pytest.mark.parametrize("output_format", list(OutputFormat))
def test_a_full_disk_is_said_with_the_file_s_name(
    tmp_path: Path, model: ModelConfig, batch: PredictedBatch, output_format: OutputFormat
) -> None:
    # A limit on the size of files raises the same kind of error as a disk that is full.
    program = (
        "import sys, resource, signal, pickle; from pathlib import Path\n"
        "from facemon.errors import FacemonError; from facemon.predict.output import OutputFormat, open_file\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))\n"
        "model, rows = pickle.loads(sys.stdin.buffer.read())\n"
        "try:\n"
        "    with open_file(Path('out'), OutputFormat(sys.argv[1]), model.attributes) as writer: writer.add(rows)\n"
        "except FacemonError as error: print(error.message)\n"
        "print(sorted(path.name for path in Path().iterdir()))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program, output_format.value],
        input=pickle.dumps((model, batch.rows)),
        capture_output=True,
        check=False,
        cwd=tmp_path,
    )
    assert answer.stderr.decode() == ""
    assert answer.stdout.decode() == "-o out: writing failed: file too large\n[]\n"


def test_parquet_into_a_pipe(model: ModelConfig, batch: PredictedBatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "wb") as stream:
        with open_stream(stream, OutputFormat.PARQUET, model.attributes) as writer:
            writer.add(batch.rows)
        stream.close()
        assert parquet.read_table(BytesIO(reader.read())).num_rows == 3
