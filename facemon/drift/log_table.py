"""Files in the log's own schema, such as `predict -o FILE.parquet` writes: counted as the store counts its rows."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from facemon.config.model import LOG_COLUMNS
from facemon.drift.sample import Sample
from facemon.store.row_profiles import profile_rows
from facemon.tables.table_file import TableFile
from facemon.values.profile import Profile, add_profiles

_NEWER = {"image_id", "face_confidence"}
"""Columns that files of earlier versions lack."""


def is_log_table(file: TableFile) -> bool:
    """Whether a file has every column of the log, with the log's types."""
    return set(LOG_COLUMNS) - _NEWER <= set(file.names) and pa.types.is_timestamp(file.schema.field("observed_at").type)


def read_log_table(file: TableFile) -> Sample:
    """The sample of such a file, in the log's bins; failed images and images without a face are counted as such."""
    by_source: dict[str | None, list[Profile]] = {}
    for rows in _whole_images(file):
        for key, profile in profile_rows(rows).items():
            by_source.setdefault(key.source, []).append(profile)
    return Sample.of_sources({source: add_profiles(parts) for source, parts in by_source.items()})


def _whole_images(file: TableFile) -> Iterator[pa.Table]:
    """The rows in pieces that never part the faces of an image."""
    held: list[pa.RecordBatch] = []
    for batch in file.batches(file.names, encoded=False):
        held.append(batch)
        table = pa.Table.from_batches(held)
        faces = pc.fill_null(table["face"], 0).to_numpy()
        last = int(np.flatnonzero(faces == 0)[-1]) if (faces == 0).any() else 0
        if last:
            yield table.slice(0, last)
            held = table.slice(last).to_batches()
    if held:
        yield pa.Table.from_batches(held)
