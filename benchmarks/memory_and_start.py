"""How much memory a long run holds beside a short one, and how soon the first row is there."""

from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from benchmarks.command import first_row_seconds, peak_megabytes
from benchmarks.machine import ROUNDS, Line
from benchmarks.mobilenet import config_text, write_mobilenet
from benchmarks.photographs import crops

_SHORT, _LONG = 20_000, 200_000


def measure(folder: Path) -> Iterator[Line]:
    """Peak memory at two lengths of the list, and the first row of the built-in bundle."""
    (photograph,) = crops(folder / "one", (512, 512), 1)
    seconds = median(first_row_seconds(folder, photograph) for _ in range(ROUNDS))
    yield Line("first row of a single photograph", f"{seconds:.2f} s", "≤ 1.2 s", seconds <= 1.2, "built-in bundle")
    write_mobilenet(folder / "mobilenet.onnx")
    (folder / "facemon.yaml").write_text(config_text())
    files = crops(folder / "small", (64, 64), 100)
    short, long = (peak_megabytes(folder, islice(cycle(files), count)) for count in (_SHORT, _LONG))
    note = f"{short:.0f} MiB at {_SHORT} paths, {long:.0f} MiB at {_LONG}"
    yield Line("peak memory, 200,000 paths to 20,000", f"{long / short:.2f}x", "≤ 1.1x", long <= 1.1 * short, note)
