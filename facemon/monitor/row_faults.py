"""Rows of another program that the log cannot take, each named by its number."""

import pyarrow as pa
import pyarrow.compute as pc

from facemon.errors import FacemonError


def refuse_rows(wrong: pa.Array, name: str, why: str) -> None:
    """FacemonError for the first row that is wrong: `name` is its column."""
    row = pc.index(pc.fill_null(wrong, False), True).as_py()
    if row >= 0:
        raise FacemonError(f"row {row}: {name} {why}")
