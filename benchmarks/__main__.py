"""Measure and write RESULTS.md, on a machine that does nothing else: `make bench`, or one part of it by its name."""

import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import age_gender, memory_and_start, predict_speed
from benchmarks.machine import ROUNDS, Line, machine

_PARTS = {
    "predict": ("predict, MobileNetV2's size, five heads, 112²", predict_speed.measure),
    "bundle": ("predict, the built-in bundle", age_gender.measure),
    "memory": ("Memory and start", memory_and_start.measure),
}
_RESULTS = Path(__file__).with_name("RESULTS.md")
_HEADING = "## "
_EXPLANATION = f"""\
# Measured

Written by `make bench`. All sides of a ratio were measured in the same run, taking turns; each figure is the median of
{ROUNDS} rounds. `facemon` is the whole command with its log, start-up included. The limit is cores ÷ (decode CPU +
inference CPU): file to input tensor with Pillow's scaled decoding, and onnxruntime on batches of 8, each measured alone
with all cores at it, by threads of one process; facemon's processes run batches of 4 and wait for no other's Python, so
that they can pass it. The naive loop is Pillow and onnxruntime, one image at a time, and writes nothing.
"""


def main(names: list[str]) -> int:
    """Run the named parts, or all; 1 when a figure falls short. Sections of other parts stay as they are."""
    if unknown := set(names) - set(_PARTS):
        sys.exit(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(_PARTS)}")
    sections, reached = _written(), True
    for name in names or _PARTS:
        title, measure = _PARTS[name]
        lines = [f"{_HEADING}{title}", "", f"{datetime.now(UTC):%Y-%m-%d}, {machine()}.", ""]
        lines += ["| figure | measured | to reach | |", "|---|---|---|---|"]
        with tempfile.TemporaryDirectory() as folder:
            for line in _told(measure(Path(folder))):
                mark = "" if line.reached else "**falls short** "
                lines.append(f"| {line.what} | {line.value} | {line.wanted} | {mark}{line.note} |")
                reached = reached and line.reached
        sections[title] = "\n".join(lines) + "\n"
        ordered = [sections[title] for title, _ in _PARTS.values() if title in sections]
        _RESULTS.write_text("\n".join([_EXPLANATION, *ordered]), encoding="utf-8")
    return 0 if reached else 1


def _written() -> dict[str, str]:
    """The sections that are there, by their titles."""
    if not _RESULTS.exists():
        return {}
    parts = _RESULTS.read_text(encoding="utf-8").split(f"\n{_HEADING}")[1:]
    return {part.splitlines()[0]: f"{_HEADING}{part.rstrip()}\n" for part in parts}


def _told(lines: Iterator[Line]) -> Iterator[Line]:
    for line in lines:
        print(f"{'ok ' if line.reached else 'NO '} {line.what}: {line.value} ({line.wanted}) {line.note}", flush=True)
        yield line


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
