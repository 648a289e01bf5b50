"""The rows of the log: their columns and types, and the error codes."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from facemon.domain.attribute import Attribute
from facemon.domain.kinds.registry import kind_of

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_NAME = "facemon.prediction/1"
IMAGE_FEATURES = ("brightness", "contrast", "sharpness", "saturation", "size", "face_share")
"""What is measured of each image; `face_share` of each face. Their columns are `image_<feature>`."""
IMAGE_COLUMNS = (*(f"image_{feature}" for feature in IMAGE_FEATURES), "image_failed", "image_no_face", "image_faces")
"""The columns of the data check that every log has."""


class ErrorCode(StrEnum):
    """Why an image has no attributes."""

    NO_FACE = "no_face"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    DENIED = "denied"
    NAN = "nan"
    TOO_SLOW = "too_slow"
    """Decoding would have taken, or took, more processor time than it may."""
    CRASHED = "crashed"
    """The process that worked on it ended."""
    CHANGED = "changed"
    """The object is another one than the manifest says."""


class Undated(StrEnum):
    """Why an image's EXIF data do not tell when it was taken."""

    MISSING = "missing"
    INVALID = "invalid"
    """What is written is not a date."""
    AHEAD = "ahead"
    """The date lies more than a day in the future."""


class Origin(StrEnum):
    """Who asked for a prediction."""

    BATCH = "batch"
    API = "api"


def log_schema(attributes: Sequence[Attribute]) -> "pa.Schema":
    """The Arrow schema of the log for a model's attributes; its first columns are the same for all."""
    import pyarrow as pa

    time = pa.timestamp("us", tz="UTC")
    columns: list[tuple[str, pa.DataType]] = [
        ("run", pa.string()),
        ("ordinal", pa.int64()),
        ("image", pa.string()),
        ("image_sha256", pa.string()),
        ("face", pa.int32()),
        ("box", pa.list_(pa.int32())),
        ("observed_at", time),
        ("predicted_at", time),
        ("model", pa.string()),
        ("source", pa.string()),
        ("origin", pa.string()),
        ("error", pa.string()),
        ("error_message", pa.string()),
        ("image_id", pa.string()),
        ("face_confidence", pa.float32()),
    ]
    columns += [(f"image_{feature}", pa.float32()) for feature in IMAGE_FEATURES]
    for attribute in attributes:
        for measure, type_ in kind_of(attribute).columns(attribute).items():
            columns.append((measure.column(attribute.name), pa.type_for_alias(type_)))
    return pa.schema(columns)


class PredictedBatch:
    """What one call of a predictor answers: rows in the log's schema, and what the call cost.

    `rows` holds at least one row for each input, in input order; `ordinals` are the inputs' own.
    `latencies` are the wall seconds of each inference call (all networks on one batch of faces). `undated` says of
    each image that was to be dated by its EXIF data, and could not be, why.
    """

    __slots__ = ("_block", "_rows", "latencies", "ordinals", "undated")

    def __init__(
        self,
        rows: "pa.RecordBatch",
        ordinals: range | tuple[int, ...],
        latencies: tuple[float, ...],
        undated: tuple[Undated, ...] = (),
    ) -> None:
        self._rows: pa.RecordBatch | None = rows
        self._block: bytes | None = None
        self.ordinals = ordinals
        self.latencies = latencies
        self.undated = undated

    @property
    def rows(self) -> "pa.RecordBatch":
        """The predictions."""
        if self._rows is None:
            import pyarrow as pa
            import pyarrow.ipc

            self._rows = pa.ipc.open_stream(self._block).read_next_batch()
        return self._rows

    def __getstate__(self) -> tuple[Any, ...]:
        # Between processes as one block of memory: column by column it takes seven times as long. It stays one until
        # its rows are asked for, and is sent on as it is.
        if self._block is None:
            self._block = _block_of(self.rows)
        return self._block, self.ordinals, self.latencies, self.undated

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._rows = None
        self._block, self.ordinals, self.latencies, self.undated = state


def joined(batches: Sequence[PredictedBatch]) -> PredictedBatch:
    """Several batches as one; their ordinals must be in order."""
    import pyarrow as pa

    return PredictedBatch(
        pa.concat_batches([batch.rows for batch in batches]),
        tuple(ordinal for batch in batches for ordinal in batch.ordinals),
        tuple(seconds for batch in batches for seconds in batch.latencies),
        tuple(reason for batch in batches for reason in batch.undated),
    )


def _block_of(rows: "pa.RecordBatch") -> bytes:
    import pyarrow as pa
    import pyarrow.ipc

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_batch(rows)
    return sink.getvalue().to_pybytes()
