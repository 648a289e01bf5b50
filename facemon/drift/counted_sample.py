"""A counted table as bytes, for the ledger: a reference's rows are counted once, not at every check."""

import json
import struct
from collections.abc import Collection, Sequence
from hashlib import sha256

import numpy as np

from facemon import __version__
from facemon.config.drift import TablesConfig
from facemon.config.model import AttributeConfig
from facemon.drift.sample import Sample
from facemon.drift.tables import TableLayout
from facemon.values.drift_result import Check
from facemon.values.profile import add_profiles, decode_profile, encode_profile

_LENGTH = struct.Struct("<Q")


def counting_key(attributes: Sequence[AttributeConfig], tables: TablesConfig, checks: Collection[Check]) -> str:
    """A digest of all that decides how a table's rows are counted, this version of facemon among it."""
    parts = [__version__, *sorted(checks), tables.model_dump_json(), *(each.model_dump_json() for each in attributes)]
    return sha256("\0".join(parts).encode()).hexdigest()


def encode_counted(sample: Sample, layout: TableLayout) -> bytes:
    """Both as bytes: a header of JSON, and the numbers after it."""
    edges = {name: np.ascontiguousarray(values, "<f8") for name, values in layout.edges.items()}
    profiles = {source: encode_profile(profile) for source, profile in sample.by_source.items()}
    header = {
        "sources": [[source, len(data)] for source, data in profiles.items()],
        "not_comparable": dict(sample.not_comparable),
        "faulty": dict(sample.faulty),
        "names": list(sample.names),
        "bucketed": sample.bucketed,
        "edges": [[name, len(values)] for name, values in edges.items()],
        "empty": sorted(layout.empty),
        "like_log": layout.like_log,
    }
    text = json.dumps(header, ensure_ascii=False).encode()
    return b"".join(
        [_LENGTH.pack(len(text)), text, *profiles.values(), *(values.tobytes() for values in edges.values())]
    )


def decode_counted(data: bytes) -> tuple[Sample, TableLayout]:
    """The inverse of `encode_counted`."""
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
        names=tuple(header["names"]),
        bucketed=header["bucketed"],
    )
    return sample, TableLayout(edges, frozenset(header["empty"]), header["like_log"])
