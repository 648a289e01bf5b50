"""Reports of what was measured or proven: a file of sections, each written anew when its part runs."""

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import Line, machine
from benchmarks.results_table import Table

_HEADING = "## "


@dataclass(frozen=True, slots=True)
class Part:
    """One section of a report: what is measured, and what its readers must know."""

    title: str
    measure: Callable[[Path], Iterator[Line | Table]]
    about: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A file of sections, each from its part; the explanation stands above them."""

    path: Path
    explanation: str
    parts: Mapping[str, Part]

    def update(self, names: list[str]) -> int:
        """Run the named parts, or all; 1 when a figure falls short. Sections of other parts stay as they are."""
        if unknown := set(names) - set(self.parts):
            sys.exit(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(self.parts)}")
        sections, reached = self._written(), True
        for part in [self.parts[name] for name in names or self.parts]:
            with tempfile.TemporaryDirectory() as folder:
                figures = list(_told(part.measure(Path(folder))))
            sections[part.title] = _section(part, figures)
            reached = reached and all(figure.reached for figure in figures if isinstance(figure, Line))
            ordered = [sections[part.title] for part in self.parts.values() if part.title in sections]
            self.path.write_text("\n".join([self.explanation, *ordered]), encoding="utf-8")
        return 0 if reached else 1

    def _written(self) -> dict[str, str]:
        """The sections that are there, by their titles."""
        if not self.path.exists():
            return {}
        parts = self.path.read_text(encoding="utf-8").split(f"\n{_HEADING}")[1:]
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
