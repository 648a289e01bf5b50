"""How much memory a long run holds beside a short one, and how soon the first row is there."""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from benchmarks.command import FACEMON, first_row_seconds, peak_megabytes
from benchmarks.machine import ROUNDS, Line, rounds
from benchmarks.mobilenet import config_text, write_mobilenet
from benchmarks.photographs import crops
from benchmarks.process_usage import Usage, run_measured

_SHORT, _LONG = 20_000, 200_000
_MOST_HELP = 4.0
"""0.22 s where `--help` took 0.26 s, which was 4.7 times what the two imports take."""


def measure(folder: Path) -> Iterator[Line]:
    """Peak memory at two lengths of the list, and the first row of the built-in bundle."""
    (photograph,) = crops(folder / "one", (512, 512), 1)
    seconds = median(first_row_seconds(folder, photograph) for _ in range(ROUNDS))
    yield Line("first row of a single photograph", f"{seconds:.2f} s", "≤ 0.75 s", seconds <= 0.75, "built-in bundle")
    yield _help_line(folder)
    write_mobilenet(folder / "mobilenet.onnx")
    (folder / "facemon.yaml").write_text(config_text())
    files = crops(folder / "small", (64, 64), 100)
    short, long = (peak_megabytes(folder, islice(cycle(files), count)) for count in (_SHORT, _LONG))
    note = f"{short:.0f} MiB at {_SHORT} paths, {long:.0f} MiB at {_LONG}"
    yield Line("peak memory, 200,000 paths to 20,000", f"{long / short:.2f}x", "≤ 1.1x", long <= 1.1 * short, note)


def _help_line(folder: Path) -> Line:
    """The processor time of `facemon --help` beside that of the libraries that it is made with."""
    commands: dict[str, list[str | Path]] = {
        "help": [FACEMON, "--help"],
        "imports": [sys.executable, "-c", "import typer, rich"],
    }
    sides: dict[str, Callable[[], Usage]] = {
        name: partial(run_measured, command, folder) for name, command in commands.items()
    }
    cpu = {name: median(usage.cpu for usage in usages) for name, usages in rounds(sides).items()}
    ratio = cpu["help"] / cpu["imports"]
    note = f"{cpu['help']:.2f} s against {cpu['imports']:.2f} s"
    what = "--help: CPU against python -c 'import typer, rich'"
    return Line(what, f"{ratio:.1f}x", f"≤ {_MOST_HELP}x", ratio <= _MOST_HELP, note)
