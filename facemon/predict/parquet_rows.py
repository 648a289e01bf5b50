"""Rows of a Parquet manifest as cells; a cell that Python cannot hold is the fault of its row."""

from collections.abc import Collection, Iterator
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


def parquet_rows(file: Path, wanted: Collection[str]) -> Iterator[tuple[int, Cells | str]]:
    """Each row's number with its cells in the wanted columns, or with what is wrong with it."""
    from pyarrow import parquet

    with parquet.ParquetFile(file) as table:
        columns = [name for name in table.schema_arrow.names if name in wanted]
        number = 0
        for batch in table.iter_batches(_ROWS_A_BATCH, columns=columns):
            for cells in _rows(batch):
                number += 1
                yield number, cells


def _rows(batch: "pa.RecordBatch") -> Iterator[Cells | str]:
    try:
        yield from batch.to_pylist()
    except (ValueError, OverflowError):  # text that is not UTF-8, a time beyond the year 9999
        for at in range(batch.num_rows):
            yield _row(batch, at)


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
