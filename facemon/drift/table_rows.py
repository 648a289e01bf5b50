"""Which rows of a table count, and which cluster each belongs to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from facemon.config.drift import TablesConfig
from facemon.domain.source_buckets import bucket_of, has_too_many
from facemon.drift.table_counts import Codes
from facemon.tables.attribute_cells import text_of, values_of
from facemon.tables.table_faults import refuse_nested
from facemon.tables.table_file import TableFile

_SOURCE = "source"
_LOG_MARKS = {"image", "face", "error", "predicted_at"}
"""A CSV or JSON file with these columns holds predictions."""
_LOG_IDENTITY = ("run", "ordinal", "observed_at", "image_sha256", "image_id")
"""What tells apart images of one name and source in such a file, as far as it has these columns."""


@dataclass(frozen=True, slots=True)
class TableRows:
    """The rows of a table: their clusters, and for the log's own files which of them are faces."""

    file: TableFile
    sources: tuple[str | None, ...]
    codes: Codes
    is_face: NDArray[np.bool_] | None
    """For a file in the log's schema: the rows without an error; none elsewhere, where each row is a face."""
    squares: NDArray[np.int64] | None
    """For each cluster the sum over its images of the squared number of faces; none where no column names images."""
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

    def shape_of(self, code: int) -> tuple[int, int, int]:
        """How many rows and faces one cluster has, and the sum over its images of the squared number of faces."""
        own = self.codes == code
        rows = int(own.sum())
        faces = rows if self.is_face is None else int((own & self.is_face).sum())
        return rows, faces, faces if self.squares is None else int(self.squares[code])


def rows_of_table(file: TableFile, tables: TablesConfig, source: str | None = None) -> TableRows:
    """Find the sources, the faces and the images of a table.

    With `source`, only the rows of that source keep its name: all other rows are counted together, under None.
    """
    is_log = set(file.names) >= _LOG_MARKS
    image, column = ("image", _SOURCE) if is_log else (tables.image, tables.source)
    sources, codes, bucketed = _sources(file, column, source)
    is_face = None
    if is_log:
        errors = [pc.is_null(batch.column(0)).to_numpy(zero_copy_only=False) for batch in file.batches(["error"])]
        is_face = np.concatenate(errors)
    squares = None
    if image in file.names:
        others = [name for name in _LOG_IDENTITY if is_log and name in file.names]
        squares = _squares(_images(file, image, others), codes, len(sources), is_face)
    return TableRows(file, sources, codes, is_face, squares, bucketed)


def _sources(file: TableFile, column: str, wanted: str | None) -> tuple[tuple[str | None, ...], Codes, bool]:
    """The sources, the number of each row's among them, and whether they are buckets of sources."""
    if column not in file.names:
        return (None,), np.zeros(file.rows, dtype=np.int16), False
    names: dict[str | None, int] = {}
    parts = []
    for found, cells in named_sources(file, column):
        kept = found if wanted is None else [name if name == wanted else None for name in found]
        places = np.array([names.setdefault(name, len(names)) for name in kept])
        parts.append(places[cells])
    # A null is looked up in every batch, so None is named even where no row lacks its source.
    codes = np.concatenate(parts)
    is_crowded = has_too_many(names)
    if is_crowded:
        merged: dict[str | None, int] = {}
        codes = np.array([merged.setdefault(bucket_of(name), len(merged)) for name in names])[codes]
        names = merged
    return tuple(names), codes.astype(np.int16), is_crowded


def named_sources(file: TableFile, column: str) -> Iterator[tuple[list[str | None], NDArray[np.intp]]]:
    """For each batch the sources that its cells name, None among them, and the place of each row's.

    A source is text, whatever the type of the column: it is compared with the names of the log.
    """
    for batch in file.batches([column]):
        cells = batch.column(0)
        refuse_nested(file.path, column, cells.type, "names of sources", "tables.source")
        encoded = cells if pa.types.is_dictionary(cells.type) else pc.dictionary_encode(cells)
        found = [text_of(value) or None for value in [*values_of(encoded.dictionary), None]]
        yield found, pc.fill_null(encoded.indices, len(found) - 1).to_numpy(zero_copy_only=False)


def _squares(
    images: NDArray[np.int64], codes: Codes, clusters: int, is_face: NDArray[np.bool_] | None
) -> NDArray[np.int64]:
    """For each cluster the sum of squared counts of its images."""
    if is_face is not None:
        images, codes = images[is_face], codes[is_face]
    if clusters == 1:
        return np.array([(np.bincount(images) ** 2).sum()])
    pairs, counts = np.unique(images * clusters + codes, return_counts=True)
    return np.bincount(pairs % clusters, counts**2, minlength=clusters).astype(np.int64)


def _images(file: TableFile, column: str, others: Sequence[str]) -> NDArray[np.int64]:
    """The number of each row's image, which is the same where its name and all `others` are.

    A row without an image's name is an image alone. FacemonError where the column holds the images themselves.
    """
    refuse_nested(file.path, column, file.schema.field(column).type, "names of images", "tables.image")
    names = _numbered(file, column)
    numbers = names
    for other in others:
        if not pa.types.is_nested(file.schema.field(other).type):
            cells = _numbered(file, other) + 1
            _, numbers = np.unique(numbers * (len(cells) + 1) + cells, return_inverse=True)
    return np.where(names < 0, len(names) + np.arange(len(names)), numbers)


def _numbered(file: TableFile, column: str) -> NDArray[np.int64]:
    """A number for the cell of each row, from 0 on; -1 where there is none."""
    cells = [batch.column(0) for batch in file.batches([column])]
    plain = [pc.cast(each, each.type.value_type) if pa.types.is_dictionary(each.type) else each for each in cells]
    # One dictionary encodes all chunks, so that an image has the same number wherever its rows stand.
    chunks = pc.dictionary_encode(pa.chunked_array(plain)).chunks
    return np.concatenate([pc.fill_null(chunk.indices, -1).to_numpy() for chunk in chunks]).astype(np.int64)
