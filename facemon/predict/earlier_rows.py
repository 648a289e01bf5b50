"""Recognize files of rows that facemon wrote, by their content: a new result may replace them."""

from pathlib import Path

_COLUMNS = frozenset({"run", "ordinal", "image"})
"""Of every format with columns, whatever the model and the version."""
_PARQUET = b"PAR1"
_JSON = b'{"schema": "facemon.prediction/'
"""What a file begins with."""
_LONGEST_LINE = 1 << 20


def holds_rows(path: Path) -> bool:
    """Whether a file is one of `predict -o` or `log -o`, in any format, or the beginning of one; OSError."""
    with path.open("rb") as file:
        line = file.readline(_LONGEST_LINE)
    if line.startswith(_PARQUET):
        columns = parquet_columns(path)
        return columns is None or set(columns) >= _COLUMNS
    return line.startswith(_JSON) or set(line.decode("utf-8", "replace").rstrip().split(",")) >= _COLUMNS


def parquet_columns(path: Path) -> list[str] | None:
    """Return the columns of a Parquet file; None for one that is not whole, so that nothing can be read of it."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return [str(name) for name in parquet.read_schema(path).names]
    except pa.ArrowException:
        return None
