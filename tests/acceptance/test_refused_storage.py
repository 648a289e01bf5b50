"""A real storage that ignores conditions, rclone's: deliveries to it are refused before anything is predicted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facemon.object_storage.folder_address import parse_folder
from facemon.object_storage.object_folder import open_folder
from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.model.onnx_files import flat_image
from tests.object_storage.rclone_server import running_rclone
from tests.object_storage.reached_storage import lead_to

pytestmark = pytest.mark.servers
LOCATION = "s3://logs/log/"
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).isoformat()
SAID = "s3://logs/log/: the storage cannot create an object only if it is absent: it ignores If-None-Match"


@pytest.fixture
def bucket(rclone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of an empty bucket of rclone's, to which s3:// leads."""
    served = tmp_path / "served"
    (served / "logs").mkdir(parents=True)
    with running_rclone(rclone, served) as url:
        lead_to(url, monkeypatch)
        yield served / "logs"


@pytest.fixture
def folder(tmp_path: Path, facemon: RunFacemon) -> Path:
    """A model, a manifest of three images, and a log of them."""
    folder = tmp_path / "work"
    (folder / "images").mkdir(parents=True)
    write_small_model(folder)
    for number in range(3):
        flat_image(folder / "images" / f"{number}.png", (80 * number, 0, 0))
    for line in (("manifest", "images", "-o", "images.parquet"), ("predict", "images", "--observed-at", YESTERDAY)):
        assert facemon(*line, cwd=folder).returncode == 0
    return folder


def files_in(bucket: Path) -> list[Path]:
    return [path for path in bucket.rglob("*") if path.is_file()]


def test_both_of_two_creations_win(bucket: Path) -> None:
    """What makes it unfit; where a newer rclone keeps the condition, the refusals below need another storage."""
    objects = open_folder(parse_folder(LOCATION), create=True)
    assert objects.create("1.json", b"one")
    assert objects.create("1.json", b"two")
    assert objects.read("1.json") == b"two"


def test_a_shard_is_refused_before_it_is_predicted(bucket: Path, folder: Path, facemon: RunFacemon) -> None:
    line = ("predict", "images.parquet", "--shard", "1/2", "--deliver", LOCATION, "--format", "jsonl")
    done = facemon(*line, cwd=folder)
    assert (done.returncode, SAID in done.stderr) == (2, True), done.stderr
    assert "hint: use a storage with conditional writes (If-None-Match)" in done.stderr
    assert done.stdout == "", "no row was predicted"
    assert files_in(bucket) == []


def test_a_store_is_refused_before_it_is_delivered(bucket: Path, folder: Path, facemon: RunFacemon) -> None:
    done = facemon("store", "deliver", LOCATION, "--node", "gate", cwd=folder)
    assert (done.returncode, SAID in done.stderr) == (2, True), done.stderr
    assert "or a shared file system (file:///)" in " ".join(done.stderr.split())
    assert files_in(bucket) == []
    # The refusal left nothing in the store: it may deliver all its rows to another place.
    done = facemon("store", "deliver", (folder / "shared").as_uri(), "--node", "gate", cwd=folder)
    assert (done.returncode, "1 delivery with 3 rows of gate" in done.stderr) == (0, True), done.stderr
