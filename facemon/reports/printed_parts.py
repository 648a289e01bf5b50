"""What a report consists of where a command prints it: lines, tables, files, remarks; drawing is not here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from facemon.printable import without_commands


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of as many cells as there are headings."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str | None = None

    def without_commands(self) -> "Table":
        """Return the table with cells in which a workflow's runner reads no command."""
        return replace(self, rows=tuple(tuple(map(without_commands, row)) for row in self.rows))


class Tone(StrEnum):
    """Who is to read a remark."""

    SAY = "say"
    """Those who did not ask for quiet."""
    NOTICE = "notice"
    """Scripts and cron too."""
    WARN = "warn"
    """The same; it is trouble."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A text beside the result, for stderr."""

    text: str
    tone: Tone = Tone.SAY


@dataclass(frozen=True, slots=True)
class FileText:
    """The content of a file for programs, which is printed unchanged."""

    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """An object that is printed as one line of JSON."""

    content: Mapping[str, Any]


Part = str | Table | Remark | FileText | Document
"""A text is lines of the result."""
