"""Measure everything and write RESULTS.md: `make bench`, on a machine that does nothing else."""

import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import age_gender, memory_and_start, predict_speed
from benchmarks.machine import ROUNDS, Line, machine

_PARTS = {
    "predict, MobileNetV2's size, five heads, 112²": predict_speed.measure,
    "predict, the built-in bundle": age_gender.measure,
    "Memory and start": memory_and_start.measure,
}
_RESULTS = Path(__file__).with_name("RESULTS.md")
_EXPLANATION = """\
Written by `make bench`. All sides of a ratio were measured in the same run, taking turns; each figure is the median of
{rounds} rounds. `facemon` is the whole command with its log, start-up included. The limit is cores ÷ (decode CPU +
inference CPU): file to input tensor with Pillow's scaled decoding, and onnxruntime on batches of 8, each measured alone
with all cores at it. The naive loop is Pillow and onnxruntime, one image at a time, and writes nothing.
"""


def main() -> int:
    """Run the parts; 1 when a figure falls short."""
    text = [f"# Measured on {datetime.now(UTC):%Y-%m-%d}\n", f"{machine()}\n", _EXPLANATION.format(rounds=ROUNDS)]
    reached = True
    with tempfile.TemporaryDirectory() as folder:
        for number, (title, measure) in enumerate(_PARTS.items()):
            part = Path(folder, str(number))
            part.mkdir()
            text += [f"## {title}\n", "| figure | measured | to reach | |\n|---|---|---|---|"]
            for line in _told(measure(part)):
                mark = "" if line.reached else "**falls short** "
                text.append(f"| {line.what} | {line.value} | {line.wanted} | {mark}{line.note} |")
                reached = reached and line.reached
            text.append("")
    _RESULTS.write_text("\n".join(text), encoding="utf-8")
    return 0 if reached else 1


def _told(lines: Iterator[Line]) -> Iterator[Line]:
    for line in lines:
        print(f"{'ok ' if line.reached else 'NO '} {line.what}: {line.value} ({line.wanted}) {line.note}", flush=True)
        yield line


if __name__ == "__main__":
    sys.exit(main())
