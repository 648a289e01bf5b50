"""What the log is made of, as its ledger names it: registered segments, and rows that are ready to become one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Segment:
    """A registered segment: a Parquet file below the store's folder, or, without a path, bytes in the ledger."""

    id: str
    path: str | None
    rows: int
    model: str
    first_observed: int
    """Microseconds since 1970, as is `last_observed`; both lie in the segment."""
    last_observed: int
    sha256: str
    last_predicted: int | None = None
    """None where a version of facemon wrote it that did not keep this: its rows tell."""


@dataclass(frozen=True, slots=True)
class NewSegment:
    """Rows that are ready to be registered, in a file that is on the disk or as bytes."""

    id: str
    path: str | None
    data: bytes | None
    table: "pa.Table"
    sha256: str
