"""Tar archives in object storage by the installed command: the rows of local ones, once each, on many machines too."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import parquet

from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.object_storage.origin import Fault, Origin
from tests.object_storage.reached_storage import reached_origin
from tests.patience import wait_until
from tests.predict.tar_files import GREEN, RED, tar_bytes, write_tar
from tests.started import start_facemon

ARCHIVES = 4
EACH = 15


@pytest.fixture
def origin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Origin]:
    with reached_origin(monkeypatch) as origin:
        yield origin


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: Origin) -> Path:
    """A small model, an image, and the same archives in a folder and in a bucket."""
    monkeypatch.chdir(tmp_path)
    write_small_model(tmp_path)
    (tmp_path / "day.png").write_bytes(RED)
    (tmp_path / "shards").mkdir()
    for number in range(ARCHIVES):
        members = [(f"cam/{at:02}.png", RED if at % 3 else GREEN) for at in range(EACH)]
        described = json.dumps({"observed_at": f"2026-11-2{number}T10:00:00Z", "source": "gate"}).encode()
        write_tar(tmp_path / "shards" / f"{number}.tar", [("cam/00.json", described), *members])
    origin.buckets["b"] = {f"shards/{path.name}": path.read_bytes() for path in (tmp_path / "shards").iterdir()}
    origin.buckets["log"] = {}
    return tmp_path


def names(text: str) -> list[str]:
    return [json.loads(line)["image"] for line in text.splitlines()]


EXPECTED = [f"{number}.tar/cam/{at:02}.png" for number in range(ARCHIVES) for at in range(EACH)]


def test_archives_have_the_rows_of_local_ones(facemon: RunFacemon, folder: Path, origin: Origin) -> None:
    answers = [
        facemon("predict", path, "--threads", "2", "--no-store", cwd=folder)
        for path in ("shards", f"file://{folder}/shards", "s3://b/shards/")
    ]
    assert [answer.returncode for answer in answers] == [0, 0, 0], answers[2].stderr
    same = ("image_sha256", "attributes", "error", "face", "box", "source")
    of_each = [[[row[key] for key in same] for row in map(json.loads, each.stdout.splitlines())] for each in answers]
    assert of_each[0] == of_each[1] == of_each[2]
    assert names(answers[2].stdout) == [f"s3://b/shards/{name}" for name in EXPECTED]
    # Each archive is one small object.
    assert sum(asked.startswith("GET") for asked in origin.asked) == ARCHIVES


def test_a_run_that_is_killed_goes_on_and_only_failed_members_are_tried_again(
    facemon: RunFacemon, folder: Path, origin: Origin
) -> None:
    line = ("predict", "s3://b/shards/", "-q", "-o", "rows.jsonl", "--resume", "--max-failures", "9")
    origin.buckets["b"]["shards/2.tar"] = origin.buckets["b"]["shards/2.tar"].replace(GREEN, bytes(len(GREEN)), 1)
    for number in (1, 3):
        origin.faults[f"b/shards/{number}.tar"] = Fault(sent=10, stalls=True)
        process = start_facemon(*line, cwd=folder)
        wait_until(lambda number=number: f"GET b/shards/{number}.tar" in origin.asked)  # type: ignore[misc]
        process.send_signal(signal.SIGKILL if number == 1 else signal.SIGINT)
        assert process.wait() == (-signal.SIGKILL if number == 1 else 130)
        assert process.stderr is not None
        process.stderr.close()
        origin.faults.clear()
    last = facemon(*line, cwd=folder)
    assert last.returncode == 0, last.stderr
    assert names((folder / "rows.jsonl").read_text()) == [f"s3://b/shards/{name}" for name in EXPECTED]
    origin.buckets["b"]["shards/2.tar"] = origin.buckets["b"]["shards/1.tar"]
    again = facemon("predict", "s3://b/shards/", "--retry-failed", cwd=folder)
    assert (again.returncode, names(again.stdout)) == (0, ["s3://b/shards/2.tar/cam/00.png"]), again.stderr
    assert f"ok: {ARCHIVES * EACH} rows" in facemon("store", "verify", cwd=folder).stdout


def test_damage_ends_the_run_and_a_whole_copy_continues(facemon: RunFacemon, folder: Path, origin: Origin) -> None:
    whole = origin.buckets["b"]["shards/1.tar"]
    origin.buckets["b"]["shards/1.tar"] = whole[:5000]
    first = facemon("predict", "s3://b/shards/", "-q", "--max-failures", "100%", cwd=folder)
    assert first.returncode == 1
    assert "s3://b/shards/1.tar: the archive is damaged at byte" in first.stderr
    origin.buckets["b"]["shards/1.tar"] = whole
    assert facemon("predict", "s3://b/shards/", "-q", "--resume", cwd=folder).returncode == 0
    assert f"ok: {ARCHIVES * EACH} rows" in facemon("store", "verify", cwd=folder).stdout


def test_what_is_not_a_tar_is_refused_before_anything_is_logged(
    facemon: RunFacemon, folder: Path, origin: Origin
) -> None:
    origin.buckets["b"] |= {"x.tar": RED * 20, "x.tgz": tar_bytes({"a.png": RED}), "empty.tar": b""}
    for name, said in (
        ("x.tar", "is not a tar archive"), ("x.tgz", "is not compressed with gzip"), ("empty.tar", "is empty"),
    ):  # fmt: skip
        done = facemon("predict", "s3://b/shards/0.tar", f"s3://b/{name}", cwd=folder)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"error: s3://b/{name}: {said}" in done.stderr
        assert not (folder / ".facemon").exists()


@pytest.mark.parametrize("base", ["s3://b/shards/", "shards"])
def test_archives_of_a_manifest_are_its_rows_and_shards(
    base: str, facemon: RunFacemon, folder: Path, origin: Origin
) -> None:
    frozen = facemon("manifest", base, "day.png", "-o", "m.parquet", cwd=folder)
    assert frozen.returncode == 0, frozen.stderr
    assert f"wrote m.parquet: 1 image and {ARCHIVES} archives, sha256 " in frozen.stderr
    assert parquet.read_table(folder / "m.parquet").num_rows == ARCHIVES + 1
    for shard in ("1/2", "2/2"):
        done = facemon("predict", "m.parquet", "--shard", shard, "--deliver", "s3://log/x/", "-q", cwd=folder)
        assert done.returncode == 0, done.stderr
    collected = facemon("store", "collect", "s3://log/x/", cwd=folder)
    assert collected.returncode == 0, collected.stderr
    assert f"ok: {ARCHIVES * EACH + 1} rows" in facemon("store", "verify", cwd=folder).stdout
    missing = facemon("manifest", "-", "-o", "n.parquet", cwd=folder, stdin="s3://b/none.tar\n")
    assert missing.returncode == 1
    assert "s3://b/none.tar: the archive is not there or cannot be looked at" in missing.stderr
    if base.startswith("s3"):
        origin.buckets["b"]["shards/3.tar"] += bytes(512)
        changed = facemon("predict", "m.parquet", "-q", "--no-store", cwd=folder)
        assert changed.returncode == 1
        assert "s3://b/shards/3.tar: the object has the ETag" in changed.stderr
