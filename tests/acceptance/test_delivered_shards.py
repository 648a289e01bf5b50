"""`facemon predict --shard --deliver` and `facemon store collect`: what users of many machines see."""

import json
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.model.onnx_files import flat_image
from tests.object_storage.origin import Fault, Origin
from tests.object_storage.reached_storage import reached_origin
from tests.patience import wait_until
from tests.started import start_facemon

IMAGES = 10
LOCATION = "s3://logs/log/"


@pytest.fixture
def origin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Origin]:
    with reached_origin(monkeypatch) as origin:
        origin.buckets["logs"] = {}
        yield origin


@pytest.fixture
def folder(tmp_path: Path, origin: Origin, facemon: RunFacemon) -> Path:
    """A model, and a manifest of ten objects."""
    write_small_model(tmp_path)
    flat_image(tmp_path / "one.png", (255, 0, 0))
    picture = (tmp_path / "one.png").read_bytes()
    origin.buckets["photos"] = {f"{number}.png": picture for number in range(IMAGES)}
    assert facemon("manifest", "s3://photos/", "-o", "images.parquet", cwd=tmp_path).returncode == 0
    return tmp_path


def deliver(facemon: RunFacemon, folder: Path, shard: str, *more: str) -> "subprocess.CompletedProcess[str]":
    line = ("predict", "images.parquet", "--shard", shard, "--deliver", LOCATION, *more)
    return facemon(*line, cwd=folder)


def keys(origin: Origin, prefix: str = "log/") -> list[str]:
    return sorted(key for key in origin.buckets["logs"] if key.startswith(prefix))


def test_shards_are_delivered_collected_and_counted_once(facemon: RunFacemon, folder: Path, origin: Origin) -> None:
    files = set(folder.iterdir())
    first = deliver(facemon, folder, "2/3")
    assert (first.returncode, first.stdout) == (0, ""), first.stderr
    assert "s3://logs/log/: shard 2/3 of images is delivered, by run 20" in first.stderr
    assert set(folder.iterdir()) == files, "nothing is written here"
    found = facemon("store", "collect", LOCATION, cwd=folder)
    assert (found.returncode, found.stdout.splitlines()) == (
        3, ["registered 1 delivery with 3 rows", "missing: images: 1, 3 of 3"],
    ), found.stderr  # fmt: skip
    origin.asked.clear()
    again = deliver(facemon, folder, "2/3")
    assert again.returncode == 0
    assert "shard 2/3 of images is delivered already, by run 20" in again.stderr
    assert not any("photos" in asked and "GET" in asked for asked in origin.asked), "it is not predicted again"
    for shard in ("1/3", "3/3"):
        assert deliver(facemon, folder, shard, "-q").returncode == 0
    for registered in (2, 0):
        done = facemon("store", "collect", "s3://logs/log", "--format", "json", cwd=folder)
        assert done.returncode == 0, done.stdout
        answer = json.loads(done.stdout)
        assert (answer["schema"], answer["registered"], answer["damaged"]) == ("facemon.collection/1", registered, [])
        assert answer["jobs"] == [
            {"name": "images", "shards": 3, "registered": 3, "new": registered, "missing": ""}
        ]  # fmt: skip
    assert "ok: 10 rows" in facemon("store", "verify", cwd=folder).stdout
    assert facemon("-q", "store", "collect", LOCATION, cwd=folder).stdout == ""


def test_a_shared_folder_and_any_manifest_file(facemon: RunFacemon, folder: Path, tmp_path: Path) -> None:
    (folder / "list.csv").write_text("image\n" + "one.png\n" * 7)
    (folder / "none.jsonl").write_text("")
    place = (tmp_path / "shared" / "log").as_uri()
    for shard in ("1/2", "2/2"):
        done = facemon("predict", "list.csv", "--shard", shard, "--deliver", place, "--format", "csv", cwd=folder)
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) == {"1/2": 4, "2/2": 5}[shard]
    assert facemon("predict", "images.parquet", "--deliver", place, "-q", cwd=folder).returncode == 0
    done = facemon("store", "collect", place, cwd=folder)
    assert (done.returncode, done.stdout) == (0, "registered 3 deliveries with 17 rows\n"), done.stderr
    assert "ok: 17 rows" in facemon("store", "verify", cwd=folder).stdout


def test_rows_with_errors_are_delivered_and_the_exit_code_says_so(
    facemon: RunFacemon, folder: Path, origin: Origin
) -> None:
    origin.faults["photos/3.png"] = Fault(403, "AccessDenied")
    done = deliver(facemon, folder, "1/1")
    assert done.returncode == 1
    assert "1 of 10 images could not be predicted" in done.stderr
    assert facemon("store", "collect", LOCATION, cwd=folder).returncode == 0
    assert deliver(facemon, folder, "1/1").returncode == 0, "it is delivered"


@pytest.mark.parametrize(
    ("line", "said", "hint"),
    [
        ("images.parquet --shard 0/4 --deliver L", "--shard 0/4: shards are numbered from 1 to N", ""),
        ("images.parquet --shard 5/4 --deliver L", "--shard 5/4: shards are numbered from 1 to N", ""),
        ("images.parquet --shard x --deliver L", "--shard x: write K/N", ""),
        ("images.parquet --shard 1/4", "--deliver is missing", "--deliver s3://bucket/log/"),
        (
            "one.png --shard 1/4 --deliver L",
            "--deliver takes one manifest, and it was given one.png",
            "facemon manifest",
        ),
        ("s3://photos/ --shard 1/4 --deliver L", "takes one manifest", "facemon manifest"),
        ("images.parquet images.parquet --deliver L", "it was given 2 inputs", "facemon manifest"),
        ("none.parquet --deliver L", "no such file", ""),
        ("images.parquet --deliver L --resume", "--resume and --deliver exclude each other", "leave --resume out"),
        (
            "images.parquet --deliver L --retry-failed",
            "--retry-failed and --deliver exclude each other",
            "write the failed images",
        ),
        (
            "images.parquet --deliver L --no-store",
            "--no-store and --deliver exclude each other",
            "leave --no-store out",
        ),
        ("images.parquet --deliver /shared/log", "/shared/log: is not an address", "file:///FOLDER/"),
        ("images.parquet --deliver https://example.org/", "is not an address of object storage", "s3://BUCKET"),
        ("images.parquet --deliver s3://none/", "there is no bucket none", "correct the bucket's name"),
        ("odd.name!.parquet --deliver L", "is not fit for keys", "rename the file"),
    ],
)
def test_what_makes_no_sense_ends_with_2_and_delivers_nothing(
    line: str, said: str, hint: str, facemon: RunFacemon, folder: Path, origin: Origin
) -> None:
    (folder / "odd.name!.parquet").write_bytes((folder / "images.parquet").read_bytes())
    done = facemon("predict", *line.replace(" L", f" {LOCATION}").split(), cwd=folder)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert hint in done.stderr.partition("hint: ")[2]
    assert keys(origin) == []


def test_another_job_of_the_same_name_is_refused_by_what_differs(
    facemon: RunFacemon, folder: Path, origin: Origin
) -> None:
    assert deliver(facemon, folder, "1/3").returncode == 0
    before = keys(origin)
    config = (folder / "facemon.yaml").read_text()
    cases = {
        ("2/4",): "shards is 3 in the job and 4 in this command",
        ("2/3", "--source", "gate"): "source is nothing in the job and gate in this command",
        ("2/3", "--observed-at", "exif"): "observed_at is nothing in the job and exif in this command",
    }
    for more, said in cases.items():
        done = deliver(facemon, folder, *more)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
        assert "rename the manifest, or deliver to another location" in done.stderr
    (folder / "facemon.yaml").write_text(config.replace('version: "1"', 'version: "2"'))
    assert "model is small@1 in the job and small@2 in this command" in deliver(facemon, folder, "2/3").stderr
    (folder / "facemon.yaml").write_text(config)
    facemon("manifest", "s3://photos/", "-o", "images.parquet", "--source", "x", cwd=folder)
    changed = deliver(facemon, folder, "2/3")
    assert (changed.returncode, "manifest is" in changed.stderr) == (2, True)
    assert keys(origin) == before


def test_a_storage_that_cannot_take_deliveries_is_refused_before_anything_is_predicted(
    facemon: RunFacemon, folder: Path, origin: Origin
) -> None:
    origin.keeps_conditions = False
    ignoring = deliver(facemon, folder, "1/3")
    assert (ignoring.returncode, "it ignores If-None-Match" in ignoring.stderr) == (2, True), ignoring.stderr
    origin.keeps_conditions = True
    origin.faults["PUT"] = Fault(403, "AccessDenied")
    readable = deliver(facemon, folder, "1/3")
    assert readable.returncode == 2
    assert "s3://logs/log/: permission to write there is denied" in readable.stderr
    assert keys(origin) == []
    assert not any(asked.startswith("GET photos") for asked in origin.asked)


def test_ctrl_c_delivers_nothing_and_the_same_command_starts_anew(
    facemon: RunFacemon, folder: Path, origin: Origin
) -> None:
    origin.faults["photos/7.png"] = Fault(sent=10, stalls=True)
    line = ("predict", "images.parquet", "--shard", "1/1", "--deliver", LOCATION)
    process = start_facemon(*line, cwd=folder)
    wait_until(lambda: "GET photos/7.png" in origin.asked)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    with process.stderr:
        said = process.stderr.read()
    assert process.wait() == 130
    assert "nothing was delivered; run the same command again to predict shard 1/1" in said
    assert keys(origin, "log/deliveries/") == []
    origin.faults.clear()
    assert deliver(facemon, folder, "1/1").returncode == 0
    assert facemon("store", "collect", LOCATION, cwd=folder).returncode == 0
    assert "ok: 10 rows" in facemon("store", "verify", cwd=folder).stdout


def test_a_commit_that_cannot_be_written_is_not_delivered(facemon: RunFacemon, folder: Path, origin: Origin) -> None:
    origin.faults["PUT logs/log/deliveries/images/1.json"] = Fault(500, "InternalError")
    done = deliver(facemon, folder, "1/1")
    assert (done.returncode, "whether shard 1/1 is delivered is not known" in done.stderr) == (1, True), done.stderr
    origin.faults.clear()
    assert deliver(facemon, folder, "1/1").returncode == 0


def test_what_is_damaged_is_named_and_ends_with_1(facemon: RunFacemon, folder: Path, origin: Origin) -> None:
    for shard in ("1/2", "2/2"):
        deliver(facemon, folder, shard, "-q")
    (segment,) = keys(origin, "log/segments/images/2-")
    content = origin.buckets["logs"].pop(segment)
    done = facemon("store", "collect", LOCATION, cwd=folder)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "registered 1 delivery with 5 rows",
        "missing: images: 2 of 2",
        f"damaged: deliveries/images/2.json names {segment.removeprefix('log/')}, which is missing",
    ]
    assert "hint: restore the objects" in done.stderr
    origin.buckets["logs"][segment] = content
    assert facemon("store", "collect", LOCATION, cwd=folder).returncode == 0


@pytest.mark.parametrize(
    ("location", "code", "said"),
    [
        ("s3://logs/typo/", 1, "s3://logs/typo/: nothing was delivered there"),
        ("s3://none/", 2, "there is no bucket none"),
        ("file:///none/log", 2, "there is no such folder"), ("log", 2, "log: is not an address"),
    ],
)  # fmt: skip
def test_a_location_without_deliveries(location: str, code: int, said: str, facemon: RunFacemon, folder: Path) -> None:
    done = facemon("store", "collect", location, cwd=folder)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert not (folder / ".facemon").exists()


def test_clean_removes_what_was_never_delivered(facemon: RunFacemon, folder: Path, origin: Origin) -> None:
    assert deliver(facemon, folder, "1/1").returncode == 0
    abandoned = "log/segments/images/1-20310101T000000-dead/date=2031-01-01/a.parquet"
    origin.buckets["logs"][abandoned] = b"12345"
    origin.modified[f"logs/{abandoned}"] = datetime.now(UTC) - timedelta(hours=25)
    before = keys(origin)
    origin.buckets["logs"]["log/locks/clean.json"] = b"another"
    origin.modified["logs/log/locks/clean.json"] = datetime.now(UTC)
    locked = facemon("store", "collect", LOCATION, "--clean", cwd=folder)
    assert (locked.returncode, "--clean is at work: nothing was removed" in locked.stderr) == (0, True), locked.stderr
    assert "registered 1 delivery" in locked.stdout
    origin.modified["logs/log/locks/clean.json"] -= timedelta(hours=2)
    done = facemon("store", "collect", LOCATION, "--clean", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "removed 1 object (5 bytes) of attempts that were not delivered" in done.stdout
    assert set(before) - set(keys(origin)) == {abandoned}
