"""Tar archives through the installed command: the predictions of the folder, each image once whatever is damaged."""

import gzip
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.patience import HANG_S
from tests.predict.tar_files import GREEN, RED, tar_bytes, write_tar
from tests.started import neutral_environment

MANY = [(f"cam/{number:03}.png", RED if number % 3 else GREEN) for number in range(60)]
"""More than one process predicts."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_small_model(tmp_path)
    return tmp_path


def rows_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def predictions(rows: list[dict[str, Any]], path: str) -> list[tuple[str, str, str]]:
    return [
        (row["image"].removeprefix(f"{path}/"), row["image_sha256"], row["attributes"]["hair"]["label"]) for row in rows
    ]


@pytest.mark.parametrize("path", ["shard-000.tar", "shard-000.tgz"])
def test_an_archive_gives_the_answers_of_its_folder(facemon: RunFacemon, folder: Path, path: str) -> None:
    (folder / "photos" / "cam").mkdir(parents=True)
    for name, content in MANY:
        (folder / "photos" / name).write_bytes(content)
    write_tar(folder / path, MANY)
    of_folder, of_tar = (facemon("predict", each, "--threads", "2", cwd=folder) for each in ("photos", path))
    assert (of_folder.returncode, of_tar.returncode) == (0, 0), of_tar.stderr
    assert predictions(rows_of(of_tar.stdout), path) == predictions(rows_of(of_folder.stdout), "photos")
    assert "ok: 120 rows" in facemon("store", "verify", cwd=folder).stdout


def test_a_webdataset_is_logged_with_what_it_says_and_nothing_is_unpacked(facemon: RunFacemon, folder: Path) -> None:
    described = {"observed_at": "2026-11-20T10:00:00Z", "source": "gate", "image_id": "7"}
    members = [("0.json", json.dumps(described).encode()), ("0.png", RED), ("1.cls", b"3"), ("1.png", GREEN)]
    write_tar(folder / "s.tar", members)
    before = {each.name for each in folder.iterdir()}
    done = facemon("predict", "s.tar", "--source", "door", cwd=folder)
    first, second = rows_of(done.stdout)
    assert (first["image"], first["observed_at"]) == ("s.tar/0.png", "2026-11-20T10:00:00.000000Z")
    assert [(each["image_id"], each["source"]) for each in (first, second)] == [("7", "gate"), (None, "door")]
    assert "1 file is not an image that can be read: 1 .cls; labels in .cls are not read" in done.stderr
    assert {each.name for each in folder.iterdir()} - before == {".facemon"}


@pytest.mark.parametrize("count", [3, 40])
@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_a_damaged_archive_logs_what_came_before_and_a_whole_copy_continues(
    facemon: RunFacemon, folder: Path, count: int, suffix: str
) -> None:
    whole = tar_bytes(MANY)
    cut = whole[: 1024 * (count + 1) + 100]  # of the last one it is not known whether a .json follows it
    path = folder / f"s{suffix}"
    path.write_bytes(cut if suffix == ".tar" else gzip.compress(cut))
    first = facemon("predict", path.name, "-o", "rows.jsonl", "--max-failures", "100%", cwd=folder)
    assert first.returncode == 1
    assert (
        f"error: {path.name}: the archive is damaged at byte {1024 * (count + 1):,}: it ends within a header"
        in first.stderr
    )
    assert "--resume continues" in first.stderr
    assert f"ok: {count} rows" in facemon("store", "verify", cwd=folder).stdout
    path.write_bytes(whole if suffix == ".tar" else gzip.compress(whole))
    second = facemon("predict", path.name, "-o", "rows.jsonl", "--resume", cwd=folder)
    assert second.returncode == 0, second.stderr
    assert f"after {count} images" in second.stderr
    rows = rows_of((folder / "rows.jsonl").read_text())
    assert [row["image"] for row in rows] == [f"{path.name}/{name}" for name, _ in MANY]
    assert "ok: 60 rows" in facemon("store", "verify", cwd=folder).stdout


def test_a_damaged_manifest_logs_what_came_before_too(facemon: RunFacemon, folder: Path) -> None:
    (folder / "a.png").write_bytes(RED)
    lines = gzip.compress(b"".join(b'{"image": "a.png", "source": "%d"}\n' % number for number in range(2000)))
    (folder / "m.jsonl.gz").write_bytes(lines[:-200])
    done = facemon("predict", "m.jsonl.gz", cwd=folder)
    assert done.returncode == 1
    assert "m.jsonl.gz: the manifest cannot be read" in done.stderr
    rows = rows_of(done.stdout)
    assert [row["source"] for row in rows] == [str(number) for number in range(len(rows))]
    assert f"ok: {len(rows)} rows" in facemon("store", "verify", cwd=folder).stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", ["s.tar", "m.jsonl.gz"])
def test_damage_is_reported_once_on_a_terminal_where_images_are_counted_ahead(folder: Path, name: str) -> None:
    (folder / "s.tar").write_bytes(tar_bytes(MANY)[:40_000])
    (folder / "m.jsonl.gz").write_bytes(gzip.compress(b'{"image": "x.png"}\n' * 9000)[:-20])
    terminal, end = pty.openpty()
    command = subprocess.Popen(
        [Path(sys.executable).with_name("facemon"), "predict", name, "-o", "o.jsonl"],
        cwd=folder, env=neutral_environment() | {"TERM": "xterm"}, stdin=subprocess.DEVNULL, stderr=end,
    )  # fmt: skip
    os.close(end)
    said = "".join(written(terminal))
    assert command.wait(HANG_S) == 1
    assert "predicting" in said
    assert said.count("error: ") == 1
    assert "Traceback" not in said


def written(terminal: int) -> Iterator[str]:
    with suppress(OSError), open(terminal, errors="replace") as stream:  # EIO: the other side has ended
        yield from stream


def test_a_failed_member_is_tried_again_in_another_copy(facemon: RunFacemon, folder: Path) -> None:
    write_tar(folder / "s.tar", {"a.png": RED, "b.png": b"text", "c.png": GREEN})
    assert facemon("predict", "-q", "s.tar", cwd=folder).returncode == 1
    write_tar(folder / "s.tar", {"a.png": RED, "z.png": GREEN, "c.png": GREEN})
    assert facemon("predict", "s.tar", "--retry-failed", cwd=folder).returncode == 1
    write_tar(folder / "s.tar", {"a.png": RED + b"longer", "b.png": GREEN, "c.png": GREEN})
    again = facemon("predict", "s.tar", "--retry-failed", cwd=folder)
    assert again.returncode == 0, again.stderr
    assert predictions(rows_of(again.stdout), "s.tar")[0][::2] == ("b.png", "b")
    assert "ok: 3 rows" in facemon("store", "verify", cwd=folder).stdout


def test_an_archive_that_cannot_be_read_ends_the_command_before_anything_is_logged(
    facemon: RunFacemon, folder: Path
) -> None:
    write_tar(folder / "good.tar", {"a.png": RED})
    (folder / "bad.tar").write_bytes(RED * 20)
    (folder / "x.tar.zst").write_bytes(b"x")
    for path, code, said in (
        ("bad.tar", 1, "error: bad.tar: is not a tar archive\n  hint: check that the file is whole"),
        ("missing.tar", 2, "error: missing.tar: no such file or directory"),
        ("x.tar.zst", 2, "hint: decompress it and name the .tar: zstd -d x.tar.zst"),
    ):
        done = facemon("predict", "good.tar", path, cwd=folder)
        assert (done.returncode, done.stdout) == (code, "")
        assert said in done.stderr
    verified = facemon("store", "verify", cwd=folder)
    assert verified.returncode == 1 or "ok: 0 rows" in verified.stdout


def test_model_check_reads_a_plain_archive_and_refuses_a_compressed_one(facemon: RunFacemon, folder: Path) -> None:
    for path in ("s.tar", "s.tgz"):
        write_tar(folder / path, {"a.png": RED})
    done = facemon("model", "check", "s.tar", cwd=folder)
    assert done.returncode == 3, done.stderr  # an image of one colour looks wrong
    assert "s.tar/a.png" in done.stdout
    refused = facemon("model", "check", "s.tgz", cwd=folder)
    assert refused.returncode == 2
    assert "gzip -dk s.tgz" in refused.stderr


def test_a_real_photograph_has_the_same_face_in_a_tar(facemon: RunFacemon, tmp_path: Path, astronaut: Path) -> None:
    Image.open(astronaut).convert("RGB").crop((100, 0, 350, 250)).save(tmp_path / "a.jpg")
    described = b'{"source": "gate"}'
    write_tar(tmp_path / "s.tar", {"a.jpg": (tmp_path / "a.jpg").read_bytes(), "a.json": described})
    done = facemon("predict", "a.jpg", "s.tar", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    alone, packed = rows_of(done.stdout)
    assert (packed["image"], packed["source"]) == ("s.tar/a.jpg", "gate")
    for name in ("image_sha256", "box", "face_confidence", "attributes"):
        assert packed[name] == alone[name]
