"""Profiles as bytes, for the ledger: thousands of hours are read by each check, so they must be quick to unpack."""

import json
import struct
import zlib
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain, compress

import numpy as np
from numpy.typing import NDArray

from facemon.domain.packed_columns import ColumnLayout, PackedColumns, packed
from facemon.domain.profile import ColumnKind, Profile, Unit

_FORM = b"\x02"
"""The first byte. A profile of store version 5 or older begins as zlib's streams do, with another one."""
_HEADER = struct.Struct("<3q2I")
"""Images, faces, squares; the bytes of the columns' JSON and of the labels'."""
_LARGE = 255
"""Numbers from here on, and negative ones, are in a separate list."""
_LEVEL = 1
_OLD_LENGTH, _OLD_ROWS, _OLD_ROWS_WITHIN = struct.Struct("<I"), b'{"rows":', 64

_Numbers = NDArray[np.int64]


def encode_profile(profile: Profile) -> bytes:
    """A compact form for the ledger.

    After the header come the columns (name, kind, unit) and the labels as JSON, which most hours have in common; then
    the sizes of the columns, all counts, and all bins as steps from one to the next, each list by `_bytes_of`.
    """
    columns = packed(profile.columns)
    layout = columns.layout
    names, labels = (
        json.dumps(each, ensure_ascii=False, separators=(",", ":")).encode()
        for each in (list(zip(layout.names, layout.kinds, layout.units, strict=True)), columns.labels)
    )
    steps = np.diff(columns.bins.astype(np.int64), prepend=0)
    header = _HEADER.pack(profile.images, profile.faces, profile.squares, len(names), len(labels))
    numbers = (_bytes_of(each) for each in (columns.sizes, columns.counts, steps))
    return _FORM + zlib.compress(b"".join([header, names, labels, *numbers]), _LEVEL)


def decode_profile(data: bytes) -> Profile:
    """The inverse of `encode_profile`; ValueError or another of `DAMAGED` for bytes that are damaged."""
    if data[:1] != _FORM:
        return _decode_old(data)
    body = zlib.decompress(memoryview(data)[1:])
    images, faces, squares, names_end, labels_end = _HEADER.unpack_from(body)
    names_end += _HEADER.size
    labels_end += names_end
    layout, labels = _layout(body[_HEADER.size : names_end]), _labels(body[names_end:labels_end])
    sizes, at = _numbers(body, labels_end, len(layout.names))
    held = tuple(sizes.tolist())
    counts, at = _numbers(body, at, sum(held))
    if (number := len(counts) - len(labels)) != sum(held) - sum(compress(held, layout.is_label)):
        raise ValueError("there are not as many labels as counts of them")
    steps, at = _numbers(body, at, number)
    columns = PackedColumns(layout, held, labels, counts, np.cumsum(steps, dtype=np.int32))
    return Profile(images, faces, squares, columns)


DAMAGED = (zlib.error, struct.error, ValueError, KeyError, IndexError, TypeError)
"""What `decode_profile` and `images_of` raise for bytes that are damaged."""


def images_of(data: bytes) -> int:
    """The images of an encoded profile, of which nothing else is unpacked."""
    if data[:1] == _FORM:
        return int.from_bytes(zlib.decompressobj().decompress(memoryview(data)[1:], 8), "little")
    start = zlib.decompressobj().decompress(data, _OLD_ROWS_WITHIN)[_OLD_LENGTH.size + len(_OLD_ROWS) :]
    return int(start[1 : start.index(b",")])


def _bytes_of(numbers: Iterable[int] | _Numbers) -> bytes:
    """Numbers as a byte each, and behind them as int64 those that a byte cannot hold."""
    values = np.fromiter(numbers, np.int64)
    is_large = (values < 0) | (values >= _LARGE)
    return np.where(is_large, _LARGE, values).astype(np.uint8).tobytes() + values[is_large].astype("<i8").tobytes()


def _numbers(body: bytes, at: int, count: int) -> tuple[_Numbers | NDArray[np.uint8], int]:
    """So many numbers of `_bytes_of` that begin at a place, as bytes where these are enough; the place behind them."""
    small, at = np.frombuffer(body, np.uint8, count, at).copy(), at + count
    places = (small == _LARGE).nonzero()[0]
    if not len(places):
        return small, at
    values = small.astype(np.int64)
    values[places] = np.frombuffer(body, "<i8", len(places), at)
    return values, at + 8 * len(places)


@lru_cache(maxsize=32)
def _layout(text: bytes) -> ColumnLayout:
    return _layout_of(*zip(*json.loads(text), strict=True)) if text != b"[]" else ColumnLayout.of((), (), ())


@lru_cache(maxsize=256)
def _labels(text: bytes) -> tuple[str, ...]:
    return tuple(json.loads(text))


@lru_cache(maxsize=32)
def _layout_of(names: tuple[str, ...], kinds: tuple[str, ...], units: tuple[str, ...]) -> ColumnLayout:
    return ColumnLayout.of(names, tuple(map(ColumnKind, kinds)), tuple(map(Unit, units)))


def _decode_old(data: bytes) -> Profile:
    """A profile of store version 5 or older: a JSON header, then all counts as int64 and all bins as int32."""
    body = zlib.decompress(data)
    (length,) = _OLD_LENGTH.unpack_from(body)
    start = _OLD_LENGTH.size + length
    header = json.loads(body[_OLD_LENGTH.size : start].decode())
    images, faces, squares = header["rows"]
    names, kinds, units, sizes, labels = zip(*header["columns"], strict=True) if header["columns"] else ((),) * 5
    counts = np.frombuffer(body, "<i8", sum(sizes), start).astype(np.int64)
    bins = np.frombuffer(body, "<i4", offset=start + counts.nbytes).astype(np.int32)
    layout, held = _layout_of(names, kinds, units), tuple(chain.from_iterable(labels))
    if sum(compress(sizes, layout.is_label)) != len(held) or len(held) + len(bins) != len(counts):
        raise ValueError("there are not as many labels and bins as counts")
    return Profile(images, faces, squares, PackedColumns(layout, sizes, held, counts, bins))
