"""`facemon manifest`: each image of the inputs is a row, the same inputs give the same bytes, errors leave no file."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyarrow import parquet

from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.model.onnx_files import flat_image
from tests.object_storage.origin import MODIFIED, Fault, Origin, etag
from tests.object_storage.reached_storage import reached_origin

RED = (255, 0, 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model, and four images beside a file that is none."""
    write_small_model(tmp_path)
    (tmp_path / "day" / "b").mkdir(parents=True)
    for name in ("a.png", "b/c.png", "b/d.png", "e.png"):
        flat_image(tmp_path / "day" / name, RED)
    (tmp_path / "day" / "notes.txt").write_text("x")
    return tmp_path


@pytest.fixture
def origin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Origin]:
    with reached_origin(monkeypatch) as origin:
        yield origin


def test_a_folder_becomes_absolute_paths_that_predict_reads(facemon: RunFacemon, folder: Path, tmp_path: Path) -> None:
    done = facemon("manifest", "./day", "-o", "images.parquet", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert done.stderr.splitlines()[0] == "1 file is not an image that can be read: 1 .txt"
    table = parquet.read_table(folder / "images.parquet")
    names = [str(folder / "day" / name) for name in ("a.png", "b/c.png", "b/d.png", "e.png")]
    assert table["image"].to_pylist() == names
    assert table["size"].to_pylist() == [Path(name).stat().st_size for name in names]
    assert table.column_names == ["image", "size", "etag"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "images.parquet").write_bytes((folder / "images.parquet").read_bytes())
    read = facemon("-c", str(folder / "facemon.yaml"), "predict", "images.parquet", "--no-store", cwd=elsewhere)
    assert (read.returncode, len(read.stdout.splitlines())) == (0, 4), read.stderr


def test_a_time_that_python_cannot_hold_is_left_out(facemon: RunFacemon, folder: Path) -> None:
    beyond = 300_000_000_000
    os.utime(folder / "day" / "a.png", (beyond, beyond))
    if (folder / "day" / "a.png").stat().st_mtime != beyond:
        pytest.skip("this file system holds no such time")
    done = facemon("manifest", "day", "-o", "images.parquet", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert parquet.read_table(folder / "images.parquet").num_rows == 4


def test_the_same_inputs_give_the_same_bytes(facemon: RunFacemon, folder: Path) -> None:
    said = [facemon("manifest", "day", "-o", name, cwd=folder).stderr for name in ("one.parquet", "two.parquet")]
    one, two = ((folder / name).read_bytes() for name in ("one.parquet", "two.parquet"))
    assert one == two
    assert said[0].replace("one", "two") == said[1]
    flat_image(folder / "day" / "z.png", RED)
    facemon("manifest", "day", "-o", "two.parquet", cwd=folder)
    assert (folder / "two.parquet").read_bytes() != one


def test_sources_and_times_are_columns(facemon: RunFacemon, folder: Path) -> None:
    os.utime(folder / "day" / "a.png", (1_700_000_000, 1_700_000_000))
    line = ("manifest", "day/a.png", "-o", "i.parquet", "--source", "gate", "--observed-at")
    for given, expected in (("mtime", datetime.fromtimestamp(1_700_000_000, UTC)),
                            ("2026-11-23T02:00:00Z", datetime(2026, 11, 23, 2, tzinfo=UTC))):  # fmt: skip
        assert facemon(*line, given, cwd=folder).returncode == 0
        (row,) = parquet.read_table(folder / "i.parquet").to_pylist()
        assert (row["source"], row["observed_at"]) == ("gate", expected)


def test_a_list_brings_files_folders_and_names_that_are_not_utf8(facemon: RunFacemon, folder: Path) -> None:
    odd = os.fsencode(folder) + b"/day/\xff.png"
    Path(os.fsdecode(odd)).write_bytes((folder / "day" / "a.png").read_bytes())
    command = [sys.executable, "-m", "facemon", "manifest", "-0", "-", "-o", "list.parquet"]
    listed = b"\0".join([b"day/b", b"none.png", odd]) + b"\0"
    done = subprocess.run(command, cwd=folder, input=listed, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"1 image of the list is not there" in done.stderr
    read = facemon("predict", "list.parquet", "--no-store", "--format", "csv", "--max-failures", "1", cwd=folder)
    assert read.returncode == 0, read.stderr
    assert [line.split(",")[2].rsplit("/", 1)[1] for line in read.stdout.splitlines()[1:]] == [
        "c.png", "d.png", "none.png", r"\xff.png",
    ]  # fmt: skip


def test_objects_have_sizes_and_etags_and_one_that_changes_is_refused(
    facemon: RunFacemon, folder: Path, origin: Origin
) -> None:
    picture = (folder / "day" / "a.png").read_bytes()
    origin.buckets["photos"] = {f"day/{number}.png": picture for number in range(9)} | {"day/notes.txt": b"x"}
    origin.page_keys = 4
    done = facemon("manifest", "s3://photos/day/", "-o", "i.parquet", "--observed-at", "mtime", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "1 .txt" in done.stderr
    rows = parquet.read_table(folder / "i.parquet").to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        (f"s3://photos/day/{number}.png", len(picture), etag(picture), MODIFIED) for number in range(9)
    ]
    assert not any(asked.startswith(("GET", "HEAD")) for asked in origin.asked), "a listing says it all"
    origin.buckets["photos"]["day/3.png"] = b"another"
    assert facemon("predict", "i.parquet", "--no-store", cwd=folder).stdout.count('"changed"') == 1


def test_objects_of_a_list_are_asked_for(facemon: RunFacemon, folder: Path, origin: Origin) -> None:
    origin.buckets["photos"] = {f"{number:03}.png": b"x" * number for number in range(100)}
    origin.delay_s = 0.02
    listed = "".join(f"s3://photos/{number:03}.png\n" for number in range(101))
    done = facemon("manifest", "-", "-o", "i.parquet", cwd=folder, stdin=listed)
    assert done.returncode == 0, done.stderr
    sizes = parquet.read_table(folder / "i.parquet")["size"].to_pylist()
    assert sizes == [*range(100), None]
    assert origin.most_at_once > 1


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("day -o i.csv", 2, "a manifest is written as Parquet"),
        ("day -o none/i.parquet", 2, "the folder none does not exist\n  hint: mkdir -p none"),
        ("day -o folder.parquet", 2, "is a directory"),
        ("list.csv -o i.parquet", 2, "is a manifest already"),
        ("none -o i.parquet", 2, "none: no such file or directory"),
        ("day -0 -o i.parquet", 2, "--null needs a list on stdin"),
        ("day --observed-at exif -o i.parquet", 2, "made without reading the images"),
        ("day --source= -o i.parquet", 2, "--source is empty"),
        ("https://example.org/a.jpg -o i.parquet", 2, "is a URL (https://)"),
        ("empty -o i.parquet", 1, "no image is in empty"),
        ("day empty -o i.parquet", 1, "no image is in empty"),
        ("s3://none/ -o i.parquet", 2, "there is no bucket none"),
        ("s3://photos/day/ -o i.parquet", 1, "s3://photos/day/: the storage answers with 503"),
    ],
)
def test_bad_inputs_leave_no_file(
    line: str, code: int, said: str, facemon: RunFacemon, folder: Path, origin: Origin
) -> None:
    origin.buckets["photos"] = {f"day/{number}.png": b"x" for number in range(9)}
    origin.faults["photos"] = Fault(503, "SlowDown")
    (folder / "empty").mkdir()
    (folder / "folder.parquet").mkdir()
    for name in ("list.csv",):
        (folder / name).write_text("image\na.png\n")
    done = facemon("manifest", *line.split(), cwd=folder)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert "hint: " in done.stderr or "exif" not in line
    assert not list(folder.glob("*i.parquet*"))
    assert not list(folder.glob(".*.part"))


def test_a_listing_that_ends_early_leaves_no_file(facemon: RunFacemon, folder: Path, origin: Origin) -> None:
    """The first page is good, and so is the question before it."""
    origin.buckets["photos"] = {f"day/{number}.png": b"x" for number in range(9)} | {"day/a//b.png": b"x"}
    done = facemon("manifest", "day", "s3://photos/day/", "-o", "i.parquet", cwd=folder)
    assert (done.returncode, "cannot be asked for" in done.stderr) in ((1, True), (2, True)), done.stderr
    assert not (folder / "i.parquet").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list each folder")
def test_a_folder_that_may_not_be_listed_leaves_no_file(facemon: RunFacemon, folder: Path) -> None:
    (folder / "day" / "b").chmod(0)
    done = facemon("manifest", "day", "-o", "i.parquet", cwd=folder)
    (folder / "day" / "b").chmod(0o755)
    assert (done.returncode, "cannot be listed" in done.stderr) == (1, True), done.stderr
    assert not (folder / "i.parquet").exists()


MEMORY = """
import resource, sys
from pathlib import Path
from facemon.config.drift import TablesConfig
from facemon.predict.frozen_rows import FrozenRow
from facemon.predict.manifest_writer import ManifestColumns, ManifestWriter
from facemon.predict.output import open_written
with open_written(Path("i.parquet"), lambda stream: ManifestWriter(stream, ManifestColumns(TablesConfig()))) as out:
    for number in range(int(sys.argv[1])):
        out.add(FrozenRow(b"s3://bucket/photographs/%012d.jpg" % number, number, "0123456789abcdef" * 2))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    commands = [[sys.executable, "-c", MEMORY, rows] for rows in ("40000", "800000")]
    done = [subprocess.run(command, cwd=tmp_path, capture_output=True, check=True) for command in commands]
    peaks = [int(each.stdout) for each in done]
    assert peaks[1] < 1.1 * peaks[0], peaks
