"""`facemon predict --engine ray` on two nodes of one core, beside `facemon predict` with two processes."""

import csv
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path

from benchmarks.machine import Line, medians, rounds
from benchmarks.mobilenet import config_text, write_mobilenet
from benchmarks.photographs import SIZES, crops
from tests.schedulers.ray_nodes import PYTHON, Cluster, environment

_JOB_S, _ROUNDS = 180.0, 3
_FILES, _PILOT = 400, 2_000
_SHARDS = 24
_MOST = 1.25
ABOUT = f"""\
Photographs of 178x218, the network of the first section, as many as take facemon {_JOB_S / 60:.0f} minutes on two
cores; {_SHARDS} shards, delivered to a folder. Ray: two nodes on this machine with a worker of one core each, started
before the time begins. Beside it: `predict --threads 2` with its log, on the same manifest, with the same Python. Each
figure is the median of {_ROUNDS} rounds.
"""


def measure(folder: Path, job_s: float = _JOB_S, count: int = _ROUNDS) -> Iterator[Line]:
    """The ratio of both, start-up included."""
    if not PYTHON.exists():
        yield Line("Ray against predict, by the core", "Ray is not installed", f"≤ {_MOST}x", False, "make peers")
        return
    write_mobilenet(folder / "mobilenet.onnx")
    (folder / "facemon.yaml").write_text(config_text())
    files = crops(folder / "crops", SIZES["178x218"], _FILES)
    _write_manifest(folder, files, _PILOT)
    images = max(_PILOT, round(_PILOT * job_s / _local_seconds(folder)))
    _write_manifest(folder, files, images)
    taken = medians(rounds({"predict": lambda: _local_seconds(folder), "ray": lambda: _ray_seconds(folder)},
                           count=count))  # fmt: skip
    ratio = taken["ray"] / taken["predict"]
    note = f"{images} images: {taken['ray']:.0f} s against {taken['predict']:.0f} s"
    yield Line("Ray against predict, by the core", f"{ratio:.2f}x", f"≤ {_MOST}x", ratio <= _MOST, note)


def _write_manifest(folder: Path, files: Sequence[Path], count: int) -> None:
    with (folder / "images.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image"])
        writer.writerows([path] for path in islice(cycle(files), count))


def _local_seconds(folder: Path) -> float:
    shutil.rmtree(folder / ".facemon", ignore_errors=True)
    return _seconds(folder, environment(), "--threads", "2")


def _ray_seconds(folder: Path) -> float:
    shutil.rmtree(folder / "log", ignore_errors=True)
    with ExitStack() as stack:
        cluster = Cluster(stack)
        options = ["--engine", "ray", "--address", cluster.address, "--shards", str(_SHARDS)]
        to = ["--deliver", (folder / "log").as_uri()]
        return _seconds(folder, environment(**cluster.variables), *options, *to)


def _seconds(folder: Path, variables: Mapping[str, str], *options: str) -> float:
    command: list[str | Path] = [PYTHON, "-P", "-m", "facemon", "-q", "predict", "images.csv", *options]
    begin = time.perf_counter()
    subprocess.run(command, cwd=folder, env=variables, check=True)
    return time.perf_counter() - begin
