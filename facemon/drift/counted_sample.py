"""A counted table as bytes, for the ledger: a reference's rows are counted once, not at every check."""

import json
import struct
import zlib
from collections.abc import Collection, Sequence
from hashlib import sha256

import numpy as np

from facemon.config.drift import TablesConfig
from facemon.config.model import AttributeConfig
from facemon.domain.drift_result import Check
from facemon.domain.profile import add_profiles
from facemon.domain.profile_codec import decode_profile, encode_profile
from facemon.drift.sample import Sample, StrangeCells
from facemon.drift.tables import TableLayout
from facemon.version import __version__

_COUNTING = 5
"""The version of how rows are counted and of the bytes below; a change of either raises it."""
_LENGTH = struct.Struct("<Q")
_DIGEST_SIZE = sha256().digest_size


def counting_key(attributes: Sequence[AttributeConfig], tables: TablesConfig, checks: Collection[Check]) -> str:
    """A digest of all that decides how a table's rows are counted.

    This version of facemon is among it, and so is that of the counting: what was counted otherwise is not read again
    even where no release lies between.
    """
    parts = [
        __version__,
        str(_COUNTING),
        *sorted(checks),
        tables.model_dump_json(),
        *(each.model_dump_json() for each in attributes),
    ]
    return sha256("\0".join(parts).encode()).hexdigest()


def encode_counted(sample: Sample, layout: TableLayout) -> bytes:
    """Both as bytes: a digest of the rest, a header of JSON, and the numbers after it."""
    edges = {name: np.ascontiguousarray(values, "<f8") for name, values in layout.edges.items()}
    profiles = {source: encode_profile(profile) for source, profile in sample.by_source.items()}
    header = {
        "sources": [[source, len(data)] for source, data in profiles.items()],
        "not_comparable": dict(sample.not_comparable),
        "faulty": dict(sample.faulty),
        "strange": {name: [cells.examples, cells.way_out] for name, cells in sample.strange.items()},
        "names": list(sample.names),
        "bucketed": sample.bucketed,
        "edges": [[name, len(values)] for name, values in edges.items()],
        "empty": sorted(layout.empty),
        "like_log": layout.like_log,
        "precisions": dict(layout.precisions),
        "truths": sorted(layout.truths),
    }
    text = json.dumps(header, ensure_ascii=False).encode()
    body = b"".join(
        [_LENGTH.pack(len(text)), text, *profiles.values(), *(values.tobytes() for values in edges.values())]
    )
    return sha256(body).digest() + body


def decode_counted(data: bytes) -> tuple[Sample, TableLayout] | None:
    """The inverse of `encode_counted`; None for bytes that are damaged or of another form."""
    digest, body = data[:_DIGEST_SIZE], data[_DIGEST_SIZE:]
    if sha256(body).digest() != digest:
        return None
    try:
        return _decode(body)
    except (ValueError, LookupError, TypeError, struct.error, zlib.error):
        return None


def _decode(data: bytes) -> tuple[Sample, TableLayout]:
    (length,) = _LENGTH.unpack_from(data)
    at = _LENGTH.size + length
    header = json.loads(data[_LENGTH.size : at])
    by_source = {}
    for source, size in header["sources"]:
        by_source[source] = decode_profile(data[at : at + size])
        at += size
    edges = {}
    for name, count in header["edges"]:
        edges[name] = np.frombuffer(data, "<f8", count, at).astype(np.float64)
        at += 8 * count
    sample = Sample(
        by_source,
        add_profiles(by_source.values()),
        not_comparable=header["not_comparable"],
        faulty=header["faulty"],
        strange={name: StrangeCells(tuple(cells), way_out) for name, (cells, way_out) in header["strange"].items()},
        names=tuple(header["names"]),
        bucketed=header["bucketed"],
    )
    empty, truths = frozenset(header["empty"]), frozenset(header["truths"])
    return sample, TableLayout(edges, empty, header["like_log"], header["precisions"], truths)
