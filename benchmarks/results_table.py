"""A free table of the results, beside the figures that have a limit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as they are printed; every row has as many as the headings."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> list[str]:
        """The lines of the table."""
        return [_row(self.headings), _row(("---",) * len(self.headings)), *(_row(row) for row in self.rows)]


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
