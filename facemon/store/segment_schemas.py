"""Which columns segments have, read from their heads: the configuration may describe another model than theirs."""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

from facemon.store.ledger.protocol import Ledger
from facemon.store.segment import Segment


def fields_of_segments(ledger: Ledger, segments: Iterable[Segment]) -> tuple[dict[str, pa.Field], bool]:
    """Return the columns of all segments by name, in the order in which they are met, and whether each one was read.

    No row is read. A segment that is damaged, or was just replaced, is left out: reading its rows says so.
    """
    found: dict[str, pa.Field] = {}
    is_whole = True
    for segment in segments:
        try:
            schema = _schema(ledger, segment)
        except (OSError, pa.ArrowException):
            is_whole = False
            continue
        for field in schema:
            found.setdefault(field.name, field)
    return found, is_whole


def _schema(ledger: Ledger, segment: Segment) -> pa.Schema:
    if segment.path is not None:
        return pa.parquet.read_schema(ledger.folder / segment.path)
    if (data := ledger.segments.data(segment.id)) is None:
        raise FileNotFoundError(segment.id)
    with pa.ipc.open_stream(pa.BufferReader(data)) as stream:
        return stream.schema
