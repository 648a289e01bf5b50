"""What a cell of a foreign table means for an attribute."""

from collections.abc import Mapping
from decimal import Decimal
from math import isfinite, nan
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from facemon.config.drift import TablesConfig
from facemon.config.model import AttributeConfig
from facemon.domain.profile import MISSING_LABEL, UNRECOGNISED
from facemon.errors import FacemonError
from facemon.tables.number_notations import OTHER_DECIMAL, plain_number

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
    """Turns the cells of one attribute's column into its labels or numbers, and remembers those that are neither.

    A cell is looked up under `tables.values`, then among the attribute's labels. A number, be it written as text or
    not, is banded. Last, letter case is ignored. What is none of this is `UNRECOGNISED`.
    """

    def __init__(self, attribute: AttributeConfig, tables: TablesConfig) -> None:
        self._attribute = attribute
        self._decimal = tables.csv.decimal
        self._meanings = {text_of(cell): label for cell, label in tables.values.get(attribute.name, {}).items()}
        self._spelled = {label: label for label in (*attribute.classes, *self._meanings.values())} | self._meanings
        self._folded = _folded(self._spelled)
        self._strange: dict[str, None] = {}
        self._is_recognised = False

    @property
    def strange(self) -> tuple[str, ...]:
        """The first cells that were neither labels nor numbers, each once."""
        return tuple(self._strange)

    def label_of(self, cell: Any) -> str:
        """The label that a cell stands for; `MISSING_LABEL` or `UNRECOGNISED` where there is none."""
        return self.read_label(cell)[0]

    def read_label(self, cell: Any) -> tuple[str, bool]:
        """The label of a cell as `label_of` gives it, and whether letter case or spaces around it were ignored."""
        label, is_forgiven = self._read(cell)
        self._remember(cell, is_missing=label == MISSING_LABEL, is_known=label != UNRECOGNISED)
        return label, is_forgiven

    def number_of(self, cell: Any) -> float:
        """The finite number that a cell is or stands for; NaN where it is none."""
        if is_missing := self.is_missing(cell):
            number = nan
        elif not isfinite(number := _number(self._meanings.get(text_of(cell)), self._decimal)):
            number = _number(cell, self._decimal)
        self._remember(cell, is_missing=is_missing, is_known=isfinite(number))
        return number

    def is_missing(self, cell: Any) -> bool:
        """Whether a cell is empty, or stands for a missing value."""
        text = text_of(cell)
        return self._meanings.get(text, text) == MISSING_LABEL

    @property
    def way_out(self) -> str:
        """What to do about the strange cells."""
        other = OTHER_DECIMAL[self._decimal]
        takes_numbers = self._attribute.reach or not self._attribute.classes
        if takes_numbers and any(isfinite(plain_number(text, other)) for text in self._strange):
            return f'set tables.csv.decimal: "{other}"'
        return f"say what they mean under tables.values.{self._attribute.name}"

    def check(self, where: str) -> None:
        """FacemonError if the column has cells and none of them was a label: a mapping must be missing."""
        if self._strange and not self._is_recognised:
            name, labels = self._attribute.name, ", ".join(self._attribute.classes)
            number = " or a number" if self._attribute.reach else ""
            raise FacemonError(
                f"{where}: no cell is a label of {name} ({labels}){number}; found {', '.join(self._strange)}",
                f"{self.way_out} in the configuration",
            )

    @property
    def holds_any(self) -> bool:
        """Whether any cell was a label or a number."""
        return self._is_recognised

    def _remember(self, cell: Any, *, is_missing: bool, is_known: bool) -> None:
        if is_missing:
            return
        if is_known:
            self._is_recognised = True
        elif len(self._strange) < _SHOWN:
            self._strange[text_of(cell)] = None

    def _read(self, cell: Any) -> tuple[str, bool]:
        text = text_of(cell)
        is_padded = isinstance(cell, str) and cell != text
        if text == MISSING_LABEL:
            return MISSING_LABEL, False
        if isinstance(cell, bool) and text not in self._meanings:
            text = str(int(cell)) if str(int(cell)) in self._meanings else text
        if text in self._spelled:
            return self._spelled[text], is_padded
        if isfinite(number := _number(cell, self._decimal)):
            if (found := self._spelled.get(text_of(number))) is not None:
                return found, is_padded
            for label, (low, high) in self._attribute.reach.items():
                if low <= number < high:
                    return label, is_padded
        if (found := self._folded.get(text.casefold())) is not None:
            return found, True
        return UNRECOGNISED, False


def _folded(spelled: Mapping[str, str]) -> Mapping[str, str]:
    """What texts stand for, by the texts in small letters; without those that only differ in letter case."""
    meant: dict[str, set[str]] = {}
    for text, label in spelled.items():
        meant.setdefault(text.casefold(), set()).add(label)
    return {text: labels.pop() for text, labels in meant.items() if len(labels) == 1}


def _number(cell: Any, decimal: str) -> float:
    """The finite number that a cell is, be it written as text or not; NaN where it is none."""
    if isinstance(cell, str):
        number = plain_number(cell, decimal)
    elif isinstance(cell, int | float | Decimal) and not isinstance(cell, bool):
        try:
            number = float(cell)
        except (OverflowError, ValueError):
            return nan
    else:
        return nan
    return number if isfinite(number) else nan
