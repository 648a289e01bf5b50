"""`facemon predict` on images in object storage: each once, whatever the storage does, and errors before all else."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from facemon.cli.main import run
from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.model.onnx_files import flat_image
from tests.object_storage.origin import MODIFIED, Fault, Origin, etag
from tests.object_storage.reached_storage import reached_origin
from tests.patience import HANG_S, wait_until
from tests.started import start_facemon

COLOURS = {"a": (255, 0, 0), "b": (0, 255, 0)}
"""Labels of the small model, with a colour that has them."""
IMAGES = 60
SECRET = "hunter2"


@pytest.fixture
def origin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Origin]:
    with reached_origin(monkeypatch) as origin:
        yield origin


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: Origin) -> Path:
    """A small model, a folder of images, and the same images in the bucket photos."""
    monkeypatch.chdir(tmp_path)
    write_small_model(tmp_path)
    (tmp_path / "day").mkdir()
    for number in range(IMAGES):
        flat_image(tmp_path / "day" / f"{number:02}.png", COLOURS["ab"[number % 2]], (8, 8 + number))
    origin.buckets["photos"] = {f"day/{path.name}": path.read_bytes() for path in (tmp_path / "day").iterdir()}
    return tmp_path


def rows(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_prefix_has_the_rows_of_the_same_folder(facemon: RunFacemon, folder: Path, origin: Origin) -> None:
    origin.page_keys = 7
    local = facemon("predict", "day", "--threads", "2", "--no-store", cwd=folder)
    remote = facemon("predict", "s3://photos/day/", "--threads", "2", "--observed-at", "mtime", cwd=folder)
    assert (local.returncode, remote.returncode) == (0, 0), remote.stderr
    same = ("image_sha256", "attributes", "error", "face", "box")
    assert [[row[key] for key in same] for row in rows(remote.stdout)] == [
        [row[key] for key in same] for row in rows(local.stdout)
    ]
    assert [row["image"] for row in rows(remote.stdout)] == [f"s3://photos/day/{n:02}.png" for n in range(IMAGES)]
    assert {row["observed_at"] for row in rows(remote.stdout)} == {f"{MODIFIED:%Y-%m-%dT%H:%M:%S}.000000Z"}
    assert "ok: 60 rows" in facemon("store", "verify", cwd=folder).stdout
    # Each is fetched once, and several at a time.
    assert sum(asked.startswith("GET") for asked in origin.asked) == IMAGES


def test_a_run_that_is_interrupted_goes_on_where_it_was(facemon: RunFacemon, folder: Path, origin: Origin) -> None:
    line = ("predict", "s3://photos/day/", "-q", "-o", "rows.jsonl", "--resume")
    for number in (20, 40):
        held = f"photos/day/{number}.png"
        origin.faults[held] = Fault(sent=10, stalls=True)
        process = start_facemon(*line, cwd=folder)
        wait_until(lambda held=held: f"GET {held}" in origin.asked)  # type: ignore[misc]
        process.send_signal(signal.SIGKILL if number == 20 else signal.SIGINT)
        assert process.wait() == (-signal.SIGKILL if number == 20 else 130)
        assert process.stderr is not None
        process.stderr.close()
        origin.faults.clear()
    last = facemon(*line, cwd=folder)
    assert last.returncode == 0, last.stderr
    found = rows((folder / "rows.jsonl").read_text())
    assert [row["image"] for row in found] == [f"s3://photos/day/{number:02}.png" for number in range(IMAGES)]
    assert "ok: 60 rows" in facemon("store", "verify", cwd=folder).stdout


@pytest.mark.parametrize("silent", ["photos", "photos/day/20.png"])
def test_an_interrupted_run_does_not_wait_for_a_silent_storage(
    silent: str, folder: Path, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked before the run begins, and for each image."""
    for name in ("AWS_READ_TIMEOUT", "AWS_TIMEOUT"):
        monkeypatch.setenv(name, f"{round(2 * HANG_S)}s")
    origin.faults[silent] = Fault(sent=10, stalls=True)
    process = start_facemon("predict", "s3://photos/day/", "-q", cwd=folder)
    wait_until(lambda: f"GET {silent}" in origin.asked or (silent == "photos" and origin.asked != []))
    process.send_signal(signal.SIGINT)
    try:
        assert process.wait(HANG_S) == 130
    finally:
        process.kill()
        assert process.stderr is not None
        process.stderr.close()


def test_a_killed_question_is_an_error_of_its_own(folder: Path, origin: Origin) -> None:
    origin.faults["photos"] = Fault(sent=10, stalls=True)
    process = start_facemon("predict", "s3://photos/day/", cwd=folder)
    wait_until(lambda: origin.asked)
    (asking,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(asking), signal.SIGKILL)
    assert process.wait() == 1
    assert process.stderr is not None
    with process.stderr:
        assert "the process that checks object storage was killed" in process.stderr.read()


def test_many_addresses_are_asked_for_at_once(folder: Path, origin: Origin, capfd: pytest.CaptureFixture[str]) -> None:
    origin.delay_s = 0.05
    addresses = [f"s3://photos/day/{number:02}.png" for number in range(IMAGES)]
    assert run(["predict", *addresses, "s3://photos/none.png", "--no-store"]) == 2
    assert "s3://photos/none.png: there is no such object or prefix" in capfd.readouterr().err
    assert origin.most_at_once > 8


def test_what_failed_is_fetched_again_and_nothing_else(facemon: RunFacemon, folder: Path, origin: Origin) -> None:
    origin.faults = {
        "photos/day/03.png": Fault(403, "AccessDenied"), "photos/day/05.png": Fault(sent=9),
        "photos/day/07.png": Fault(404, "NoSuchKey"),
    }  # fmt: skip
    line = ("predict", "s3://photos/day/", "--observed-at", "mtime")
    first = facemon(*line, "-q", cwd=folder)
    assert first.returncode == 1
    assert "3 of 60 images could not be predicted" in first.stderr
    origin.faults = {"photos/day/07.png": Fault(404, "NoSuchKey")}
    origin.asked.clear()
    again = facemon(*line, "--retry-failed", "--max-failures", "1", cwd=folder)
    assert again.returncode == 0, again.stderr
    assert [(row["image"], row["error"]) for row in rows(again.stdout)] == [
        ("s3://photos/day/03.png", None), ("s3://photos/day/05.png", None), ("s3://photos/day/07.png", "unreadable"),
    ]  # fmt: skip
    assert rows(again.stdout)[0]["observed_at"] == f"{MODIFIED:%Y-%m-%dT%H:%M:%S}.000000Z"
    assert sum(asked.startswith("GET") for asked in origin.asked) == 3
    assert "ok: 60 rows" in facemon("store", "verify", cwd=folder).stdout


def test_a_manifest_that_knows_its_objects(facemon: RunFacemon, folder: Path, origin: Origin) -> None:
    content = origin.buckets["photos"]["day/00.png"]
    lines = [f"s3://photos/day/00.png,{etag(content)}", f"s3://photos/day/01.png,{etag(content)}", "day/02.png,"]
    (folder / "m.csv").write_text("\n".join(["image,etag", *lines]))
    answer = facemon("predict", "m.csv", "--max-failures", "1", cwd=folder)
    assert answer.returncode == 0, answer.stderr
    assert [row["error"] for row in rows(answer.stdout)] == [None, "changed", None]
    assert 'images_processed_total{status="failed"} 1.0' in facemon("export-metrics", "-o", "-", cwd=folder).stdout


REFUSED = {
    "a bucket that is not there": ("s3://none/day/", None, 2, "there is no bucket none"),
    "an object that is not there": ("s3://photos/none.png", None, 2, "there is no such object or prefix"),
    "a prefix that is not there": ("s3://photos/none/", None, 2, "there is no object with this prefix"),
    "a bucket that may not be listed": ("s3://photos/day/", Fault(403, "AccessDenied"), 2, "is denied"),
    "unknown credentials": ("s3://photos/day/", Fault(403, "InvalidAccessKeyId"), 2, "(InvalidAccessKeyId)"),
    "another region": ("s3://photos/day/", Fault(301, "PermanentRedirect"), 2, "set AWS_REGION to the region"),
    "a storage that fails": ("s3://photos/day/", Fault(503, "SlowDown"), 1, "503 (SlowDown)"),
    "a password": (f"s3://key:{SECRET}@photos/", None, 2, "holds a user or a password"),
    "a signature": (f"s3://photos/a.png?X-Amz-Signature={SECRET}", None, 2, "s3://photos/a.png: holds a signature"),
    "no bucket": ("s3://", None, 2, "names no bucket"),
    "another scheme": ("s3a://photos/day/", None, 2, "only s3://, gs://, az:// and file:// are read"),
    "one slash": ("s3:/photos/day/", None, 2, "hint: write s3://photos/day/"),
    "an archive that is not a tar": ("s3://photos/day.zip", None, 2, "is neither an image nor a tar archive"),
    "an archive that is not there": ("s3://photos/day.tar", None, 2, "there is no such object or prefix"),
    "a manifest": ("s3://photos/day.parquet", None, 2, "copy it to a local disk"),
    "a file that is not there": ("file:///none/a.png", None, 2, "no such file"),
    "a file elsewhere": ("file://host/a.png", None, 2, "file://host/a.png: names no path of this machine"),
    "a null character": ("file:///a%00b.png", None, 2, "holds a null character"),
    "Azure without an account": ("az://photos/day/", None, 2, "AZURE_STORAGE_ACCOUNT_NAME"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_one_error_before_anything_is_logged(
    case: str, folder: Path, origin: Origin, capfd: pytest.CaptureFixture[str]
) -> None:
    address, fault, code, said = REFUSED[case]
    if fault is not None:
        origin.faults["photos"] = fault
    assert run(["predict", address, "--max-failures", "99"]) == code
    shown = capfd.readouterr()
    assert said in shown.err
    assert "hint: " in shown.err
    assert SECRET not in shown.err + shown.out
    assert not (folder / ".facemon").exists()


def test_a_manifest_in_a_bucket_that_is_not_there_is_one_error_and_a_missing_object_is_a_row(
    folder: Path, origin: Origin, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "m.csv").write_text("image\ns3://none/a.png\n")
    assert run(["predict", "m.csv", "--max-failures", "9"]) == 2
    assert "s3://none/a.png: there is no bucket none" in capfd.readouterr().err
    assert not (folder / ".facemon").exists()
    (folder / "m.csv").write_text("image\ns3://photos/none.png\ns3://none/a.png\n")
    assert run(["predict", "m.csv", "--max-failures", "9", "--format", "jsonl"]) == 0
    assert [row["error_message"] for row in rows(capfd.readouterr().out)] == [
        "no such object", "there is no bucket none",
    ]  # fmt: skip


def test_without_the_extra_the_hint_is_the_command_that_installs_it(
    folder: Path, origin: Origin, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    (folder / "m.csv").write_text("image\ns3://photos/day/00.png\n")
    for path in ("s3://photos/day/", "m.csv"):
        assert run(["predict", path]) == 2
        assert "pip install 'facemon[object-storage]'" in capfd.readouterr().err
    (folder / "m.csv").write_text("image\nday/00.png\ns3://photos/day/00.png\n")
    assert run(["predict", f"file://{folder}/day/01.png", "m.csv", "--format", "jsonl", "--max-failures", "1"]) == 0
    assert [row["error_message"] for row in rows(capfd.readouterr().out)] == [
        None, None, "reading it needs the package obstore",
    ]  # fmt: skip


def test_a_storage_that_fails_on_the_way_ends_the_run_and_resume_goes_on(
    facemon: RunFacemon, folder: Path, origin: Origin
) -> None:
    for number in range(30, IMAGES):
        origin.faults[f"photos/day/{number}.png"] = Fault(400, "ExpiredToken")
    answer = facemon("predict", "s3://photos/day/", "-q", "--max-failures", "99", cwd=folder)
    assert answer.returncode == 1
    assert "the storage does not accept the credentials (ExpiredToken); 8 images in a row failed so" in answer.stderr
    assert "AWS_SESSION_TOKEN" in answer.stderr
    origin.faults.clear()
    last = facemon("predict", "s3://photos/day/", "--resume", "--max-failures", "9", cwd=folder)
    assert last.returncode == 0, last.stderr
    assert "ok: 60 rows" in facemon("store", "verify", cwd=folder).stdout


def test_model_check_and_other_places_take_local_paths_only(
    folder: Path, origin: Origin, capfd: pytest.CaptureFixture[str]
) -> None:
    for line in (["model", "check", "s3://photos/day/"], ["predict", "day", "-o", "s3://photos/x.csv"]):
        assert run(line) == 2
        assert "only a local path can be given here" in capfd.readouterr().err
    assert origin.asked == []
