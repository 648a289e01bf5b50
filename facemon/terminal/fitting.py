"""Which columns of a table a terminal has room for, and how wide each one is."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is to be fitted; widths are cells of a terminal."""

    width: int
    """That of its widest cell."""
    least: int
    """What it may be narrowed to: as much as `width` where its cells must not be broken."""
    importance: int
    """Columns with a higher number are left out first."""


def fitted_widths(columns: Sequence[Column], room: int, gap: int) -> tuple[int, ...]:
    """The width of each column, 0 for one that is left out, so that they need no more room, with the gaps between them.

    Of the columns in the order of their importance a beginning is kept, at least the first one; a wider terminal never
    shows fewer. Room that is left widens the columns in the same order.
    """
    order = sorted(range(len(columns)), key=lambda place: columns[place].importance)
    widths, used = [0] * len(columns), -gap
    for place in order:
        least = min(columns[place].least, columns[place].width)
        if place != order[0] and used + gap + least > room:
            break
        widths[place] = min(least, max(1, room))
        used += gap + widths[place]
    for place in order:
        if widths[place]:
            more = max(0, min(columns[place].width - widths[place], room - used))
            widths[place] += more
            used += more
    return tuple(widths)
