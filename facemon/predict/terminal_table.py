"""Predictions as the cells of a table that a person reads on a terminal."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from facemon.config.model import AttributeConfig

if TYPE_CHECKING:
    import pyarrow as pa


def table_columns(attributes: Sequence[AttributeConfig]) -> tuple[str, ...]:
    """The table's header."""
    return ("image", "face", *(attribute.name for attribute in attributes), "outcome")


def table_rows(rows: "pa.RecordBatch", attributes: Sequence[AttributeConfig]) -> Iterator[tuple[str, ...]]:
    """A tuple of cells for each row; the last is `ok` or the error's code."""
    for row in rows.to_pylist():
        face = "" if row["face"] is None else str(row["face"])
        cells = ("" if row["error"] else _cell(attribute, row) for attribute in attributes)
        yield (row["image"], face, *cells, row["error"] or "ok")


def _cell(attribute: AttributeConfig, row: dict[str, Any]) -> str:
    name = attribute.name
    if attribute.kind == "number":
        value = f"{row[name + '_value']:.4g}"
        return f"{value} ({row[name]})" if attribute.bands else value
    label = f"{row[name]} {row[name + '_confidence']:.0%}".replace("%", " %")
    return f"{row[name + '_value']:.1f} ({label})" if attribute.kind == "ordinal" else label
