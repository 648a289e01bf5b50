"""What the cells of a column of labels say is true of one attribute."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from facemon.config.drift import TablesConfig
from facemon.config.model import AttributeConfig
from facemon.domain.kinds.registry import kind_of
from facemon.tables.attribute_cells import AttributeCells, text_of, values_of

NO_LABEL, UNKNOWN_LABEL, OUT_OF_RANGE = -1, -2, -3


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of one attribute, for each row of a table."""

    codes: NDArray[np.intp]
    """Labels as indices into the attribute's classes; or NO_LABEL, UNKNOWN_LABEL, or OUT_OF_RANGE: a number that lies
    in the reach of no label, so that whatever was predicted is wrong."""
    numbers: NDArray[np.float64]
    """What was given as a number; NaN elsewhere."""
    cells: NDArray[np.intp]
    """Each row's place in `texts`."""
    texts: tuple[str, ...]
    forgiven: NDArray[np.bool_]
    """Where a cell is a label but for letter case or the spaces around it."""

    def of_rows(self, rows: NDArray[np.intp]) -> "Truth":
        """What is said by these rows alone."""
        return Truth(self.codes[rows], self.numbers[rows], self.cells[rows], self.texts, self.forgiven[rows])

    def examples(self, rows: NDArray[np.bool_], most: int) -> tuple[str, ...]:
        """Some of the cells of these rows, each once, in the order of the alphabet."""
        return tuple(sorted({self.texts[cell] for cell in np.unique(self.cells[rows]).tolist()})[:most])


def read_truth(attribute: AttributeConfig, column: pa.ChunkedArray, tables: TablesConfig) -> Truth:
    """Read a column of labels; each distinct cell is looked at once."""
    encoded = pc.dictionary_encode(column.combine_chunks())
    values = [*values_of(encoded.dictionary), None]
    reader = _Reader(attribute, tables)
    read = [reader.read(value) for value in values]
    cells = pc.fill_null(encoded.indices, len(values) - 1).to_numpy(zero_copy_only=False).astype(np.intp)
    return Truth(
        np.array([code for code, _, _ in read], np.intp)[cells],
        np.array([number for _, number, _ in read], np.float64)[cells],
        cells,
        tuple(_shown(value) for value in values),
        np.array([is_forgiven for _, _, is_forgiven in read], np.bool_)[cells],
    )


class _Reader:
    def __init__(self, attribute: AttributeConfig, tables: TablesConfig) -> None:
        self._attribute = attribute
        self._cells = AttributeCells(attribute, tables)
        self._places = {label: index for index, label in enumerate(attribute.classes)}

    def read(self, value: object) -> tuple[int, float, bool]:
        """The code of a cell, its number, and whether something was forgiven."""
        number = self._cells.number_of(value)
        if not self._attribute.classes:
            if np.isfinite(number) and not kind_of(self._attribute).may_be_true(self._attribute, number):
                return UNKNOWN_LABEL, float("nan"), False
            return 0 if np.isfinite(number) else self._none_of_them(value), number, False
        label, is_forgiven = self._cells.read_label(value)
        if label in self._places:
            return self._places[label], number, is_forgiven
        if np.isfinite(number):
            may_be_true = kind_of(self._attribute).may_be_true(self._attribute, number)
            return (OUT_OF_RANGE, number, False) if may_be_true else (UNKNOWN_LABEL, float("nan"), False)
        return self._none_of_them(value), number, False

    def _none_of_them(self, value: object) -> int:
        return NO_LABEL if self._cells.is_missing(value) else UNKNOWN_LABEL


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) and value != value.strip() else text_of(value)
