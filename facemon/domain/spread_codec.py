"""Spreads as bytes, for the ledger."""

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from facemon.domain.spread import Spread, SpreadProfile

_HEADER_LENGTH = struct.Struct("<I")


def encode_spreads(spreads: SpreadProfile) -> bytes:
    """A compact form: a JSON header, then all bins as int32 and the sums as float32.

    Of bins it holds the sums up to each, not the steps, whose rounding would add up: so each variance keeps a relative
    precision of 2**-24.
    """
    parts = [*spreads.hours.values(), *spreads.days.values()]
    header = {"hours": _entries(spreads.hours), "days": _entries(spreads.days)}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    bins = np.concatenate([np.empty(0, "<i4"), *(part.bins for part in parts)])
    sums = np.concatenate([np.empty(0), *(part.sums if part.labels else np.cumsum(part.sums) for part in parts)])
    body = _HEADER_LENGTH.pack(len(text)) + text + sums.astype("<f4").tobytes() + bins.astype("<i4").tobytes()
    return zlib.compress(body, 1)


def decode_spreads(data: bytes) -> SpreadProfile:
    """The inverse of `encode_spreads`, but for the sums' rounding."""
    body = zlib.decompress(data)
    (length,) = _HEADER_LENGTH.unpack_from(body)
    start = _HEADER_LENGTH.size + length
    header = json.loads(body[_HEADER_LENGTH.size : start])
    total = sum(entry[3] for part in ("hours", "days") for entry in header[part])
    sums = np.frombuffer(body, "<f4", total, start).astype(np.float64)
    bins = np.frombuffer(body, "<i4", offset=start + 4 * total).astype(np.int32)
    found: dict[str, dict[str, Spread]] = {"hours": {}, "days": {}}
    steps = np.diff(sums, prepend=0.0)
    at = bin_at = 0
    for part, columns in found.items():
        for name, weight, pairs, size, labels in header[part]:
            if labels:
                columns[name] = Spread(sums[at : at + size], weight, pairs, tuple(labels))
            else:
                steps[at : at + 1] = sums[at : at + 1]
                columns[name] = Spread(steps[at : at + size], weight, pairs, bins=bins[bin_at : bin_at + size])
                bin_at += size
            at += size
    return SpreadProfile(**found)


def _entries(spreads: Mapping[str, Spread]) -> list[list[Any]]:
    return [
        [name, spread.weight, spread.pairs, len(spread.sums), list(spread.labels)] for name, spread in spreads.items()
    ]
