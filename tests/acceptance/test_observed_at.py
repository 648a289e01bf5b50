"""`facemon predict --observed-at` on images whose times are missing, wrong or old."""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from facemon.domain.times import format_time
from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon

ORIGINAL, FRACTION, OFFSET = 0x9003, 0x9291, 0x9011
NOW = datetime.now(UTC)
SPRING = (NOW - timedelta(days=200)).replace(hour=10, minute=0, second=0, microsecond=0)
LAST_WEEK = NOW - timedelta(days=7)
TONIGHT = (NOW + timedelta(hours=13)).replace(microsecond=0)


def written(time: datetime) -> str:
    """As a camera writes it."""
    return f"{time:%Y:%m:%d %H:%M:%S}"


EXIF: dict[str, tuple[dict[int, str], datetime | None]] = {
    "plain.jpg": ({ORIGINAL: written(SPRING)}, SPRING),
    "zone.png": ({ORIGINAL: written(SPRING), OFFSET: "-02:00"}, SPRING + timedelta(hours=2)),
    "fraction.webp": ({ORIGINAL: written(SPRING), FRACTION: "25"}, SPRING + timedelta(milliseconds=250)),
    "tiff.tif": ({ORIGINAL: written(SPRING)}, SPRING),
    "none.jpg": ({}, None),
    "none.bmp": ({}, None),
    "blank.jpg": ({ORIGINAL: "    :  :     :  :  "}, None),
    "zero.jpg": ({ORIGINAL: "0000:00:00 00:00:00"}, None),
    "ahead.jpg": ({ORIGINAL: written(NOW + timedelta(days=3))}, None),
    "zone-ahead.jpg": ({ORIGINAL: written(TONIGHT)}, TONIGHT),
}
UNDATED = (
    "warning: 5 of 10 images have no usable EXIF date (3 have none, 1 has one that is not a date, 1 has one more than "
    "a day ahead of now): "
)
OLD = f"warning: 4 rows were observed more than 30 days ago (store.retention_days), the oldest on {SPRING:%Y-%m-%d}; "


def photograph(path: Path, tags: dict[int, str]) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769).update(tags)
    options: dict[str, Any] = {"exif": exif.tobytes()} if tags else {}
    Image.new("RGB", (40, 30), (90, 120, 200)).save(path, **options)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a model that is quick, and images of each kind in `images`."""
    write_small_model(tmp_path, "store: {retention_days: 30}\n")
    (tmp_path / "images").mkdir()
    for name, (tags, _) in EXIF.items():
        photograph(tmp_path / "images" / name, tags)
    return tmp_path


def times(lines: str) -> dict[str, tuple[str, bool]]:
    """Of each image when it was observed, and whether that is when it was predicted."""
    rows = [json.loads(line) for line in lines.splitlines()]
    return {Path(row["image"]).name: (row["observed_at"], row["observed_at"] == row["predicted_at"]) for row in rows}


@pytest.mark.parametrize("quiet", [(), ("-q",)])
def test_each_kind_of_exif_date(facemon: RunFacemon, folder: Path, quiet: Sequence[str]) -> None:
    outcome = facemon("predict", "images", "--observed-at", "exif", "-o", "rows.jsonl", *quiet, cwd=folder)
    assert outcome.returncode == 0, outcome.stderr
    found = times((folder / "rows.jsonl").read_text())
    assert {name: time for name, (time, _) in found.items() if EXIF[name][1]} == {
        name: format_time(time) for name, (_, time) in EXIF.items() if time
    }
    assert {name for name, (_, is_prediction) in found.items() if is_prediction} == {
        name for name, (_, time) in EXIF.items() if time is None
    }
    warnings = [line for line in outcome.stderr.splitlines() if line.startswith("warning: ")]
    # Trouble that cron mails; what the run did is not.
    assert (len(outcome.stderr.splitlines()) == len(warnings)) is bool(quiet)
    assert warnings[0] == f"{UNDATED}logged with the time of prediction"
    assert warnings[1].startswith(OLD)
    assert len(warnings) == 2


def test_what_is_not_logged_has_no_retention(facemon: RunFacemon, folder: Path) -> None:
    outcome = facemon("predict", "images", "--observed-at", "exif", "--no-store", cwd=folder)
    assert outcome.stderr.splitlines()[1:] == [f"{UNDATED}given the time of prediction"]
    assert len(times(outcome.stdout)) == len(EXIF)


def test_a_retry_keeps_the_times_of_the_first_attempt(facemon: RunFacemon, folder: Path) -> None:
    whole = {name: (folder / "images" / name).read_bytes() for name in ("plain.jpg", "none.jpg")}
    for name, content in whole.items():
        (folder / "images" / name).write_bytes(content[:-20])
    asked = ("predict", "images", "--observed-at", "exif", "--max-failures", "2")
    first = facemon(*asked, cwd=folder)
    assert first.returncode == 0
    # What is counted has a time that could have been read: two images that cannot be read are told of as failed.
    assert "warning: 4 of 10 images have no usable EXIF date" in first.stderr
    before = times(first.stdout)
    assert before["plain.jpg"][0] == format_time(SPRING)
    for name, content in whole.items():
        (folder / "images" / name).write_bytes(content)
    again = facemon(*asked, "--retry-failed", cwd=folder)
    assert again.returncode == 0
    assert "warning: 1 of 2 images has no EXIF date: logged with the time of the first attempt\n" in again.stderr
    assert {name: time for name, (time, _) in times(again.stdout).items()} == {name: before[name][0] for name in whole}


@pytest.mark.parametrize("way", ["mtime", "manifest", "time"])
def test_old_rows_are_told_of_whatever_dates_them(facemon: RunFacemon, folder: Path, way: str) -> None:
    old, young = NOW - timedelta(days=31), NOW - timedelta(days=29)
    for number, name in enumerate(EXIF):
        moment = (young if number < 3 else old).timestamp()
        os.utime(folder / "images" / name, (moment, moment))
    lines = [f"images/{name},{(young if n < 3 else old).isoformat()}" for n, name in enumerate(EXIF)]
    (folder / "list.csv").write_text("\n".join(["path,observed_at", *lines]))
    asked = {
        "mtime": ("images", "--observed-at", "mtime"),
        "manifest": ("list.csv",),
        "time": (*(f"images/{name}" for name in list(EXIF)[3:]), "--observed-at", old.isoformat()),
    }[way]
    outcome = facemon("predict", "-q", *asked, cwd=folder)
    assert (outcome.returncode, outcome.stdout) == (0, "")
    assert outcome.stderr == (
        f"warning: 7 rows were observed more than 30 days ago (store.retention_days), the oldest on {old:%Y-%m-%d}; "
        "store prune removes them 30 days after their prediction\n"
    )


def test_rows_of_the_future_are_told_of(facemon: RunFacemon, folder: Path) -> None:
    late = (NOW + timedelta(days=2)).isoformat()
    outcome = facemon("predict", "-q", "images/plain.jpg", "--observed-at", late, cwd=folder)
    assert outcome.returncode == 0
    assert outcome.stderr.startswith("warning: 1 row was dated more than a day ahead of now;")


def test_an_ordinary_night_says_nothing(facemon: RunFacemon, folder: Path) -> None:
    for name in EXIF:
        moment = LAST_WEEK.timestamp()
        os.utime(folder / "images" / name, (moment, moment))
    for asked in ((), ("--observed-at", "mtime"), ("--observed-at", LAST_WEEK.isoformat())):
        outcome = facemon("predict", "-q", "images", *asked, cwd=folder)
        assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "", "")


def test_a_folder_of_old_photographs_is_logged_and_kept(facemon: RunFacemon, tmp_path: Path) -> None:
    """Of 20 photographs 15 were once removed by the first pruning, and the other 5 had become the reference unseen."""
    write_small_model(tmp_path)
    (tmp_path / "photos").mkdir()
    for number in range(20):
        tags = {ORIGINAL: written(SPRING + timedelta(seconds=number))} if number < 15 else {}
        photograph(tmp_path / "photos" / f"{number:02}.jpg", tags)
    outcome = facemon("predict", "photos/", "--observed-at", "exif", "-o", "p.jsonl", cwd=tmp_path)
    assert outcome.returncode == 0
    _, undated, old = outcome.stderr.splitlines()
    assert undated == "warning: 5 of 20 images have no EXIF date: logged with the time of prediction"
    assert old == (
        "warning: 15 rows were observed more than 90 days ago (store.retention_days), the oldest on "
        f"{SPRING:%Y-%m-%d}; store prune removes them 90 days after their prediction"
    )
    for command in ("prune", "compact", "prune"):
        said = facemon("store", command, cwd=tmp_path).stderr
        assert command == "compact" or said.startswith("removed 0 rows in 0 segments: ")
    assert json.loads(facemon("store", "info", "--json", cwd=tmp_path).stdout)["rows"] == 20
    assert facemon("store", "verify", cwd=tmp_path).returncode == 0
