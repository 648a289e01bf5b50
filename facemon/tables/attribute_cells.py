"""What a cell of a foreign table means for an attribute."""

from decimal import Decimal
from math import isfinite
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from facemon.config.drift import TablesConfig
from facemon.config.model import AttributeConfig
from facemon.domain.profile import MISSING_LABEL, OTHER
from facemon.errors import FacemonError

_SHOWN = 5


def text_of(cell: Any) -> str:
    """A cell as a label: whole numbers without a point, booleans in lower case, nothing as missing.

    A decimal is the text of the same float: 1 for 1.00, which databases write.
    """
    if cell is None or cell != cell:  # noqa: PLR0124 - NaN
        return MISSING_LABEL
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, Decimal) and cell.is_finite():
        return str(int(cell)) if cell == cell.to_integral_value() else f"{cell.normalize():f}"
    return str(cell).strip()


def values_of(cells: pa.Array | pa.ChunkedArray) -> list[Any]:
    """Cells as Python's values; times that Python cannot hold, in the year 10000 or with nanoseconds, are text."""
    try:
        return cells.to_pylist()
    except (OverflowError, ValueError):
        return pc.cast(cells, pa.string()).to_pylist()


class AttributeCells:
    """Turns the cells of one attribute's column into its labels, and remembers whether any made sense.

    A cell is looked up under `tables.values`, then among the attribute's labels; an ordinal's number is
    banded. Anything else is `other`.
    """

    def __init__(self, attribute: AttributeConfig, tables: TablesConfig) -> None:
        self._attribute = attribute
        self._meanings = {text_of(cell): label for cell, label in tables.values.get(attribute.name, {}).items()}
        self._known = {*attribute.classes, *self._meanings.values()}
        self._strange: list[str] = []
        self._is_recognised = False

    def label_of(self, cell: Any) -> str:
        """The label that a cell stands for."""
        label = self._read(cell)
        if label == OTHER and OTHER not in self._known:
            if len(self._strange) < _SHOWN:
                self._strange.append(text_of(cell))
        elif label != MISSING_LABEL:
            self._is_recognised = True
        return label

    def check(self, where: str) -> None:
        """FacemonError if the column has cells and none of them was a label: a mapping must be missing."""
        if self._strange and not self._is_recognised:
            labels = ", ".join(self._attribute.classes)
            raise FacemonError(
                f"{where}: no cell is a label of {self._attribute.name} ({labels}); found {', '.join(self._strange)}",
                f"say what the cells mean under tables.values.{self._attribute.name} in the configuration",
            )

    def _read(self, cell: Any) -> str:
        text = text_of(cell)
        if text == MISSING_LABEL:
            return MISSING_LABEL
        if text in self._meanings:
            return self._meanings[text]
        if isinstance(cell, bool) and str(int(cell)) in self._meanings:
            return self._meanings[str(int(cell))]
        if text in self._known:
            return text
        if isinstance(cell, int | float | Decimal) and not isinstance(cell, bool) and isfinite(cell):
            for label, (low, high) in self._attribute.reach.items():
                if low <= cell < high:
                    return label
        return OTHER
