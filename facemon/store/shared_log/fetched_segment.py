"""One segment of a delivery, fetched into a store: its bytes must be those that the commit names."""

import hashlib
import secrets
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from facemon.domain.times import from_micros
from facemon.object_storage.object_folder import ObjectFolder
from facemon.store.segment import NewSegment
from facemon.store.segment_files import observed_range, segment_path, write_parquet_bytes
from facemon.store.shared_log.commit import DeliveredSegment
from facemon.store.shared_log.documents import UnreadableDocument

_NEEDED = ["observed_at", "predicted_at", "model"]
"""What registering a segment looks at; sums come with the delivery."""


def planned(segment: DeliveredSegment) -> tuple[str, str]:
    """Return the name and the path that a segment gets in a store, which no other fetch of it has."""
    observed: datetime = from_micros(segment.first_observed)
    name = secrets.token_hex(8)
    return name, segment_path(name, observed)


def fetched(
    objects: ObjectFolder, store: Path, segment: DeliveredSegment, name: str, path: str, model: str
) -> NewSegment:
    """Write a segment's file below a store; its intent is entered.

    UnreadableDocument where the object is missing or is not the one that was delivered.
    """
    content = objects.read(segment.key)
    if content is None:
        raise UnreadableDocument(f"names {segment.key}, which is missing")
    if len(content) != segment.size:
        raise UnreadableDocument(f"names {segment.key}, which has {len(content)} of {segment.size} bytes")
    if hashlib.sha256(content).hexdigest() != segment.sha256:
        raise UnreadableDocument(f"names {segment.key}, whose bytes are not those that were delivered")
    try:
        table = pa.parquet.read_table(pa.BufferReader(content), columns=_NEEDED)
    except (OSError, pa.ArrowException) as error:
        raise UnreadableDocument(f"names {segment.key}, which is not a segment") from error
    is_as_said = (
        table.num_rows == segment.rows
        and table.num_rows > 0
        and set(table.column_names) == set(_NEEDED)
        and table["model"].unique().to_pylist() == [model]
        and observed_range(table) == (segment.first_observed, segment.last_observed)
    )
    if not is_as_said:
        raise UnreadableDocument(f"names {segment.key}, whose rows are not those that it says")
    return NewSegment(name, path, None, table, write_parquet_bytes(store / path, content))
