"""Profiles as bytes, for the ledger."""

import json
import struct
import zlib
from functools import lru_cache
from itertools import chain, compress, islice

import numpy as np

from facemon.values.packed_columns import ColumnLayout, PackedColumns, packed
from facemon.values.profile import ColumnKind, Profile, Unit

_HEADER_LENGTH = struct.Struct("<I")
_ROWS = b'{"rows":'
"""How a header begins."""
_ROWS_WITHIN = 64
"""Bytes from the beginning of a profile that hold its number of images."""


def encode_profile(profile: Profile) -> bytes:
    """A compact form for the ledger: a JSON header, then all counts as int64 and all bins as int32."""
    columns = packed(profile.columns)
    layout, labels = columns.layout, iter(columns.labels)
    header = {
        "rows": [profile.images, profile.faces, profile.squares],
        "columns": [
            [name, kind.value, unit.value, size, list(islice(labels, 0 if is_number else size))]
            for name, kind, unit, size, is_number in zip(
                layout.names, layout.kinds, layout.units, columns.sizes, layout.is_number.tolist(), strict=True
            )
        ],
    }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    counts, bins = columns.counts.astype("<i8"), columns.bins.astype("<i4")
    return zlib.compress(_HEADER_LENGTH.pack(len(text)) + text + counts.tobytes() + bins.tobytes(), 1)


def decode_profile(data: bytes) -> Profile:
    """The inverse of `encode_profile`; ValueError, KeyError, TypeError or zlib.error for bytes that are damaged."""
    body = zlib.decompress(data)
    (length,) = _HEADER_LENGTH.unpack_from(body)
    start = _HEADER_LENGTH.size + length
    header = json.loads(body[_HEADER_LENGTH.size : start].decode())
    images, faces, squares = header["rows"]
    names, kinds, units, sizes, labels_of = zip(*header["columns"], strict=True) if header["columns"] else ((),) * 5
    counts = np.frombuffer(body, "<i8", sum(sizes), start).astype(np.int64)
    bins = np.frombuffer(body, "<i4", offset=start + counts.nbytes).astype(np.int32)
    layout, labels = _layout(names, kinds, units), tuple(chain.from_iterable(labels_of))
    if len(bins) != sum(compress(sizes, layout.is_number)) or len(bins) + len(labels) != len(counts):
        raise ValueError("there are not as many labels and bins as counts")
    return Profile(images, faces, squares, PackedColumns(layout, sizes, labels, counts, bins))


def images_of(data: bytes) -> int:
    """The images of an encoded profile, of which nothing else is unpacked."""
    start = zlib.decompressobj().decompress(data, _ROWS_WITHIN)[_HEADER_LENGTH.size + len(_ROWS) :]
    return int(start[1 : start.index(b",")])


@lru_cache(maxsize=32)
def _layout(names: tuple[str, ...], kinds: tuple[str, ...], units: tuple[str, ...]) -> ColumnLayout:
    return ColumnLayout.of(names, tuple(map(ColumnKind, kinds)), tuple(map(Unit, units)))
