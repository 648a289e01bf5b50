"""Measure and write RESULTS.md, on a machine that does nothing else: `make bench`, or one part of it by its name."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import (
    age_gender,
    api_load,
    api_speed,
    drift_alarms,
    drift_peers,
    drift_speed,
    memory_and_start,
    predict_speed,
    scrape_speed,
)
from benchmarks.machine import ROUNDS, Line, machine
from benchmarks.results_table import Table


@dataclass(frozen=True, slots=True)
class Part:
    """One section of the results: what is measured, and what its readers must know."""

    title: str
    measure: Callable[[Path], Iterator[Line | Table]]
    about: str = ""


_PARTS = {
    "predict": Part("predict, MobileNetV2's size, five heads, 112²", predict_speed.measure),
    "bundle": Part("predict, the built-in bundle", age_gender.measure),
    "memory": Part("Memory and start", memory_and_start.measure),
    "alarms": Part("drift-check: false alarms and power", drift_alarms.measure, drift_alarms.ABOUT),
    "peers": Part("drift-check beside others", drift_peers.measure, drift_peers.ABOUT),
    "drift-speed": Part("drift-check: speed and hard cases", drift_speed.measure, drift_speed.ABOUT),
    "api": Part("serve, beside predict and other servers", api_speed.measure, api_speed.ABOUT),
    "load": Part("serve, ten minutes of too much load", api_load.measure, api_load.ABOUT),
    "scrape": Part("serve-metrics, a scrape", scrape_speed.measure, scrape_speed.ABOUT),
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
    for part in [_PARTS[name] for name in names or _PARTS]:
        with tempfile.TemporaryDirectory() as folder:
            figures = list(_told(part.measure(Path(folder))))
        sections[part.title] = _section(part, figures)
        reached = reached and all(figure.reached for figure in figures if isinstance(figure, Line))
        ordered = [sections[part.title] for part in _PARTS.values() if part.title in sections]
        _RESULTS.write_text("\n".join([_EXPLANATION, *ordered]), encoding="utf-8")
    return 0 if reached else 1


def _written() -> dict[str, str]:
    """The sections that are there, by their titles."""
    if not _RESULTS.exists():
        return {}
    parts = _RESULTS.read_text(encoding="utf-8").split(f"\n{_HEADING}")[1:]
    return {part.splitlines()[0]: f"{_HEADING}{part.rstrip()}\n" for part in parts}


def _section(part: Part, figures: list[Line | Table]) -> str:
    """A part's heading, what it says of itself, its figures in one table, and its free tables."""
    lines = [f"{_HEADING}{part.title}", "", f"{datetime.now(UTC):%Y-%m-%d}, {machine()}.", ""]
    if part.about:
        lines += [part.about]
    if figured := [figure for figure in figures if isinstance(figure, Line)]:
        lines += ["| figure | measured | to reach | |", "|---|---|---|---|"]
    for line in figured:
        mark = "" if line.reached else "**falls short** "
        lines.append(f"| {line.what} | {line.value} | {line.wanted} | {mark}{line.note} |")
    for table in figures:
        if isinstance(table, Table):
            lines += ["", *table.markdown()] if figured else table.markdown()
    return "\n".join(lines) + "\n"


def _told(figures: Iterator[Line | Table]) -> Iterator[Line | Table]:
    for figure in figures:
        match figure:
            case Line():
                mark = "ok " if figure.reached else "NO "
                print(f"{mark} {figure.what}: {figure.value} ({figure.wanted}) {figure.note}", flush=True)
            case Table():
                print(*figure.markdown(), sep="\n", flush=True)
        yield figure


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
