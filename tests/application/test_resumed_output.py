"""`predict -o FILE --resume`: the file has every row of the run, as if the run had never been interrupted."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from facemon.application.prediction_run import identity_of
from facemon.application.run_inputs import PredictRequest, images_of
from facemon.cli.main import run
from facemon.cli.session import Session
from facemon.model.predictor import Predictor
from facemon.store.ledger.opening import open_ledger
from facemon.store.runs import begin_run
from facemon.store.segment_writer import SegmentWriter
from tests.acceptance.small_model import write_small_model
from tests.application.written_rows import rows_in
from tests.model.onnx_files import flat_image
from tests.store.sql import sql

IMAGES = 24


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_small_model(tmp_path)
    names = [f'{number}, "{number % 3}".png' for number in range(IMAGES)]
    for number, name in enumerate(names):
        if number % 5:
            flat_image(tmp_path / name, (10 * number, 255 - 10 * number, 0))
    (tmp_path / "m.jsonl").write_text("".join(json.dumps({"image": name}) + "\n" for name in names))
    return tmp_path


def log_beginning(images: int, *paths: str) -> None:
    """Log so many images of a run, on m.jsonl if no paths are given, which then ends as by kill -9."""
    session = Session()
    request = PredictRequest(paths or ("m.jsonl",), threads=1)
    predictor = Predictor(session.config.model, session.config.predict)
    with session.operation.open_ledger(create=True) as ledger:
        identity = identity_of(request, predictor)
        with begin_run(ledger, identity, datetime.now(UTC)) as logged:
            writer = SegmentWriter(ledger, logged)
            for image in islice(images_of(session.operation, request), images):
                writer.take(predictor.predict([image], logged.id))
                if image.ordinal % 4 == 3:
                    writer.flush()
            writer.close()


def predict(*arguments: str) -> int:
    return run(["-q", "predict", "m.jsonl", "--max-failures", "100%", *arguments])


def leftovers(folder: Path) -> Iterator[Path]:
    return folder.glob(".*.part")


@pytest.mark.parametrize(
    ("suffix", "done"),
    [
        ("jsonl", 0),
        ("csv", 1),
        ("parquet", 4),
        ("jsonl", 7),
        ("csv", IMAGES - 1),
        ("jsonl", IMAGES),
        ("parquet", IMAGES),
    ],
)
def test_the_file_is_that_of_an_uninterrupted_run(folder: Path, suffix: str, done: int) -> None:
    whole, resumed = folder / f"whole.{suffix}", folder / f"resumed.{suffix}"
    assert predict("-o", whole.name) == 0
    log_beginning(done)
    # What is there already: the beginning with a torn line, or another run's rows.
    resumed.write_bytes(whole.read_bytes()[: 100 * done + 50])
    assert predict("-o", resumed.name, "--resume") == 0
    assert rows_in(resumed) == rows_in(whole)
    assert len(rows_in(resumed)) == IMAGES
    assert list(leftovers(folder)) == []
    with open_ledger(folder / ".facemon") as ledger:
        assert sql(ledger).execute("SELECT count(*) FROM runs WHERE finished IS NULL").fetchone() == (0,)


def test_csv_stays_safe_for_spreadsheets(folder: Path) -> None:
    (folder / "m.jsonl").write_text("".join(json.dumps({"image": f"={number}"}) + "\n" for number in range(IMAGES)))
    log_beginning(7)
    assert predict("-o", "out.csv", "--csv-safe", "--resume") == 0
    assert [row["image"] for row in rows_in(folder / "out.csv")] == [f"'={number}" for number in range(IMAGES)]


def test_a_pipe_named_by_o_gets_every_row_too(folder: Path) -> None:
    log_beginning(7)
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader:
        assert predict("-o", f"/dev/fd/{writing}", "--format", "jsonl", "--resume") == 0
        os.close(writing)
        assert len(reader.read().splitlines()) == IMAGES


def test_stdout_gets_the_rest(folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    log_beginning(7)
    assert predict("--format", "jsonl", "--resume") == 0
    assert len(capfdbinary.readouterr().out.splitlines()) == IMAGES - 7


def test_a_file_that_would_lack_rows_is_refused_and_left_alone(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log_beginning(8)
    with open_ledger(folder / ".facemon") as ledger, ledger.writing():
        sql(ledger).execute("DELETE FROM segments WHERE rowid = (SELECT min(rowid) FROM segments)")
    (folder / "out.csv").write_text("run,ordinal,image\n")
    assert predict("-o", "out.csv", "--resume") == 1
    said = capsys.readouterr().err
    assert "the log has lost rows of the 8 images that run" in said
    assert "--resume and without -o" in said
    assert (folder / "out.csv").read_text() == "run,ordinal,image\n"
    assert list(leftovers(folder)) == []
    assert predict("--resume") == 0


def ended_commands(folder: Path) -> list[tuple[str, bool]]:
    """The commands whose end is entered, and whether each has succeeded once."""
    with open_ledger(folder / ".facemon") as ledger:
        return [(each.command, each.last_success is not None) for each in ledger.commands.all()]


def test_a_full_disk_ends_a_resumed_run_and_its_end_is_entered(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rows of before are read from the log in a transaction while they are written."""
    log_beginning(7)
    assert predict("-o", "/dev/full", "--format", "jsonl", "--resume") == 1
    said = capsys.readouterr().err
    assert "No space left on device" in said
    assert "transaction" not in said
    assert ended_commands(folder) == [("predict", False)]


def test_a_reader_of_o_that_left_ends_a_resumed_run_and_its_end_is_entered(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log_beginning(7)
    reading, writing = os.pipe()
    os.close(reading)
    assert predict("-o", f"/dev/fd/{writing}", "--format", "jsonl", "--resume") == 1
    os.close(writing)
    assert "(such as head): 7 images are logged" in capsys.readouterr().err
    assert ended_commands(folder) == [("predict", False)]


def test_a_path_that_has_gone_since_is_a_row_of_the_run_that_named_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("1.png", "2.png"):
        flat_image(folder / name, (255, 0, 0))
    log_beginning(1, "1.png", "2.png")
    (folder / "1.png").unlink()
    (folder / "2.png").unlink()
    command = ["predict", "1.png", "2.png", "--max-failures", "1", "-o", "out.jsonl", "--resume"]
    assert run(command) == 0
    assert [row["error"] for row in rows_in(folder / "out.jsonl")] == [None, "unreadable"]
    assert run(command) == 2
    assert "1.png: no such file" in capsys.readouterr().err


@contextmanager
def no_reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A stdout whose reader has left; set in the test, because pytest sets its own before it."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream, monkeypatch.context() as patch:
        patch.setattr("sys.stdout", stream)
        yield


def test_a_reader_that_left_fails_a_run_and_says_how_to_finish_it(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with no_reader(monkeypatch):
        assert predict("--format", "jsonl") == 1
    said = capsys.readouterr().err
    with open_ledger(folder / ".facemon") as ledger:
        (done,) = sql(ledger).execute("SELECT done FROM runs WHERE finished IS NULL").fetchone()
    assert f"reader (such as head): {done} images are logged, and the run is not finished" in said
    assert "--resume finishes it" in said
    assert predict("-o", "out.csv", "--resume") == 0
    assert len(rows_in(folder / "out.csv")) == IMAGES


def test_a_reader_that_left_a_run_without_a_log_or_a_retry(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with no_reader(monkeypatch):
        assert predict("--format", "jsonl", "--no-store") == 1
    assert "(such as head): nothing was logged" in capsys.readouterr().err
    assert predict("-o", "out.csv") == 0
    with no_reader(monkeypatch):
        assert predict("--format", "jsonl", "--retry-failed") == 1
    assert "the retried images are logged\n  hint: run the same command again" in capsys.readouterr().err
