"""Counts the columns of a table that hold an attribute: its labels, its numbers or its confidences."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from facemon.config.drift import TablesConfig
from facemon.config.model import AttributeConfig
from facemon.domain.attribute import Measure
from facemon.domain.binning import Scale
from facemon.domain.profile import ColumnCounts, ColumnKind
from facemon.drift.column_kinds import first_texts
from facemon.drift.sample import StrangeCells
from facemon.drift.table_counts import Cells, count_bins, count_labels, fixed_bins, is_number, is_text, value_type
from facemon.tables.attribute_cells import AttributeCells, values_of
from facemon.tables.number_notations import refuse_foreign_numbers

_NO_NUMBERS = "it holds no numbers"


@dataclass(frozen=True, slots=True)
class AttributeColumn:
    """A column of an attribute under its name in the log: its counts by cluster, or why it has none."""

    name: str
    counts: list[ColumnCounts] = field(default_factory=list)
    fault: str | None = None
    strange: StrangeCells | None = None
    """The cells that are neither labels nor numbers, if there are any."""


@dataclass(frozen=True, slots=True)
class AttributeReader:
    """Reads the columns of one table."""

    path: object
    """What errors call the table."""
    tables: TablesConfig
    clusters: int
    cells: Callable[[str], Cells]
    """The cells of a column of the table, batch by batch."""

    def read(self, attribute: AttributeConfig, column: str, name: str, type_: pa.DataType) -> AttributeColumn:
        """Count the column `name` of the table, which has this type and holds the log's `column` of an attribute.

        FacemonError where no cell is a label, or where they are numbers in another notation.
        """
        type_ = value_type(type_)
        if pa.types.is_nested(type_):
            return AttributeColumn(column, fault=f"it holds {type_}, not labels or numbers")
        if column == attribute.name and attribute.classes:
            return self._read_labels(attribute, name, type_)
        is_own = column == attribute.name
        column = Measure.VALUE.column(attribute.name) if is_own else column
        is_confidence = column == Measure.CONFIDENCE.column(attribute.name)
        scale, kind = (Scale.LOGIT, ColumnKind.CONFIDENCE) if is_confidence else (Scale.LOG_LINEAR, ColumnKind.NUMBER)
        if is_number(type_):
            return AttributeColumn(column, count_bins(self.cells(name), self.clusters, fixed_bins(scale), kind))
        if not is_text(type_):
            return AttributeColumn(column, fault=_NO_NUMBERS)
        self._refuse_foreign_numbers(name)
        tables = self.tables if is_own else self.tables.model_copy(update={"values": {}})
        numbers = _NumbersOfText(AttributeCells(attribute, tables))
        counts = count_bins(numbers.of(self.cells(name)), self.clusters, fixed_bins(scale), kind)
        return AttributeColumn(column, counts) if numbers.is_clean else numbers.faulty(column, is_own=is_own)

    def _read_labels(self, attribute: AttributeConfig, name: str, type_: pa.DataType) -> AttributeColumn:
        reader = AttributeCells(attribute, self.tables)
        counts = count_labels(self.cells(name), self.clusters, reader.label_of)
        if not reader.strange:
            return AttributeColumn(attribute.name, counts)
        if attribute.reach and is_text(type_):
            self._refuse_foreign_numbers(name)
        reader.check(f"{self.path}: column {name}")
        return AttributeColumn(attribute.name, counts, strange=StrangeCells(reader.strange, reader.way_out))

    def _refuse_foreign_numbers(self, name: str) -> None:
        texts: Mapping[str, int] = first_texts(self.cells(name))
        refuse_foreign_numbers(str(self.path), name, texts, self.tables.csv.decimal, declarable=False)


class _NumbersOfText:
    """Turns cells of text into numbers, and counts those that are none."""

    def __init__(self, reader: AttributeCells) -> None:
        self.reader = reader
        self.rows = self.strange = 0

    @property
    def is_clean(self) -> bool:
        """Whether there are numbers, and beside them only missing values."""
        return self.reader.holds_any and not self.strange

    def faulty(self, column: str, *, is_own: bool) -> AttributeColumn:
        """What is wrong with a column of other cells; `tables.values` may name those of an attribute's own column."""
        found = ", ".join(self.reader.strange)
        if not found:
            return AttributeColumn(column, fault=_NO_NUMBERS)
        fault = f"{_NO_NUMBERS} (found {found})"
        if self.reader.holds_any:
            share = f"{100 * self.strange / self.rows:.2g} % of its cells"
            fault = f"it mixes numbers and text ({share}, such as {found})"
        way_out = self.reader.way_out if is_own else "leave cells without a number empty"
        return AttributeColumn(column, fault=fault, strange=StrangeCells(self.reader.strange, way_out))

    def of(self, cells: Cells) -> Iterator[tuple[Any, Any]]:
        """The cells as float64, batch by batch; missing ones and those that are not numbers are NaN."""
        for cell_array, codes in cells:
            encoded = cell_array if pa.types.is_dictionary(cell_array.type) else pc.dictionary_encode(cell_array)
            values = [*values_of(encoded.dictionary), None]
            numbers = np.array([self.reader.number_of(value) for value in values])
            is_strange = [
                not isfinite(number) and not self.reader.is_missing(value)
                for number, value in zip(numbers, values, strict=True)
            ]
            places = pc.fill_null(encoded.indices, len(values) - 1).to_numpy(zero_copy_only=False)
            self.rows += len(places)
            self.strange += int(np.array(is_strange)[places].sum())
            yield pa.array(numbers[places]), codes
