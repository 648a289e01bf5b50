"""`facemon predict` as its user runs it: good pictures, bad ones, pipes, lists and interruptions."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from PIL import Image

from tests.acceptance.camera import broken_pictures, odd_pictures, take_pictures
from tests.conftest import RunFacemon
from tests.patience import HANG_S

COMMAND = Path(sys.executable).with_name("facemon")


def rows_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return take_pictures(tmp_path_factory.mktemp("camera") / "pictures", images=24)


def test_a_pipe_gets_json_lines(facemon: RunFacemon, tmp_path: Path, astronaut: Path) -> None:
    outcome = facemon("predict", astronaut, cwd=tmp_path)
    assert outcome.returncode == 0
    (row,) = rows_of(outcome.stdout)
    assert row["schema"] == "facemon.prediction/1"
    assert (row["face"], row["box"], row["error"]) == (0, [179, 83, 266, 170], None)
    assert row["attributes"]["gender"] == {"label": "female", "confidence": pytest.approx(0.871, abs=0.002)}
    assert row["attributes"]["age"]["value"] == pytest.approx(33.1, abs=0.1)
    assert row["model"] == "age-gender@1"
    assert "1 image, 1 ok (1 face)" in outcome.stderr


def test_all_formats_say_the_same(facemon: RunFacemon, tmp_path: Path, pictures: Path) -> None:
    for suffix in ("jsonl", "csv", "parquet"):
        outcome = facemon("predict", pictures, "-o", f"out.{suffix}", "--observed-at", "mtime", cwd=tmp_path)
        assert (outcome.returncode, outcome.stdout) == (0, "")
    lines = rows_of((tmp_path / "out.jsonl").read_text())
    with (tmp_path / "out.csv").open(newline="") as file:
        cells = list(csv.DictReader(file))
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert len(lines) == len(cells) == len(table) == 24
    for line, cell, row in zip(lines, cells, table, strict=True):
        assert line["image"] == cell["image"] == row["image"]
        assert line["attributes"]["gender"]["label"] == cell["gender"] == row["gender"]
        assert line["attributes"]["age"]["value"] == pytest.approx(float(cell["age_value"])) == row["age_value"]
        assert line["observed_at"].startswith("2026-11-20T")


def test_bad_pictures_are_rows_and_all_others_are_predicted(
    facemon: RunFacemon, tmp_path: Path, astronaut: Path, pictures: Path
) -> None:
    mixed = tmp_path / "mixed"
    shutil.copytree(pictures, mixed / "good")
    good = [f"mixed/good/{index:04}.jpg" for index in range(24)]
    expected = broken_pictures(mixed, mixed / "good" / "0000.jpg")
    odd = odd_pictures(mixed, astronaut)
    (tmp_path / "more.jsonl").write_text('{"image": "missing.jpg"}\n')
    outcome = facemon("predict", "mixed", "more.jsonl", cwd=tmp_path)
    assert outcome.returncode == 1
    assert "6 of 38 images could not be predicted" in outcome.stderr
    rows = rows_of(outcome.stdout)
    found = {row["image"]: row for row in rows}
    assert len(found) == 38
    for name, code in expected.items():
        assert found[f"mixed/{name}"]["error"] == code, name
        assert found[f"mixed/{name}"]["error_message"]
        assert found[f"mixed/{name}"]["face"] is None
    assert found["missing.jpg"]["error"] == "unreadable"
    for name in [*(f"mixed/{name}" for name in odd), *good]:
        assert found[name]["error"] is None, found[name]
        assert found[name]["attributes"]["gender"]["label"]
    verified = facemon("store", "verify", cwd=tmp_path)
    assert verified.returncode == 0, verified.stdout
    allowed = facemon("predict", "-q", "mixed", "more.jsonl", "--max-failures", "20%", cwd=tmp_path)
    assert (allowed.returncode, allowed.stdout, allowed.stderr) == (0, "", "")


def test_a_file_without_read_permission_is_a_row(tmp_path: Path, pictures: Path) -> None:
    shutil.copytree(pictures, tmp_path / "pictures")
    (tmp_path / "pictures" / "0003.jpg").chmod(0)
    (tmp_path / "pictures" / "closed").mkdir(mode=0)
    command: list[str | Path] = [COMMAND, "predict", "pictures"]
    if os.geteuid() == 0:  # root reads everything unless it gives that up
        if shutil.which("setpriv") is None:
            pytest.skip("setpriv is not installed, so root cannot give up reading everything")
        given_up = "-dac_override,-dac_read_search"
        command = ["setpriv", f"--bounding-set={given_up}", f"--inh-caps={given_up}", *command]
    outcome = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    (tmp_path / "pictures" / "closed").chmod(0o700)
    found = {row["image"]: row["error"] for row in rows_of(outcome.stdout)}
    assert outcome.returncode == 1
    assert found["pictures/0003.jpg"] == "denied"
    assert found["pictures/closed"] == "denied"
    assert sum(error is None for error in found.values()) == 23


def test_a_directory_without_images(facemon: RunFacemon, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no picture\n")
    outcome = facemon("predict", "empty", cwd=tmp_path)
    assert outcome.returncode == 1
    assert "error: no image is in empty\n" in outcome.stderr
    assert "hint: 1 file is not an image that can be read: 1 .txt; files with these extensions are taken: .avif " in (
        outcome.stderr
    )
    quiet = facemon("predict", "-q", "empty", cwd=tmp_path)
    assert (quiet.returncode, quiet.stderr) == (1, outcome.stderr.split("\n", 1)[1])


def test_a_list_on_stdin_is_echoed_as_given(facemon: RunFacemon, tmp_path: Path, pictures: Path) -> None:
    shutil.copytree(pictures, tmp_path / "pictures")
    given = ["pictures/0002.jpg", "./pictures/0001.jpg", "pictures/0002.jpg"]
    outcome = facemon("predict", "-", cwd=tmp_path, stdin="\n".join(given) + "\n")
    assert [row["image"] for row in rows_of(outcome.stdout)] == given
    assert outcome.returncode == 0


def test_a_reader_that_leaves_is_told_what_is_logged(facemon: RunFacemon, tmp_path: Path, pictures: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for copy in range(10):
        shutil.copytree(pictures, many / str(copy))
    line = f"set -o pipefail; {COMMAND} predict many --format jsonl | head -n 1"
    outcome = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert outcome.returncode == 1
    assert len(rows_of(outcome.stdout)) == 1
    said = re.fullmatch(
        r"error: the output was closed by its reader \(such as head\): (\d+) images are logged, and the run is not "
        r"finished\n  hint: the same command with --resume finishes it.*\n",
        outcome.stderr,
    )
    assert said is not None, outcome.stderr
    assert f"ok: {said[1]} rows" in facemon("store", "verify", cwd=tmp_path).stdout
    assert facemon("predict", "many", "--resume", "-q", cwd=tmp_path).returncode == 0
    assert "ok: 240 rows" in facemon("store", "verify", cwd=tmp_path).stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_logged_and_resumes(
    facemon: RunFacemon, tmp_path: Path, pictures: Path, number: signal.Signals
) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for copy in range(10):
        shutil.copytree(pictures, many / str(copy))
    process = subprocess.Popen(
        [COMMAND, "predict", "many"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(number)
    _, said = process.communicate(timeout=HANG_S)
    assert process.returncode == 130
    assert b"--resume continues" in said
    resumed = facemon("predict", "many", "--resume", "-o", "rest.jsonl", cwd=tmp_path)
    assert resumed.returncode == 0
    assert "continuing run" in resumed.stderr
    verified = facemon("store", "verify", cwd=tmp_path)
    assert "ok: 240 rows" in verified.stdout


def test_resume_refuses_other_inputs(facemon: RunFacemon, tmp_path: Path, pictures: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for copy in range(10):
        shutil.copytree(pictures, many / f"b{copy}")
    process = subprocess.Popen([COMMAND, "predict", "many"], cwd=tmp_path, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=HANG_S)
    shutil.copytree(pictures, many / "a")
    outcome = facemon("predict", "many", "--resume", cwd=tmp_path)
    assert outcome.returncode == 1
    assert "are no longer those that run" in outcome.stderr


def test_two_processes_and_a_reader_at_once(facemon: RunFacemon, tmp_path: Path, pictures: Path) -> None:
    for copy in range(4):
        shutil.copytree(pictures, tmp_path / "pictures" / str(copy))
    writers = [
        subprocess.Popen([COMMAND, "predict", "-q", "pictures", "--source", name], cwd=tmp_path) for name in "ab"
    ]
    while any(writer.poll() is None for writer in writers):
        assert facemon("store", "info", cwd=tmp_path).returncode in (0, 1)  # 1 until there is a store
        time.sleep(0.05)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert "ok: 192 rows" in facemon("store", "verify", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["predict"], "PATHS"),
        (["predict", "x.jpg", "-o", "out.txt"], "the suffix names no format"),
        (["predict", "x.jpg", "--format", "xml"], "there are table, jsonl, csv, parquet"),
        (["predict", "x.jpg", "--observed-at", "soon"], "write mtime, exif or a time"),
        (["predict", "x.jpg", "--max-failures", "many"], "write a number"),
        (["predict", "x.jpg", "--resume", "--no-store"], "leave one of them out"),
        (["predict", "x.jpg", "--nonsense"], "--nonsense"),
        (["predict", "x.jpg", "-c", "missing.yaml"], "missing.yaml"),
    ],
)
def test_wrong_usage(facemon: RunFacemon, tmp_path: Path, arguments: list[str], said: str) -> None:
    outcome = facemon(*arguments, cwd=tmp_path)
    assert outcome.returncode == 2
    assert said in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert not (tmp_path / ".facemon").exists()


def test_every_fault_of_a_configuration_is_told_with_its_place(facemon: RunFacemon, tmp_path: Path) -> None:
    (tmp_path / "facemon.yaml").write_text("version: 1\nstor: {}\ndrift:\n  significance: 5\n  window: 24\n")
    outcome = facemon("predict", "x.jpg", cwd=tmp_path)
    assert outcome.returncode == 2
    for place in ("facemon.yaml:2:1: ", "facemon.yaml:4:17: drift.significance", "facemon.yaml:5:11: drift.window"):
        assert place in outcome.stderr, outcome.stderr


def test_common_options_stand_before_or_after_the_command(facemon: RunFacemon, tmp_path: Path, astronaut: Path) -> None:
    before = facemon("-q", "predict", astronaut, cwd=tmp_path)
    after = facemon("predict", astronaut, "-q", cwd=tmp_path)
    variable = facemon("predict", astronaut, cwd=tmp_path, env={"FACEMON_QUIET": "1"})
    for outcome in (before, after, variable):
        assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "", "")


def test_other_files_of_a_directory_are_counted(facemon: RunFacemon, tmp_path: Path, astronaut: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.open(astronaut).save(folder / "a.JFIF", "JPEG")
    for name in ("a.txt", "b.txt", "film.mp4", "._a.jpg", "Thumbs.db"):
        (folder / name).write_text("no picture\n")
    outcome = facemon("predict", "photos", "--no-store", cwd=tmp_path)
    assert outcome.returncode == 0
    assert {row["image"] for row in rows_of(outcome.stdout)} == {"photos/a.JFIF"}
    assert outcome.stderr.endswith("\n3 files are not images that can be read: 2 .txt, 1 .mp4\n")
    quiet = facemon("predict", "-q", "photos", "--no-store", cwd=tmp_path)
    assert (quiet.returncode, quiet.stderr) == (0, "")
