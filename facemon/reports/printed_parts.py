"""What a report consists of where a command prints it: lines, tables, files, remarks; drawing is not here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from facemon.printable import without_commands


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of as many cells as there are headings.

    Off a terminal all of it is printed. The other fields say what a terminal shows that is too narrow for it.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str | None = None
    importance: tuple[str, ...] = ()
    """Headings, the column that is left out last first; those that are not named follow in their order."""
    wraps: tuple[str, ...] = ()
    """Headings of columns whose cells may be broken between words."""
    reasons: tuple[str, ...] = ()
    """Headings of columns whose cells go below the table where they have no room beside it."""
    for_terminal: "Table | None" = None
    """What a terminal shows instead."""
    below: tuple[str, ...] = ()
    """Lines that a terminal shows below it."""

    def without_commands(self) -> "Table":
        """Return the table with cells in which a workflow's runner reads no command."""
        rows = tuple(tuple(map(without_commands, row)) for row in self.rows)
        return replace(self, rows=rows, for_terminal=self.for_terminal and self.for_terminal.without_commands())

    def mapped(self, change: Callable[[str], str]) -> "Table":
        """Return the table with changed headings, cells and lines."""

        def each(texts: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(map(change, texts))

        return Table(
            each(self.headings),
            tuple(map(each, self.rows)),
            self.title,
            each(self.importance),
            each(self.wraps),
            each(self.reasons),
            self.for_terminal and self.for_terminal.mapped(change),
            each(self.below),
        )

    def whole(self) -> "Table":
        """Return the table that shows all of its rows on a terminal, too."""
        return replace(self, for_terminal=None)


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


class Prose(str):
    """Sentences of the result, which a terminal folds between words and a pipe gets as one line."""

    __slots__ = ()


Part = str | Table | Remark | FileText | Document
"""A text is lines of the result."""
