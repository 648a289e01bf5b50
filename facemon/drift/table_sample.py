"""A seeded sample of a table's rows as they are, for checks that look at rows and not at counts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from facemon.config.drift import TablesConfig
from facemon.config.model import LOG_COLUMNS, AttributeConfig
from facemon.domain.attribute import Measure
from facemon.domain.profile import UNRECOGNISED
from facemon.drift.log_table import is_log_table
from facemon.drift.table_counts import is_text, may_be_numbers, numbers_of, value_type
from facemon.drift.table_rows import named_sources
from facemon.tables.attribute_cells import AttributeCells, text_of, values_of
from facemon.tables.sourced_table import open_with_sources
from facemon.tables.table_file import TableFile

_SEED = 20_261_123


def sampled_rows(
    table: Path | TableFile,
    *,
    attributes: Sequence[AttributeConfig],
    tables: TablesConfig,
    most: int,
    source: str | None = None,
) -> pa.Table:
    """At most `most` rows of a table in its order, attributes under their names with their labels, columns as declared.

    With `source` only that one's rows. The columns that name an image, a time or a source are left out.
    """
    file = table if isinstance(table, TableFile) else open_with_sources(table, tables)
    rows = np.arange(file.rows) if source is None else _rows_of(file, source, tables)
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(_SEED).choice(rows, most, replace=False))
    bookkeeping = {tables.source, tables.image, tables.observed_at, *LOG_COLUMNS}
    names = [name for name in file.names if name not in bookkeeping]
    if not names:
        return pa.table({})
    start, parts = 0, []
    for batch in file.batches(names):
        end = start + batch.num_rows
        first, last = np.searchsorted(rows, [start, end])
        parts.append(pa.Table.from_batches([batch]).take(pa.array(rows[first:last] - start)).unify_dictionaries())
        start = end
    found = pa.concat_tables(parts, promote_options="permissive")
    for attribute in attributes:
        found = _labelled(found, attribute, tables)
    return found if is_log_table(file) else _declared(found, tables)


def _rows_of(file: TableFile, source: str, tables: TablesConfig) -> NDArray[np.intp]:
    name = "source" if is_log_table(file) else tables.source
    if name not in file.names:
        return np.empty(0, np.intp)
    parts = [np.array([each == source for each in found])[cells] for found, cells in named_sources(file, name)]
    return np.flatnonzero(np.concatenate(parts))


def _declared(table: pa.Table, tables: TablesConfig) -> pa.Table:
    """The table with its columns as `tables.kinds` says, where they can be that."""
    for at, name in enumerate(table.column_names):
        column = table.column(at)
        type_ = value_type(column.type)
        kind = tables.kinds.get(name)
        if kind == "categorical" and not pa.types.is_nested(type_):
            labels = [text_of(cell) or None for cell in values_of(column)]
            table = table.set_column(at, name, pa.array(labels, pa.string()))
        elif kind == "numerical" and may_be_numbers(type_):
            numbers = numbers_of(column.combine_chunks(), tables.csv.decimal)
            table = table.set_column(at, name, pa.array(numbers, from_pandas=True))
    return table


def _labelled(table: pa.Table, attribute: AttributeConfig, tables: TablesConfig) -> pa.Table:
    """The table with an attribute's column under its own name, its cells turned into labels."""
    name = tables.columns.get(attribute.name, attribute.name)
    if name not in table.column_names:
        return table
    at = table.column_names.index(name)
    column = table.column(at)
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    cells = AttributeCells(attribute, tables)
    if not attribute.classes:
        if is_text(value_type(column.type)):
            column = _as_numbers(column, cells)
        return table.set_column(at, Measure.VALUE.column(attribute.name), column)
    labels = [_label(cell, cells) for cell in values_of(column)]
    return table.set_column(at, attribute.name, pa.array(labels, pa.string()))


def _label(cell: Any, cells: AttributeCells) -> str | None:
    """A cell's label; one that is not a label stays as it is, so that another one in its place is seen."""
    label = cells.label_of(cell)
    return (text_of(cell) if label == UNRECOGNISED else label) or None


def _as_numbers(column: pa.ChunkedArray, cells: AttributeCells) -> pa.ChunkedArray | pa.Array:
    """A column of text as numbers, unless some cell is none."""
    numbers = [cells.number_of(cell) for cell in values_of(column)]
    return column if cells.strange else pa.array(numbers, pa.float64(), from_pandas=True)
