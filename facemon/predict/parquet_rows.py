"""Rows of a Parquet manifest as cells; a cell that Python cannot hold is the fault of its row."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.predict.manifest_lines import AS_BYTES, Cells

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_A_BATCH = 4096


def column_names(file: Path) -> list[str]:
    """The names of all columns; OSError or ValueError where the file is damaged."""
    from pyarrow import parquet

    return list(parquet.read_schema(file).names)


def row_count(file: Path) -> int:
    """The number of rows, which the file says at its end; OSError or ValueError where the file is damaged."""
    from pyarrow import parquet

    return int(parquet.read_metadata(file).num_rows)


def parquet_rows(
    file: Path, wanted: Collection[str], span: tuple[int, int] | None = None
) -> Iterator[tuple[int, Cells | str]]:
    """Each row's number with its cells in the wanted columns, or with what is wrong with it.

    With `span` the rows from the first of two places on, up to the second: other row groups are not read.
    """
    from pyarrow import parquet

    with parquet.ParquetFile(file) as table:
        columns = [name for name in table.schema_arrow.names if name in wanted]
        sizes = [table.metadata.row_group(at).num_rows for at in range(table.num_row_groups)]
        first, end = span or (0, sum(sizes))
        groups, number = _groups_within(sizes, first, end)
        for batch in table.iter_batches(_ROWS_A_BATCH, row_groups=groups, columns=columns):
            skipped, taken = max(first - number, 0), min(end - number, batch.num_rows)
            rows = batch.slice(skipped, max(taken - skipped, 0))
            yield from enumerate(_rows(rows), number + skipped + 1)
            number += batch.num_rows


def _groups_within(sizes: Sequence[int], first: int, end: int) -> tuple[list[int], int]:
    """The row groups with rows of a span, and how many rows are before them."""
    groups, before, start = [], 0, 0
    for at, size in enumerate(sizes):
        if start + size > first and start < end:
            groups.append(at)
        elif not groups:
            before = start + size
        start += size
    return groups, before


def _rows(batch: "pa.RecordBatch") -> Iterator[Cells | str]:
    batch = _in_microseconds(batch)
    try:
        yield from batch.to_pylist()
    except (ValueError, OverflowError):  # text that is not UTF-8, a time beyond the year 9999
        for at in range(batch.num_rows):
            yield _row(batch, at)


def _in_microseconds(batch: "pa.RecordBatch") -> "pa.RecordBatch":
    """The batch without digits of times that Python's do not have: pyarrow would refuse to drop them."""
    import pyarrow as pa

    if not any(pa.types.is_timestamp(each.type) and each.type.unit == "ns" for each in batch.schema):
        return batch
    columns = [
        column.cast(pa.timestamp("us", column.type.tz), safe=False) if pa.types.is_timestamp(column.type) else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)


def _row(batch: "pa.RecordBatch", at: int) -> Cells | str:
    cells = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            cells[name] = column[at].as_py()
        except UnicodeDecodeError:
            cells[name] = bytes(column[at].as_buffer()).decode("utf-8", AS_BYTES)
        except (ValueError, OverflowError) as error:
            return f"{name} cannot be read: {str(error).splitlines()[0]}"
    return cells
