"""`predict -o FILE --retry-failed`: the file has every row of the run, as if nothing had failed."""

import os
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from facemon.cli.main import run
from facemon.store import segment_writer
from facemon.store.ledger.opening import open_ledger
from tests.acceptance.small_model import write_small_model
from tests.application.written_rows import rows_in
from tests.model.onnx_files import flat_image
from tests.store.damage import files_of
from tests.store.sql import sql

IMAGES = 12
BAD = (0, 5, 6, 11)
RETRY = ("--retry-failed", "--max-failures", "100%")


def put_image(number: int) -> None:
    flat_image(Path(f"images/{number:02}.png"), (10 * number, 255 - 10 * number, 0))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_small_model(tmp_path)
    (tmp_path / "images").mkdir()
    for number in range(IMAGES):
        put_image(number)
    return tmp_path


def fail(*arguments: str) -> None:
    """A run in which some images fail; they are mended then."""
    for number in BAD:
        Path(f"images/{number:02}.png").write_text("not an image")
    assert predict(*arguments) == 1
    for number in BAD:
        put_image(number)


def predict(*arguments: str) -> int:
    return run(["-q", "predict", "images", "--threads", "1", *arguments])


def without_failures(suffix: str) -> list[dict[str, Any]]:
    whole = Path(f"whole.{suffix}")
    assert predict("--no-store", "-o", whole.name) == 0
    return rows_in(whole)


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("inline", [segment_writer.INLINE_ROWS, 1])
def test_the_file_is_that_of_a_run_in_which_nothing_failed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, inline: int
) -> None:
    monkeypatch.setattr(segment_writer, "INLINE_ROWS", inline)
    out = folder / f"out.{suffix}"
    fail("-o", out.name)
    (folder / "images/05.png").write_text("not an image")
    assert predict("-o", out.name, "--retry-failed") == 1
    once = rows_in(out)
    assert [number for number, row in enumerate(once) if row["error"]] == [5]
    put_image(5)
    assert predict("-o", out.name, "--retry-failed") == 0
    assert rows_in(out) == without_failures(suffix)
    assert list(folder.glob(".*.part")) == []


def test_a_file_that_is_lost_is_written_where_nothing_is_left_to_retry(folder: Path) -> None:
    fail()
    assert predict(*RETRY) == 0
    assert predict("-o", "out.csv", *RETRY) == 0
    assert rows_in(folder / "out.csv") == without_failures("csv")


def test_a_pipe_named_by_o_gets_every_row_and_stdout_the_new_ones(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    fail()
    assert predict("--format", "jsonl", *RETRY) == 0
    assert len(capfdbinary.readouterr().out.splitlines()) == len(BAD)
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader:
        assert predict("-o", f"/dev/fd/{writing}", "--format", "jsonl", *RETRY) == 0
        os.close(writing)
        assert len(reader.read().splitlines()) == IMAGES


@pytest.mark.parametrize("lost", ["damaged", "gone"])
def test_a_file_that_would_lack_rows_is_left_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lost: str
) -> None:
    monkeypatch.setattr(segment_writer, "INLINE_ROWS", 1)
    monkeypatch.setattr(segment_writer, "SEGMENT_ROWS", 4)
    fail("-o", "out.csv", "--max-failures", "0")
    before = (folder / "out.csv").read_bytes()
    with open_ledger(folder / ".facemon") as ledger:
        file = next(each for each in files_of(ledger) if {2, 3} & set(ordinals(each)))
        if lost == "gone":
            with ledger.writing():
                sql(ledger).execute("DELETE FROM segments WHERE path = ?", (str(file.relative_to(ledger.folder)),))
    file.unlink()
    capsys.readouterr()
    assert predict("-o", "out.csv", *RETRY) == 1
    said = capsys.readouterr().err
    if lost == "damaged":
        assert "1 damaged segment was left out, which has rows of this run: the file of -o is not written" in said
        assert said.count(f"the segment {file} is missing") == 1
    else:
        assert "the log has lost rows of the 12 images that run" in said
        assert "what was retried is logged: leave out -o, or begin a new run without --retry-failed" in said
    assert (folder / "out.csv").read_bytes() == before
    assert list(folder.glob(".*.part")) == []


def ordinals(path: Path) -> list[int]:
    found: list[int] = pyarrow.parquet.read_table(path)["ordinal"].to_pylist()
    return found


def test_a_full_disk_ends_a_retry_and_the_new_rows_are_logged(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fail()
    assert predict("-o", "/dev/full", "--format", "jsonl", *RETRY) == 1
    said = capsys.readouterr().err
    assert "No space left on device" in said
    assert "transaction" not in said
    assert predict("-o", "out.jsonl", *RETRY) == 0
    assert rows_in(folder / "out.jsonl") == without_failures("jsonl")


def test_other_inputs_are_refused_without_the_advice_to_predict_all_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fail("-o", "out.csv")
    before = (folder / "out.csv").read_bytes()
    flat_image(folder / "images/001.png", (1, 2, 3))
    capsys.readouterr()
    assert predict("-o", "out.csv", *RETRY) == 1
    said = capsys.readouterr().err
    assert "the first 12 inputs are no longer those that run" in said
    assert "--resume" not in said
    assert (
        "in a run without --retry-failed, the images that failed (facemon log --failed) and those that are new" in said
    )
    assert (folder / "out.csv").read_bytes() == before
