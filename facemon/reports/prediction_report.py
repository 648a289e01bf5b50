"""Predictions as a table that a person reads on a terminal."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from facemon.config.model import AttributeConfig
from facemon.predict.terminal_table import table_columns, table_rows
from facemon.reports.printed_parts import Part, Table

if TYPE_CHECKING:
    from facemon.domain.prediction import PredictedBatch

_MOST_ROWS = 100
"""A table on a terminal shows so many rows; the log has them all."""


class PredictionReport:
    """Keeps the first rows of a run until they are shown, and counts the others."""

    def __init__(self, attributes: Sequence[AttributeConfig]) -> None:
        self._attributes, self._rows, self._beyond = attributes, list[tuple[str, ...]](), 0

    def add(self, batch: "PredictedBatch") -> None:
        """Take the next rows of the run."""
        room = _MOST_ROWS - len(self._rows)
        self._beyond += max(0, batch.rows.num_rows - room)
        if room:
            self._rows.extend(table_rows(batch.rows.slice(0, room), self._attributes))

    def parts(self) -> Iterator[Part]:
        """Yield the table, and how many rows it leaves out."""
        yield Table(table_columns(self._attributes), tuple(self._rows), importance=("image", "outcome"))
        if self._beyond:
            yield f"… and {self._beyond} rows more; -o FILE writes all"
