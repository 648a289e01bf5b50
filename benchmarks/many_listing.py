"""How much memory commands hold over a prefix of a million keys, beside one of ten thousand."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, cast

from benchmarks.command import FACEMON
from benchmarks.machine import Line
from benchmarks.many_origin import Served, running
from benchmarks.mobilenet import config_text, write_mobilenet
from benchmarks.photographs import crops
from benchmarks.process_tree import peaks_of_tree

SHORT, LONG = 10_000, 1_000_000
_FIRST_ROWS = 2_000
_MOST = 1.1
_LOOK_AROUND_S = 0.05
ABOUT = f"""\
Listings: peak memory of `facemon manifest` over {SHORT:,} and {LONG:,} keys, and of `predict` over the same keys, all
its processes together, when it has printed {_FIRST_ROWS:,} rows.
"""


def listing_lines(folder: Path) -> Iterator[Line]:
    """The peaks of `manifest`, which lists all keys, and of `predict` until its first rows are there."""
    write_mobilenet(folder / "mobilenet.onnx")
    (folder / "facemon.yaml").write_text(config_text())
    crops(folder / "crops", (64, 64), 20)
    sides: dict[str, Callable[[Path, Mapping[str, str]], float]] = {
        "manifest": _manifest, f"predict, first {_FIRST_ROWS:,} rows": _first_rows,
    }  # fmt: skip
    for name, peak in sides.items():
        peaks: dict[int, float] = {}
        begin = time.perf_counter()
        for count in (SHORT, LONG):
            with running(Served(str(folder / "crops"), count), os.sched_getaffinity(0)) as variables:
                peaks[count] = peak(folder, os.environ | variables)
        ratio = peaks[LONG] / peaks[SHORT]
        note = f"{peaks[SHORT]:.0f} and {peaks[LONG]:.0f} MiB; {time.perf_counter() - begin:.0f} s"
        what = f"{name}: peak memory, {LONG:,} keys to {SHORT:,}"
        yield Line(what, f"{ratio:.2f}x", f"≤ {_MOST}x", ratio <= _MOST, note)


def _manifest(folder: Path, environment: Mapping[str, str]) -> float:
    command: list[str | Path] = [FACEMON, "manifest", "-q", "s3://many/day/", "-o", "images.parquet"]
    with subprocess.Popen(command, cwd=folder, env=environment) as process:
        peaks: dict[int, float] = {}
        while process.poll() is None:
            peaks |= peaks_of_tree(process.pid)
            time.sleep(_LOOK_AROUND_S)
    if process.returncode:
        raise RuntimeError(f"manifest ended with {process.returncode}")
    return max(peaks.values())


def _first_rows(folder: Path, environment: Mapping[str, str]) -> float:
    """The peaks of all processes added up; the command ends when its rows are no longer read."""
    shutil.rmtree(folder / ".facemon", ignore_errors=True)
    command: list[str | Path] = [FACEMON, "predict", "-q", "s3://many/day/", "--format", "jsonl"]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        rows = cast("IO[bytes]", process.stdout)
        for _ in range(_FIRST_ROWS):
            if not rows.readline():
                raise RuntimeError("predict ended before its first rows")
        peaks = peaks_of_tree(process.pid)
        rows.close()
    return sum(peaks.values())
