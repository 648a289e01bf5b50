"""Predictions as the cells of a table that a person reads on a terminal."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from facemon.config.model import AttributeConfig
from facemon.domain.kinds.registry import kind_of

if TYPE_CHECKING:
    import pyarrow as pa


def table_columns(attributes: Sequence[AttributeConfig]) -> tuple[str, ...]:
    """The table's header."""
    return ("image", "face", *(attribute.name for attribute in attributes), "outcome")


def table_rows(rows: "pa.RecordBatch", attributes: Sequence[AttributeConfig]) -> Iterator[tuple[str, ...]]:
    """A tuple of cells for each row; the last is `ok` or the error's code."""
    for row in rows.to_pylist():
        face = "" if row["face"] is None else str(row["face"])
        cells = ("" if row["error"] else kind_of(attribute).cell(attribute, row) for attribute in attributes)
        yield (row["image"], face, *cells, row["error"] or "ok")
