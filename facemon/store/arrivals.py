"""How many rows were logged for each hour of observation, and how many of them the last check of record knew.

A check of record looks at a window that ends now. Rows that are logged later for times before the next window are seen
by no check; from these counts a check tells how many there are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from facemon.domain.times import HOUR_MICROS, hour_of

if TYPE_CHECKING:
    import pyarrow as pa


RowsByHour = Mapping[tuple[str, int], int]
"""Numbers of rows by model and UTC hour, counted from 1970."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The rows of a model that no check of record has counted as seen, in one state of the ledger.

    Read them in the transaction that reads the check's window, or rows that are logged in between are told of wrongly.
    """

    model: str
    unchecked: Mapping[int, tuple[int, int]]
    """By hour: how many rows were logged so far, and how many of them after the last check of record."""
    is_first: bool
    """Whether no check of record was entered yet: there is no last one since which rows could be late."""

    def late_rows(self, since: datetime) -> int:
        """Return how many rows were logged since the last check of record for times before a window's start.

        The hour that `since` cuts is left out, because the window has a part of it: the number may be too low by the
        late rows of that hour, and is never too high.
        """
        if self.is_first:
            return 0
        first = hour_of(since)
        return sum(late for hour, (_, late) in self.unchecked.items() if hour < first)


def rows_by_hour(table: "pa.Table") -> dict[tuple[str, int], int]:
    """Count the rows of a table of the log, all of one model."""
    import numpy as np
    import pyarrow as pa

    if not table.num_rows:
        return {}
    hours, counts = np.unique(table["observed_at"].cast(pa.int64()).to_numpy() // HOUR_MICROS, return_counts=True)
    model = table["model"][0].as_py()
    return {(model, hour): count for hour, count in zip(hours.tolist(), counts.tolist(), strict=True)}
