"""Which rows of a table count, and which cluster each belongs to."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from facemon.config.drift import TablesConfig
from facemon.drift.table_counts import Codes
from facemon.tables.attribute_cells import text_of
from facemon.tables.table_file import TableFile
from facemon.values.source_buckets import bucket_of, has_too_many

SOURCE = "source"
_LOG_MARKS = {"image", "face", "error", "predicted_at"}
"""A CSV or JSON file with these columns holds predictions."""


@dataclass(frozen=True, slots=True)
class TableRows:
    """The rows of a table: their clusters, and for the log's own files which of them are faces."""

    file: TableFile
    sources: tuple[str | None, ...]
    codes: Codes
    is_face: NDArray[np.bool_] | None
    """For a file in the log's schema: the rows without an error; none elsewhere, where each row is a face."""
    squares: int
    """The sum over images of the squared number of faces, over the rows without a source."""
    bucketed: bool = False
    """Whether `sources` are buckets of sources."""

    def cells(self, column: str, *, faces_only: bool) -> Iterator[tuple[Any, Codes]]:
        """The cells of a column with their cluster numbers, batch by batch."""
        start = 0
        for batch in self.file.batches([column]):
            cells, end = batch.column(0), start + batch.num_rows
            codes = self.codes[start:end]
            if faces_only and self.is_face is not None:
                kept = self.is_face[start:end]
                cells, codes = cells.filter(pa.array(kept)), codes[kept]
            start = end
            yield cells, codes

    def rows_of(self, code: int) -> tuple[int, int]:
        """How many rows, and how many faces, one cluster has."""
        own = self.codes == code
        return int(own.sum()), int(own.sum() if self.is_face is None else (own & self.is_face).sum())


def rows_of_table(file: TableFile, tables: TablesConfig, source: str | None = None) -> TableRows:
    """Find the sources, the faces and the images of a table; where one `source` is wanted others are not told apart."""
    is_log = set(file.names) >= _LOG_MARKS
    image, column = ("image", SOURCE) if is_log else (tables.image, tables.source)
    sources, codes, bucketed = _sources(file, column, source)
    is_face = None
    if is_log:
        errors = [pc.is_null(batch.column(0)).to_numpy(zero_copy_only=False) for batch in file.batches(["error"])]
        is_face = np.concatenate(errors)
    without = sources.index(None) if None in sources else -1
    rows = codes == without if is_face is None else (codes == without) & is_face
    squares = _squares(file, image, rows) if image in file.names else int(rows.sum())
    return TableRows(file, sources, codes, is_face, squares, bucketed)


def _sources(file: TableFile, column: str, wanted: str | None) -> tuple[tuple[str | None, ...], Codes, bool]:
    """The sources, the number of each row's among them, and whether they are buckets of sources."""
    if column not in file.names:
        return (None,), np.zeros(file.rows, dtype=np.int16), False
    names: dict[str | None, int] = {}
    parts = []
    for batch in file.batches([column]):
        cells = batch.column(0)
        encoded = cells if pa.types.is_dictionary(cells.type) else pc.dictionary_encode(cells)
        found = [text_of(value) or None for value in [*encoded.dictionary.to_pylist(), None]]
        if wanted is not None:
            found = [name if name == wanted else None for name in found]
        places = np.array([names.setdefault(name, len(names)) for name in found])
        parts.append(places[pc.fill_null(encoded.indices, len(found) - 1).to_numpy(zero_copy_only=False)])
    # A null is looked up in every batch, so None is named even where no row lacks its source.
    codes = np.concatenate(parts)
    is_crowded = has_too_many(names)
    if is_crowded:
        merged: dict[str | None, int] = {}
        codes = np.array([merged.setdefault(bucket_of(name), len(merged)) for name in names])[codes]
        names = merged
    return tuple(names), codes.astype(np.int16), is_crowded


def _squares(file: TableFile, image: str, rows: NDArray[np.bool_]) -> int:
    """The sum of squared counts of the images of some rows."""
    start, parts = 0, []
    for batch in file.batches([image]):
        end = start + batch.num_rows
        cells = batch.column(0)
        plain = pc.cast(cells, cells.type.value_type) if pa.types.is_dictionary(cells.type) else cells
        parts.append(plain.filter(pa.array(rows[start:end])))
        start = end
    counts = pc.value_counts(pa.chunked_array(parts)).field("counts").to_numpy(zero_copy_only=False)
    return int((counts.astype(np.int64) ** 2).sum())
