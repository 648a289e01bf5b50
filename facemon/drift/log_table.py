"""Files in the log's own schema, such as `predict -o FILE.parquet` writes: counted as the store counts its rows."""

from collections.abc import Collection, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from facemon.config.model import LOG_COLUMNS
from facemon.domain.profile import Profile, ProfileKey
from facemon.domain.source_buckets import has_too_many
from facemon.drift.sample import Sample
from facemon.store.held_hours import HeldHours
from facemon.store.source_groups import SourceGroups
from facemon.tables.table_file import TableFile

_NEWER = {"image_id", "face_confidence"}
"""Columns that files of earlier versions lack."""
_COUNTED = {"source", "face", "error"}
"""The log's own columns that are needed; the others are those of attributes and images."""
_COUNTED_BY_HOUR = _COUNTED | {"observed_at", "model", "origin"}


def is_log_table(file: TableFile) -> bool:
    """Whether a file has every column of the log, with the log's types."""
    return set(LOG_COLUMNS) - _NEWER <= set(file.names) and pa.types.is_timestamp(file.schema.field("observed_at").type)


def read_log_table(file: TableFile, source: str | None = None) -> Sample:
    """The sample of such a file, in the log's bins; failed images and images without a face are counted as such.

    With `source` only the rows of that one are counted.
    """
    groups = SourceGroups()
    for rows in _whole_images(file):
        groups.add_rows(rows if source is None else rows.filter(pc.equal(rows["source"], source)))
    return Sample.of_profiles(groups.sums())


def read_log_hours(file: TableFile, source: str | None = None) -> Iterator[tuple[ProfileKey, Profile]] | None:
    """The profiles by hour of such a file, in the order of time; None where its sources are too many to keep apart.

    With `source` only the rows of that one are counted.
    """
    hours = HeldHours()
    for rows in _whole_images(file, _COUNTED_BY_HOUR):
        hours.add_rows(rows if source is None else rows.filter(pc.equal(rows["source"], source)))
        if has_too_many(hours.sources):
            return None
    held = sorted(hours.profiles(), key=lambda found: found[0].hour)
    return ((key, each.unpacked()) for key, each in held)


def _whole_images(file: TableFile, own: Collection[str] = _COUNTED) -> Iterator[pa.Table]:
    """The rows in pieces that never part the faces of an image, with these of the log's `own` columns."""
    held: list[pa.RecordBatch] = []
    columns = [name for name in file.names if name in own or _is_counted(file, name)]
    for batch in file.batches(columns, encoded=False):
        held.append(batch)
        table = pa.Table.from_batches(held)
        faces = pc.fill_null(table["face"], 0).to_numpy()
        last = int(np.flatnonzero(faces == 0)[-1]) if (faces == 0).any() else 0
        if last:
            yield table.slice(0, last)
            held = table.slice(last).to_batches()
    if held:
        yield pa.Table.from_batches(held)


def _is_counted(file: TableFile, name: str) -> bool:
    """Whether a column is an attribute's or an image's; `date` is only the folder in which the store keeps a file."""
    return name not in LOG_COLUMNS and not pa.types.is_temporal(file.schema.field(name).type)
