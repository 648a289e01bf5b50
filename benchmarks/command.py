"""The installed command, run as a user would: in a folder of its own, its log written."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO, cast

FACEMON = Path(sys.executable).with_name("facemon")


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
    """The most memory that a `facemon predict` over a list of images has held, in MiB."""
    shutil.rmtree(folder / ".facemon", ignore_errors=True)
    listed = folder / "images.txt"
    with listed.open("w") as file:
        file.writelines(f"{path}\n" for path in images)
    with listed.open("rb") as stdin:
        process = subprocess.Popen([FACEMON, "predict", "-q", "-"], cwd=folder, stdin=stdin)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"predict ended with {status}")
    return usage.ru_maxrss / 1024
