"""`facemon predict` on images in object storage, beside the same images on the local disk."""

import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from io import BytesIO
from pathlib import Path

from benchmarks.command import FACEMON
from benchmarks.machine import Line, medians, rounds
from benchmarks.many_origin import Served, running
from benchmarks.mobilenet import config_text, write_mobilenet
from benchmarks.photographs import SIZES, crops

IMAGES, _FILES, _ARCHIVES = 10_000, 400, 10
LATENCY_S = 0.02
_SIZE = "178x218"
_WANTED = 0.85
ABOUT = f"""\
Rates: {IMAGES:,} photographs of {_SIZE}, MobileNetV2's size with five heads, whole commands with their logs. The
origin of the tests is a process of its own, whose answers begin after {1000 * LATENCY_S:.0f} ms. It has one half of the
cores and facemon the other, on all sides, so that what it computes slows no side down. The archives are {_ARCHIVES} tar
files of the same photographs.
"""


def storage_lines(folder: Path) -> Iterator[Line]:
    """The rates of objects and of archives of them, against those of files and of local archives."""
    write_mobilenet(folder / "mobilenet.onnx")
    (folder / "facemon.yaml").write_text(config_text())
    files = crops(folder / "crops", SIZES[_SIZE], _FILES)
    (folder / "day").mkdir()
    for number in range(IMAGES):
        (folder / "day" / f"{number:06}.jpg").hardlink_to(files[number % _FILES])
    _write_archives(folder / "shards", [path.read_bytes() for path in files])
    # Each of the two has cores of its own, so that what the origin computes slows no side down.
    cores = sorted(os.sched_getaffinity(0))
    half = max(1, len(cores) // 2)
    own, others = cores[:half], cores[half:] or cores
    served = Served(str(folder / "crops"), IMAGES, LATENCY_S, str(folder / "shards"))
    with running(served, others) as variables:
        sides: dict[str, Callable[[], float]] = {
            name: partial(_rate, folder, path, own, variables)
            for name, path in (
                ("files", "day"), ("objects", "s3://many/day/"), ("archives", "shards"),
                ("remote archives", "s3://many/shards/"),
            )
        }  # fmt: skip
        speeds = medians(rounds(sides))
    note = f"{', '.join(f'{side} {speed:.0f}/s' for side, speed in speeds.items())}; {len(own)} of {len(cores)} cores"
    for what, remote, local in (
        ("objects against files", "objects", "files"),
        ("tar archives in storage against local ones", "remote archives", "archives"),
    ):
        ratio = speeds[remote] / speeds[local]
        yield Line(
            f"{_SIZE}, {1000 * LATENCY_S:.0f} ms: {what}", f"{ratio:.2f}", f"≥ {_WANTED}", ratio >= _WANTED, note
        )
        note = ""


def _rate(folder: Path, path: str, cores: list[int], variables: Mapping[str, str]) -> float:
    """Images a second of a whole command with a new log, start-up included, on some cores."""
    shutil.rmtree(folder / ".facemon", ignore_errors=True)
    begin = time.perf_counter()
    subprocess.run(
        [FACEMON, "predict", "-q", path, "-o", "rows.parquet"],
        cwd=folder, env=os.environ | variables, check=True, stdout=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )  # fmt: skip
    return IMAGES / (time.perf_counter() - begin)


def _write_archives(folder: Path, contents: list[bytes]) -> None:
    folder.mkdir()
    for archive in range(_ARCHIVES):
        with tarfile.open(folder / f"{archive:03}.tar", "w") as tar:
            for number in range(archive, IMAGES, _ARCHIVES):
                header = tarfile.TarInfo(f"{number:06}.jpg")
                header.size = len(contents[number % len(contents)])
                tar.addfile(header, BytesIO(contents[number % len(contents)]))
