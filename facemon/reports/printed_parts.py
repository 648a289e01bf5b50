"""What a report consists of where a command prints it: lines, tables, and remarks beside them; drawing is not here."""

from dataclasses import dataclass, replace
from enum import StrEnum

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


Part = str | Table | Remark
"""A text is lines of the result."""
