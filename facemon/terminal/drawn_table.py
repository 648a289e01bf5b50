"""A table as a terminal of some width shows it: what is left out for lack of room, and which reasons go below."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from facemon.terminal.fitting import Column, fitted_widths

if TYPE_CHECKING:
    from facemon.reports.printed_parts import Table

GAP = 2
"""Cells between two columns."""
_LEAST_REASON = 24
"""Sentences in a narrower column would be hard to read."""
_LEAST_FACT = 10
"""The second of two columns says all that there is to say, so that even words are broken before it is left out."""
_SHARE_OF_NAMES = 0.6
"""Names that are longer than this share of the terminal are broken, so that something else is seen of their row."""


@dataclass(frozen=True, slots=True)
class DrawnTable:
    """Columns with their widths, and lines below them."""

    headings: tuple[str, ...]
    widths: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    below: tuple[str, ...]


def drawn_table(table: "Table", room: int, width_of: Callable[[str], int]) -> DrawnTable:
    """Fit a table into so many cells; `width_of` tells how many a text takes."""
    shown = _without_empty_reasons(table.for_terminal or table)
    ranks = {name: place for place, name in enumerate(shown.importance)}
    columns = []
    for place, name in enumerate(shown.headings):
        cells = [name, *(row[place] for row in shown.rows)]
        width = max(map(width_of, cells))
        columns.append(Column(width, _least(shown, name, cells, width, width_of), ranks.get(name, len(ranks) + place)))
    first = min(range(len(columns)), key=lambda place: columns[place].importance)
    longest_name = max(_LEAST_REASON, int(room * _SHARE_OF_NAMES))
    columns[first] = replace(columns[first], least=min(columns[first].least, longest_name))
    widths = fitted_widths(columns, room, GAP)
    kept = [place for place, width in enumerate(widths) if width]
    return DrawnTable(
        tuple(shown.headings[place] for place in kept),
        tuple(widths[place] for place in kept),
        tuple(tuple(row[place] for place in kept) for row in shown.rows),
        tuple(_below(shown, first, [place for place, width in enumerate(widths) if not width])),
    )


def _without_empty_reasons(table: "Table") -> "Table":
    kept = [
        place
        for place, name in enumerate(table.headings)
        if name not in table.reasons or any(row[place] for row in table.rows)
    ]
    headings, *rows = (tuple(line[place] for place in kept) for line in (table.headings, *table.rows))
    return replace(table, headings=headings, rows=tuple(rows))


def _least(table: "Table", name: str, cells: Iterable[str], width: int, width_of: Callable[[str], int]) -> int:
    if name in table.reasons:
        return min(width, _LEAST_REASON)
    is_fact = len(table.headings) == 2 and name == table.headings[1]
    if name not in table.wraps and not is_fact:
        return width
    longest_word = max((width_of(word) for cell in cells for word in cell.split()), default=1)
    return min(longest_word, _LEAST_FACT if is_fact else _LEAST_REASON)


def _below(table: "Table", name: int, left_out: Sequence[int]) -> Iterator[str]:
    """The reasons that have no room in a column, each once with the names that have it; and what else is not shown."""
    for place in left_out:
        if table.headings[place] in table.reasons:
            said: dict[str, list[str]] = {}
            for row in table.rows:
                said.setdefault(row[place], []).append(row[name])
            yield from (f"{', '.join(dict.fromkeys(those))}: {why}" for why, those in said.items() if why)
    if dropped := [table.headings[place] for place in left_out if table.headings[place] not in table.reasons]:
        yield f"not shown for lack of room: {', '.join(dropped)}"
    yield from table.below
