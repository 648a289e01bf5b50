"""Which rows of a table in the log's schema are faces of one image, and whether all of them are there."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from facemon.errors import FacemonError

_Numbers = NDArray[np.int64]
_NO_FACE = -1


def lie_together(batches: Iterable[pa.RecordBatch], name: str) -> bool:
    """Whether the faces of each image follow each other and count from 0, as a log has them.

    The rows need `run`, `ordinal` and `face`; messages call them `name`. FacemonError where the numbers are none.
    """
    last: list[pa.RecordBatch] = []
    for batch in batches:
        if not batch.num_rows:
            continue
        table = pa.Table.from_batches([*last, batch])
        run, ordinal, face = _identity(table, name)
        begins = face[1:] <= 0
        follows = (run[1:] == run[:-1]) & (ordinal[1:] == ordinal[:-1]) & (face[1:] == face[:-1] + 1)
        if not (begins | follows).all() or (not last and face[0] > 0):
            return False
        last = [batch.slice(batch.num_rows - 1)]
    return True


def faces_together(table: pa.Table, name: str) -> tuple[pa.Table, bool]:
    """The rows ordered by image, its faces numbered from 0, and whether they had these numbers: none is missing.

    An image that is there several times, as in a file that was appended to itself, is as many images.
    """
    run, ordinal, face = _identity(table, name)
    order = np.lexsort((face, ordinal, run))
    repeat = np.empty_like(face)
    repeat[order] = _places(_begins(run[order], ordinal[order], face[order]))
    order = np.lexsort((face, repeat, ordinal, run))
    run, ordinal, face, repeat = (each[order] for each in (run, ordinal, face, repeat))
    begins = _begins(run, ordinal, repeat) | (face == _NO_FACE)
    begins[1:] |= face[:-1] == _NO_FACE
    numbers = np.where(face == _NO_FACE, _NO_FACE, _places(begins))
    at = table.column_names.index("face")
    numbered = pa.array(numbers, pa.int32(), mask=numbers == _NO_FACE)
    return table.take(pa.array(order)).set_column(at, "face", numbered), bool((numbers == face).all())


def _begins(*columns: _Numbers) -> NDArray[np.bool_]:
    """The rows that differ from the one before, the first row too."""
    begins = np.ones(len(columns[0]), np.bool_)
    begins[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return begins


def _places(begins: NDArray[np.bool_]) -> _Numbers:
    """Each row's place, from 0, among those from the last row on that begins something."""
    rows = np.arange(len(begins))
    return rows - np.maximum.accumulate(np.where(begins, rows, 0))


def _identity(table: pa.Table, name: str) -> tuple[_Numbers, _Numbers, _Numbers]:
    """Numbers for the runs, the ordinals, and the faces."""
    runs = pc.dictionary_encode(table["run"].combine_chunks(), null_encoding="encode")
    run = runs.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return run, _numbers(table, "ordinal", name), _numbers(table, "face", name)


def _numbers(table: pa.Table, column: str, name: str) -> _Numbers:
    try:
        cells = pc.fill_null(table[column].cast(pa.int64()), _NO_FACE)
    except pa.ArrowException as error:
        raise FacemonError(
            f"{name}: the column {column} holds {table[column].type}, not whole numbers as those of the log",
            "write the rows anew with facemon log -o FILE.parquet, or leave the column out",
        ) from error
    return cells.to_numpy().astype(np.int64)
