"""Files in the log's own schema, such as `predict -o FILE.parquet` writes: counted as the store counts its rows."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from facemon.config.model import LOG_COLUMNS
from facemon.domain.profile import Profile, ProfileKey, Unit
from facemon.domain.source_buckets import has_too_many
from facemon.drift.face_numbers import faces_together, lie_together
from facemon.drift.sample import Sample
from facemon.store.held_hours import HeldHours
from facemon.store.source_groups import SourceGroups
from facemon.tables.table_file import TableFile

_NEWER = {"image_id", "face_confidence"}
"""Columns that files of earlier versions lack."""
_IDENTITY = ("run", "ordinal", "face")
_COUNTED = {"source", "error", *_IDENTITY}
"""The log's own columns that are needed; the others are those of attributes and images."""
_COUNTED_BY_HOUR = _COUNTED | {"observed_at", "model", "origin"}
_MISSING = "faces of some images are missing"
_ROWS_TO_SORT = 1_000_000
"""How many rows at most are held to bring the faces of each image together."""


def is_log_table(file: TableFile) -> bool:
    """Whether a file has every column of the log, with the log's types."""
    return set(LOG_COLUMNS) - _NEWER <= set(file.names) and pa.types.is_timestamp(file.schema.field("observed_at").type)


def read_log_table(file: TableFile, source: str | None = None) -> Sample:
    """The sample of such a file, in the log's bins; failed images and images without a face are counted as such.

    Rows are those of one image where run and ordinal are the same, in any order. Where faces of an image are missing,
    as in rows that were filtered or drawn, how many it had is unknown, and images with more of them are there more
    often: columns of images cannot be compared. With `source` only the rows of that one are counted.
    """
    groups, is_whole = SourceGroups(), True
    if lie_together(_batches(file, ["source", *_IDENTITY], source), str(file.path)):
        for rows in _whole_images(file, source):
            groups.add_rows(rows)
    else:
        for rows in _by_ordinal(file, source):
            together, is_complete = faces_together(rows, str(file.path))
            groups.add_rows(together)
            is_whole &= is_complete
    sample = Sample.of_profiles(groups.sums())
    return sample if is_whole else _without_images(sample)


def read_log_hours(file: TableFile, source: str | None = None) -> Iterator[tuple[ProfileKey, Profile]] | None:
    """The profiles by hour of a reference's rows, in the order of time; None for more sources than are kept apart.

    With `source` only the rows of that one are counted.
    """
    hours = HeldHours()
    for rows in _whole_images(file, source, _COUNTED_BY_HOUR):
        hours.add_rows(rows)
        if has_too_many(hours.sources):
            return None
    held = sorted(hours.profiles(), key=lambda found: found[0].hour)
    return ((key, each.unpacked()) for key, each in held)


def _without_images(sample: Sample) -> Sample:
    """The sample without its columns of images; one that has no value in any row is known."""
    counted = sample.total.columns.items()
    names = [name for name, counts in counted if counts.unit is Unit.IMAGE and counts.holds_values]
    by_source = {
        source: replace(profile, columns={name: each for name, each in profile.columns.items() if name not in names})
        for source, profile in sample.by_source.items()
    }
    faces = Sample.of_sources(by_source)
    return replace(faces, bucketed=sample.bucketed, not_comparable=dict.fromkeys(names, _MISSING), names=sample.names)


def _whole_images(file: TableFile, source: str | None, own: Collection[str] = _COUNTED) -> Iterator[pa.Table]:
    """The rows in pieces that never part the faces of an image, where they lie together, with these `own` columns."""
    held: list[pa.RecordBatch] = []
    for batch in _batches(file, _counted(file, own), source):
        held.append(batch)
        table = pa.Table.from_batches(held)
        faces = pc.fill_null(table["face"], 0).to_numpy()
        last = int(np.flatnonzero(faces == 0)[-1]) if (faces == 0).any() else 0
        if last:
            yield table.slice(0, last)
            held = table.slice(last).to_batches()
    if held:
        yield pa.Table.from_batches(held)


def _by_ordinal(file: TableFile, source: str | None) -> Iterator[pa.Table]:
    """The rows in pieces that hold all rows of an image each; the file is read once for each piece."""
    pieces = 1 + file.rows // _ROWS_TO_SORT
    for piece in range(pieces):
        held = []
        for batch in _batches(file, _counted(file), source):
            ordinals = pc.fill_null(batch["ordinal"], 0).to_numpy()
            held.append(batch.filter(pa.array(ordinals % pieces == piece)))
        if held:
            yield pa.Table.from_batches(held)


def _batches(file: TableFile, columns: Sequence[str], source: str | None) -> Iterator[pa.RecordBatch]:
    for batch in file.batches(columns, encoded=False):
        yield batch if source is None else batch.filter(pc.equal(batch["source"], source))


def _counted(file: TableFile, own: Collection[str] = _COUNTED) -> list[str]:
    """The columns to count; `date` is only the folder in which the store keeps a file."""
    return [
        name
        for name in file.names
        if name in own or (name not in LOG_COLUMNS and not pa.types.is_temporal(file.schema.field(name).type))
    ]
