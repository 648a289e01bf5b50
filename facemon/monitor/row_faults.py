"""Rows of another program that the log cannot take, each named by its number in the whole call."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from facemon.errors import FacemonError


class RowError(FacemonError):
    """A row that cannot be, by its number in its table."""

    def __init__(self, row: int, fault: str) -> None:
        super().__init__(f"row {row}: {fault}")
        self.row = row
        self.fault = fault


@dataclass(frozen=True, slots=True)
class RowsPlace:
    """Where rows of a call begin: `first` counts its mappings; `table` is one of an iterable's tables, from 0."""

    first: int = 0
    table: int | None = None

    @contextmanager
    def named(self) -> Iterator[None]:
        """Name in a FacemonError the table, or the row as the caller counts it."""
        try:
            yield
        except FacemonError as error:
            raise FacemonError(self._message(error), error.hint) from error.__cause__

    def _message(self, error: FacemonError) -> str:
        if self.table is not None:
            return f"table {self.table}{', ' if isinstance(error, RowError) else ': '}{error.message}"
        if isinstance(error, RowError):
            return f"row {self.first + error.row}: {error.fault}"
        return f"from row {self.first} on: {error.message}" if self.first else error.message


def refuse_rows(wrong: pa.Array, name: str, why: str) -> None:
    """RowError for the first row that is wrong: `name` is its column."""
    row = pc.index(pc.fill_null(wrong, False), True).as_py()
    if row >= 0:
        raise RowError(row, f"{name} {why}")
