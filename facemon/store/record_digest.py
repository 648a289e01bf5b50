"""A hash over records of the ledger that does not depend on their order or on how they are packed."""

import hashlib
import json
from collections import Counter
from typing import Any

import numpy as np

from facemon.domain.packed_columns import packed
from facemon.domain.profile import Profile, ProfileKey


class RecordDigest:
    """Counts records by kind, and hashes them: the same records have the same hash, in whatever order they come."""

    def __init__(self) -> None:
        self.records: Counter[str] = Counter()
        self._hashes: list[bytes] = []

    def add(self, kind: str, *fields: Any) -> None:
        """Add a record whose fields JSON can hold."""
        self._add(kind, json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())

    def add_profile(self, key: ProfileKey, profile: Profile) -> None:
        """Add the profile of an hour."""
        columns = packed(profile.columns)
        facts = (*key, profile.images, profile.faces, profile.squares, columns.layout.names, tuple(columns.sizes))
        # Counts are bytes or int64 by how large they are, and so by how the hour was packed.
        numbers = (columns.counts.astype("<i8"), columns.bins.astype("<i4"))
        text = json.dumps((facts, columns.labels), ensure_ascii=False, separators=(",", ":"))
        self._add("hourly profiles", text.encode() + b"".join(map(np.ndarray.tobytes, numbers)))

    def hexdigest(self) -> str:
        """The SHA-256 over the hashes of all records, sorted, as 64 hexadecimal digits."""
        return hashlib.sha256(b"".join(sorted(self._hashes))).hexdigest()

    def _add(self, kind: str, content: bytes) -> None:
        self.records[kind] += 1
        self._hashes.append(hashlib.sha256(kind.encode() + b"\0" + content).digest())
