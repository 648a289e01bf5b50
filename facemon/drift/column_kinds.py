"""What the cells of a column show of its kind: running numbers, truth values, precision, numbers written as text."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from facemon.config.drift import TablesConfig
from facemon.config.model import LOG_COLUMNS, AttributeConfig
from facemon.domain.array_types import Floats
from facemon.domain.profile import MISSING_LABEL, OTHER, ColumnCounts
from facemon.drift.table_counts import Cells, is_number, is_text, numbers_of, value_type
from facemon.errors import FacemonError
from facemon.tables.attribute_cells import text_of, values_of
from facemon.tables.number_notations import refuse_foreign_numbers
from facemon.tables.table_faults import refuse_nested

FEWEST_DISTINCT = 20
"""With no more distinct values a column is compared by its labels, whatever they look like."""
_LOOKED_AT = 100_000
"""Rows of a table that show how it is written before it becomes a reference."""


def presence(cell: Any) -> str:
    """A label that says only whether there is a value."""
    return MISSING_LABEL if text_of(cell) == MISSING_LABEL else OTHER


def truth(cell: Any) -> str:
    """A number 0 or 1 as the label of a truth value."""
    is_missing = cell is None or cell != cell  # noqa: PLR0124 - NaN
    return MISSING_LABEL if is_missing else text_of(bool(cell))


def are_truths(cells: Cells) -> bool:
    """Whether all numbers of a column are 0, 1 or missing."""
    for batch, _ in cells:
        numbers = numbers_of(batch)
        if not (np.isnan(numbers) | (numbers == 0) | (numbers == 1)).all():
            return False
    return True


def counts_up(values: Floats) -> bool:
    """Whether numbers are a running number: whole, each different from all others, close together or ascending.

    Their type says nothing: a CSV file and a data frame write 1 and 1.0 for the same.
    """
    if len(values) <= FEWEST_DISTINCT or not np.isfinite(values).all() or not (values == np.floor(values)).all():
        return False
    if len(np.unique(values)) < len(values):
        return False
    return bool(np.ptp(values) < 2 * len(values) or (np.diff(values) > 0).all())


def coarse_precision(type_: Any) -> str | None:
    """The name of a type of numbers that is coarser than float64."""
    if pa.types.is_float16(type_):
        return "float16"
    return "float32" if pa.types.is_float32(type_) else None


def coarsest(*precisions: str | None) -> np.dtype[Any]:
    """The coarsest of the named types; float64 where none is named."""
    return min((np.dtype(each or "float64") for each in precisions), key=lambda each: each.itemsize)


def texts_of(columns: Sequence[ColumnCounts]) -> dict[str, int]:
    """How often each label occurs over all clusters, without missing cells."""
    texts = Counter[str]()
    for column in columns:
        texts.update(dict(zip(column.labels, map(int, column.counts), strict=True)))
    texts.pop(MISSING_LABEL, None)
    return dict(texts)


def bytes_fault(where: object, name: str) -> FacemonError:
    """The error for a column of bytes, which may or may not be text."""
    return FacemonError(
        f"{where}: column {name} holds bytes, neither numbers nor text",
        f"leave it out with tables.kinds: {{{name}: ignore}}, or write text as UTF-8 strings",
    )


def refuse_unclear_columns(
    table: pa.Table, where: str, attributes: Sequence[AttributeConfig], tables: TablesConfig
) -> None:
    """FacemonError for a table that a later check would refuse.

    It has a column of bytes, or of numbers in another notation, or lists and objects in place of names.
    The first rows are looked at. So a reference is refused when it is set, while its file is at hand; and so is one
    with a column that no Parquet file can hold.
    """
    for name, what, key in ((tables.image, "images", "tables.image"), (tables.source, "sources", "tables.source")):
        if name in table.column_names:
            refuse_nested(where, name, table.schema.field(name).type, f"names of {what}", key)
    for name in table.column_names:
        _refuse_unstorable(table.select([name]), where)
    labels = {tables.columns.get(each.name, each.name) for each in attributes if each.classes}
    banded = {tables.columns.get(each.name, each.name) for each in attributes if each.reach}
    numbers = {tables.columns.get(column, column) for each in attributes for column in each.columns} - labels
    passed = {tables.image, tables.observed_at, tables.source, *LOG_COLUMNS, *tables.kinds, *labels}
    for name in table.column_names:
        type_ = value_type(table.schema.field(name).type)
        if (name in passed and name not in banded) or is_number(type_):
            continue
        if pa.types.is_binary(type_) and name not in banded:
            raise bytes_fault(where, name)
        if is_text(type_):
            counted = pc.value_counts(table.column(name).slice(0, _LOOKED_AT).drop_null())
            texts = {text_of(each["values"]): each["counts"] for each in counted[: _LOOKED_AT // 10].to_pylist()}
            if len(texts) > FEWEST_DISTINCT or name in numbers | banded:
                refuse_foreign_numbers(where, name, texts, tables.csv.decimal, declarable=name not in numbers | banded)


def _refuse_unstorable(column: pa.Table, where: str) -> None:
    from pyarrow import parquet

    try:
        parquet.write_table(column.slice(0, 0), pa.BufferOutputStream())
    except pa.ArrowException as error:
        (field,) = column.schema
        raise FacemonError(
            f"{where}: column {field.name} holds {field.type}, which a Parquet file cannot hold",
            "write it as numbers, text, truth values or times, or leave it out",
        ) from error


def first_texts(cells: Cells) -> Mapping[str, int]:
    """The distinct texts of a column's first batch, each once."""
    batch, _ = next(iter(cells))
    return dict.fromkeys((text_of(text) for text in values_of(pc.unique(batch))), 1)
