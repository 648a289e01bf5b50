"""The installed command, run as a user would: in a folder of its own, its log written."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO, cast

from benchmarks.process_tree import peaks_of_tree

FACEMON = Path(sys.executable).with_name("facemon")
_LOOK_AROUND_S = 0.05


def predict_seconds(folder: Path, images: Iterable[Path], *options: str) -> float:
    """Wall seconds of a whole `facemon predict` over a list of images, from the shell to its end, with a new log."""
    shutil.rmtree(folder / ".facemon", ignore_errors=True)
    listed = folder / "images.txt"
    listed.write_text("".join(f"{path}\n" for path in images))
    with listed.open("rb") as stdin:
        begin = time.perf_counter()
        subprocess.run([FACEMON, "predict", "-q", *options, "-"], cwd=folder, stdin=stdin, check=True)
        return time.perf_counter() - begin


def first_row_seconds(folder: Path, image: Path) -> float:
    """Wall seconds from the start of the command to the first byte of its first row, for a single photograph."""
    begin = time.perf_counter()
    with subprocess.Popen([FACEMON, "predict", "--no-store", image], cwd=folder, stdout=subprocess.PIPE) as process:
        stdout = cast("IO[bytes]", process.stdout)
        stdout.read(1)
        seconds = time.perf_counter() - begin
        stdout.read()
    if process.returncode:
        raise RuntimeError(f"predict ended with {process.returncode}")
    return seconds


def peak_megabytes(folder: Path, images: Iterable[Path]) -> float:
    """The most memory that a `facemon predict` over a list of images has held, with its workers, in MiB.

    The peaks of all its processes added up, so that what they share counts in each. The peak that the system tells of
    a child that has ended will not do: it includes what its parent held when it began.
    """
    shutil.rmtree(folder / ".facemon", ignore_errors=True)
    listed = folder / "images.txt"
    with listed.open("w") as file:
        file.writelines(f"{path}\n" for path in images)
    peaks: dict[int, float] = {}
    with listed.open("rb") as stdin:
        process = subprocess.Popen([FACEMON, "predict", "-q", "-"], cwd=folder, stdin=stdin)
        while process.poll() is None:
            peaks |= peaks_of_tree(process.pid)
            time.sleep(_LOOK_AROUND_S)
    if process.returncode:
        raise RuntimeError(f"predict ended with {process.returncode}")
    return sum(peaks.values())
