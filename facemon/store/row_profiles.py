"""How log rows become profiles: one for each hour and source, all columns counted at once."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

from facemon.config.model import LOG_COLUMNS
from facemon.domain.attribute import Measure
from facemon.domain.binning import Scale, bins_of, places_of
from facemon.domain.prediction import IMAGE_FEATURES, ErrorCode
from facemon.domain.profile import (
    MISSING_LABEL,
    ColumnCounts,
    ColumnKind,
    Profile,
    ProfileKey,
    Unit,
    categorical_counts,
)
from facemon.domain.times import HOUR_MICROS
from facemon.store.row_counts import label_columns, number_columns

_Codes = NDArray[np.int64]
_NO, _YES = "no", "yes"
_SMALL_TABLE = 65_536
"""Cells of a table of counts that cost less than a sort."""

UNCOUNTED = frozenset(LOG_COLUMNS) - {
    "observed_at", "model", "source", "origin", "face", "error", *(f"image_{feature}" for feature in IMAGE_FEATURES)
}  # fmt: skip
"""The columns of the log that no profile needs."""


def profile_rows(table: pa.Table) -> dict[ProfileKey, Profile]:
    """The profiles of a table of log rows, one for each (hour, model, source, origin) in it.

    All faces of an image must be in the table, next to each other, as every segment has them.
    """
    if not table.num_rows:
        return {}
    hours = table["observed_at"].cast(pa.int64()).to_numpy() // HOUR_MICROS
    named = [_codes(column) for column in (table["model"], _sources(table), table["origin"])]
    combined = hours.astype(np.int64)
    for codes, values in named:
        combined = combined * len(values) + codes
    _, first, of_row = np.unique(combined, return_index=True, return_inverse=True)
    keys = [ProfileKey(int(hours[row]), *(values[codes[row]] for codes, values in named)) for row in first]
    return dict(zip(keys, _profiles(table, of_row.astype(np.int64), len(keys)), strict=True))


def profile_sources(table: pa.Table) -> dict[str | None, Profile]:
    """The profiles of a table of log rows by source alone; of the log's own columns it needs source, face and error."""
    if not table.num_rows:
        return {}
    codes, sources = _codes(_sources(table))
    return dict(zip(sources, _profiles(table, codes, len(sources)), strict=True))


def _sources(table: pa.Table) -> pa.ChunkedArray:
    """The column of sources; an empty one is none, as in the ledger."""
    return pa.compute.if_else(pa.compute.equal(table["source"], ""), None, table["source"])


def _profiles(table: pa.Table, of_row: _Codes, size: int) -> list[Profile]:
    """The profile of each of `size` groups, to which `of_row` assigns the rows."""
    groups = _group(table, of_row, size)
    columns: list[dict[str, ColumnCounts]] = [{} for _ in range(size)]
    for name, counted in _count_columns(table, groups):
        for index, counts in counted:
            columns[index][name] = counts
    return [Profile(*shape, columns[index]) for index, shape in enumerate(_shapes(groups))]


@dataclass(frozen=True, slots=True)
class _Groups:
    """Which profile each row belongs to, and which rows are faces and which begin an image."""

    size: int
    of_row: _Codes
    is_face: NDArray[np.bool_]
    starts_image: NDArray[np.bool_]
    faces_of_image: _Codes
    """Faces of each image, in the order of the rows that begin one; -1 where the image failed."""


def _group(table: pa.Table, of_row: _Codes, size: int) -> _Groups:
    faces = table["face"].to_numpy(zero_copy_only=False) if table["face"].null_count else table["face"].to_numpy()
    is_face = ~np.isnan(faces.astype(np.float64))
    starts = ~is_face | (faces.astype(np.float64) == 0)
    images = np.cumsum(starts) - 1
    # Earlier versions logged rows that differ in time as faces of one image: a window may begin among them.
    per_image = np.bincount(images[is_face & (images >= 0)], minlength=int(starts.sum())).astype(np.int64)
    errors = table["error"]
    failed = pa.compute.and_(pa.compute.is_valid(errors), pa.compute.not_equal(errors, ErrorCode.NO_FACE.value))
    per_image[pa.compute.fill_null(failed, False).to_numpy()[starts]] = -1
    return _Groups(size, of_row, is_face, starts, per_image)


def _shapes(groups: _Groups) -> list[tuple[int, int, int]]:
    """Images, faces and the sum of squared faces of each group."""
    of_image = groups.of_row[groups.starts_image]
    faces = np.maximum(groups.faces_of_image, 0)
    sums = [
        np.bincount(of_image, weights, minlength=groups.size).astype(np.int64) for weights in (None, faces, faces**2)
    ]
    return [(int(images), int(faces), int(squares)) for images, faces, squares in zip(*sums, strict=True)]


def _count_columns(table: pa.Table, groups: _Groups) -> Iterator[tuple[str, Iterator[tuple[int, ColumnCounts]]]]:
    size = groups.size
    of_face, of_image = groups.of_row[groups.is_face], groups.of_row[groups.starts_image]
    for name in label_columns(table.schema):
        codes, labels = _codes(table[name])
        texts = [MISSING_LABEL if label is None else label for label in labels]
        yield name, _categorical(of_face, codes[groups.is_face], texts, size, Unit.FACE)
    for name in number_columns(table.schema):
        is_confidence = Measure.CONFIDENCE.attribute_of(name) is not None
        kind = ColumnKind.CONFIDENCE if is_confidence else ColumnKind.NUMBER
        scale = Scale.LOGIT if is_confidence else Scale.LOG_LINEAR
        yield name, _binned(of_face, bins_of(_floats(table[name])[groups.is_face], scale), kind, Unit.FACE)
    for feature in IMAGE_FEATURES:
        name = f"image_{feature}"
        if name in table.column_names:
            unit = Unit.FACE if feature == "face_share" else Unit.IMAGE
            rows, of = (groups.is_face, of_face) if unit is Unit.FACE else (groups.starts_image, of_image)
            bins = bins_of(_floats(table[name])[rows], Scale.LOG_LINEAR)
            yield name, _binned(of, bins, ColumnKind.NUMBER, unit)
    counts = groups.faces_of_image
    failed, none = (counts < 0).astype(np.int64), (counts == 0).astype(np.int64)
    yield "image_failed", _categorical(of_image, failed, [_NO, _YES], size, Unit.IMAGE)
    yield "image_no_face", _categorical(of_image, none, [_NO, _YES], size, Unit.IMAGE)
    known = np.where(counts < 0, np.nan, counts)
    yield "image_faces", _binned(of_image, bins_of(known, Scale.LOG_LINEAR), ColumnKind.NUMBER, Unit.IMAGE)


def _categorical(
    groups: _Codes, codes: _Codes, labels: list[str], size: int, unit: Unit
) -> Iterator[tuple[int, ColumnCounts]]:
    table = np.bincount(groups * len(labels) + codes, minlength=size * len(labels)).reshape(size, len(labels))
    for index in np.flatnonzero(table.sum(axis=1)):
        yield int(index), categorical_counts(dict(zip(labels, table[index].tolist(), strict=True)), unit)


def _binned(
    groups: _Codes, bins: NDArray[np.int32], kind: ColumnKind, unit: Unit
) -> Iterator[tuple[int, ColumnCounts]]:
    if not len(bins):
        return
    of_key, keys, counts = _tabulated(groups, bins)
    edges = np.flatnonzero(np.diff(of_key, prepend=-1))
    for start, end in zip(edges, [*edges[1:], len(keys)], strict=True):
        # Sorted and without repeats, as a profile wants them.
        yield int(of_key[start]), ColumnCounts(kind, unit, counts[start:end], bins=keys[start:end])


def _tabulated(groups: _Codes, bins: NDArray[np.int32]) -> tuple[_Codes, NDArray[np.int32], _Codes]:
    """The group, the bin and the count of each pair that occurs, sorted by group and bin."""
    size = int(groups.max()) + 1
    tabulated = places_of(bins, max(_SMALL_TABLE, len(bins)) // size)
    if tabulated is None:
        # Bins far apart: one sort, the group in the high half, the bin, shifted to be positive, in the low one.
        pairs, counts = np.unique((groups << 32) | (bins.astype(np.int64) + 2**31), return_counts=True)
        return pairs >> 32, ((pairs & 0xFFFFFFFF) - 2**31).astype(np.int32), counts.astype(np.int64)
    places, keys = tabulated
    table = np.bincount(groups * len(keys) + places)
    cells = np.flatnonzero(table)
    return cells // len(keys), keys[cells % len(keys)], table[cells].astype(np.int64)


def _codes(column: pa.ChunkedArray) -> tuple[_Codes, list[str | None]]:
    """Each value's place in the list of distinct values; null is a value."""
    if pa.types.is_dictionary(column.type):
        encoded = column.unify_dictionaries().combine_chunks()
        values = encoded.dictionary.to_pylist()
        indices = encoded.indices
        if indices.null_count:
            indices, values = pa.compute.fill_null(indices, len(values)), [*values, None]
        return indices.to_numpy().astype(np.int64), values
    encoded = pa.compute.dictionary_encode(column, null_encoding="encode").combine_chunks()
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()


def _floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return column.cast(pa.float64()).to_numpy(zero_copy_only=False)
