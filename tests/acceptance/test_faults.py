"""Broken files, a full disk and a store that turns read-only, met by the installed command."""

import json
import os
import re
import resource
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image

from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.model.onnx_files import flat_image

COMMAND = Path(sys.executable).with_name("facemon")
REST = "predict: {max_pixels: 1000000}\nstore: {path: STORE}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_small_model(tmp_path, REST.replace("STORE", ".facemon"))
    return tmp_path


def break_files(folder: Path, count: int) -> dict[str, str]:
    """Write `count` files of each of ten kinds; the error that each name must end in."""
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    image.save(folder / "whole.jpg")
    image.save(folder / "whole.png")
    jpeg, png = (folder / "whole.jpg").read_bytes(), (folder / "whole.png").read_bytes()
    (folder / "whole.jpg").unlink()
    (folder / "whole.png").unlink()
    header = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    bomb = png[:8] + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + png[33:]
    contents = {
        "empty": b"", "text": b"no picture\n", "cut.jpg": jpeg[: len(jpeg) // 2], "cut.png": png[: len(png) // 2],
        "noise": np.random.default_rng(1).bytes(5000), "bomb": bomb, "heic": b"\0\0\0\x18ftypheic" + bytes(100),
    }  # fmt: skip
    expected = {}
    for index in range(count):
        for kind, content in contents.items():
            path = folder / f"broken-{index}-{kind.partition('.')[0]}.{kind.partition('.')[2] or 'jpg'}"
            path.write_bytes(content)
            expected[path.name] = "too_large" if kind == "bomb" else "unreadable"
        link, loop, pipe = (folder / f"broken-{index}-{kind}.jpg" for kind in ("link", "loop", "pipe"))
        link.symlink_to(folder / "nowhere.jpg")
        loop.symlink_to(loop)
        os.mkfifo(pipe)
        expected |= dict.fromkeys((link.name, loop.name, pipe.name), "unreadable")
    return expected


@pytest.mark.slow
def test_a_thousand_good_files_and_fifty_broken_ones_are_each_accounted_for(folder: Path, facemon: RunFacemon) -> None:
    images = folder / "images"
    images.mkdir()
    broken = break_files(images, 5)
    assert len(broken) == 50
    colours = {f"{index:04}.png": ("a", (255, 0, 0)) if index % 2 else ("b", (0, 255, 0)) for index in range(1000)}
    for name, (_, colour) in colours.items():
        flat_image(images / name, colour)
    arguments = ("predict", "images", "-q", "-o", "rows.parquet")
    assert facemon(*arguments, "--max-failures", "49", cwd=folder).returncode == 1
    answer = facemon(*arguments, "--max-failures", "50", cwd=folder)
    assert answer.returncode == 0, answer.stderr
    rows = pyarrow.parquet.read_table(folder / "rows.parquet").to_pylist()
    assert [row["ordinal"] for row in rows] == list(range(1050))
    states = {Path(row["image"]).name: row["error"] or row["hair"] for row in rows}
    assert states == broken | {name: label for name, (label, _) in colours.items()}
    assert all(bool(row["error"]) == bool(row["error_message"]) for row in rows)
    metrics = facemon("export-metrics", "-o", "-", cwd=folder).stdout
    assert 'images_processed_total{status="failed"} 100.0' in metrics
    assert 'images_processed_total{status="ok"} 2000.0' in metrics
    assert facemon("store", "verify", cwd=folder).returncode == 0


def listed(folder: Path, count: int, *, id_bytes: int) -> Path:
    """A manifest of one image under many names, so that the log grows by `id_bytes` a row at least."""
    flat_image(folder / "a.png", (255, 0, 0))
    manifest = folder / "many.jsonl"
    # The ids are random, or the log would be compressed to nothing.
    ids = np.random.default_rng(0).integers(0, 256, (count, id_bytes), np.uint8)
    manifest.write_text("".join(json.dumps({"image": "a.png", "image_id": row.tobytes().hex()}) + "\n" for row in ids))
    return manifest


@pytest.mark.slow
def test_a_full_disk_ends_the_run_and_loses_nothing(folder: Path, small_disk: Path, facemon: RunFacemon) -> None:
    write_small_model(folder, REST.replace("STORE", str(small_disk / "store")))
    manifest = listed(folder, 10_000, id_bytes=100)
    answer = facemon("predict", "-q", manifest, cwd=folder)
    assert answer.returncode == 1
    # The segment or the ledger may be what no longer fits.
    assert "cannot be written: " in answer.stderr or "database or disk is full" in answer.stderr
    assert "hint: free space on its disk" in answer.stderr
    assert facemon("store", "verify", cwd=folder).returncode == 0
    subprocess.run(["mount", "-o", "remount,size=50m", str(small_disk)], check=True)
    answer = facemon("predict", "-q", manifest, "--resume", cwd=folder)
    assert answer.returncode == 0, answer.stderr
    info = json.loads(facemon("store", "info", "--json", cwd=folder).stdout)
    assert (info["rows"], info["unfinished_runs"]) == (10_000, 0)
    assert facemon("store", "verify", cwd=folder).returncode == 0


def test_a_store_that_turns_read_only_is_said(folder: Path, small_disk: Path, facemon: RunFacemon) -> None:
    write_small_model(folder, REST.replace("STORE", str(small_disk / "store")))
    flat_image(folder / "a.png", (255, 0, 0))
    assert facemon("predict", "-q", "a.png", cwd=folder).returncode == 0
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    answer = facemon("predict", "-q", "a.png", cwd=folder)
    assert answer.returncode == 1
    assert "cannot be written" in answer.stderr
    assert "Traceback" not in answer.stderr
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert facemon("predict", "-q", "a.png", cwd=folder).returncode == 0
    assert facemon("store", "verify", cwd=folder).returncode == 0


def test_files_that_may_not_grow_end_the_run_and_lose_nothing(folder: Path, facemon: RunFacemon) -> None:
    # However many rows a flush takes, on a machine of any speed, one piece of the log is too large for a file: a
    # segment has 1,024 rows at least, and the pieces that are smaller go into the ledger and its write-ahead log.
    manifest = listed(folder, 6_000, id_bytes=300)
    limited = subprocess.run(
        [COMMAND, "predict", "-q", manifest],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, 250_000)),
    )
    assert limited.returncode == 1, limited.stderr
    told = (r"segments/\S+ cannot be written: File too large", r"the store in \S+ failed: disk I/O error")
    assert re.search("|".join(told), limited.stderr), limited.stderr
    assert "hint: " in limited.stderr
    assert "Traceback" not in limited.stderr
    assert facemon("predict", "-q", manifest, "--resume", cwd=folder).returncode == 0
    info = json.loads(facemon("store", "info", "--json", cwd=folder).stdout)
    assert (info["rows"], info["unfinished_runs"]) == (6_000, 0)
    assert facemon("store", "verify", cwd=folder).returncode == 0
