"""The commit of a delivery: one object that names all that a shard adds to a log. The delivery exists when it does."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from facemon.domain.profile_codec import DAMAGED
from facemon.domain.shard import Shard
from facemon.domain.times import format_time, parse_time
from facemon.store.shared_log.added_sums import AddedSums
from facemon.store.shared_log.documents import UnreadableDocument, decode, digest_of, encode, refuse_changed, sealed
from facemon.store.shared_log.layout import attempt_prefix
from facemon.version import __version__

if TYPE_CHECKING:
    import pyarrow as pa

_KIND, _FORMAT = "delivery", 1


@dataclass(frozen=True, slots=True)
class DeliveredSegment:
    """A Parquet object with rows of one date; times are microseconds since 1970."""

    key: str
    """Below the address of the shared log."""
    rows: int
    size: int
    """Bytes."""
    sha256: str
    first_observed: int
    last_observed: int
    last_predicted: int

    def document(self) -> dict[str, str | int]:
        """Return it as an object for JSON."""
        return {
            "path": self.key, "rows": self.rows, "bytes": self.size, "sha256": self.sha256,
            "first_observed": self.first_observed, "last_observed": self.last_observed,
            "last_predicted": self.last_predicted,
        }  # fmt: skip

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read it from such an object; many kinds of errors for another one."""
        numbers = ("rows", "bytes")
        times = ("first_observed", "last_observed", "last_predicted")
        rows, size = (int(document[name]) for name in numbers)
        return cls(str(document["path"]), rows, size, str(document["sha256"]), *(int(document[name]) for name in times))


def encoded_segment(key: str, rows: "pa.Table") -> tuple[DeliveredSegment, bytes]:
    """Return rows of one date as a segment, and its bytes."""
    from facemon.store.segment_files import encode_parquet, last_predicted, observed_range

    content, (first, last) = encode_parquet(rows), observed_range(rows)
    digest = hashlib.sha256(content).hexdigest()
    return DeliveredSegment(key, rows.num_rows, len(content), digest, first, last, last_predicted(rows)), content


@dataclass(frozen=True, slots=True)
class Commit:
    """A shard that was predicted as a whole."""

    name: str
    """Of the job."""
    job: str
    """The digest of the job."""
    shard: Shard
    run: str
    model: str
    fingerprint: str
    source: str | None
    images: int
    inputs: str
    """The running digest of the names of the images."""
    segments: Sequence[DeliveredSegment]
    sums: AddedSums
    when: datetime
    """By the clock of the storage."""
    seconds: float
    facemon: str = __version__

    @property
    def rows(self) -> int:
        """How many rows it adds."""
        return sum(segment.rows for segment in self.segments)

    @property
    def digest(self) -> str:
        """The identity of its inputs and of what came of them; that of another attempt on the shard is another one."""
        outcome = [[segment.sha256, segment.rows] for segment in self.segments]
        return digest_of([self.job, list(self.shard), self.run, self.images, self.inputs, outcome])

    def encoded(self) -> bytes:
        """Return the commit as bytes."""
        return encode(sealed({
            "format": f"facemon.{_KIND}/{_FORMAT}",
            "facemon": self.facemon,
            "name": self.name,
            "job": self.job,
            "shard": self.shard.number,
            "shards": self.shard.of,
            "run": self.run,
            "model": self.model,
            "fingerprint": self.fingerprint,
            "source": self.source,
            "images": self.images,
            "inputs": self.inputs,
            "digest": self.digest,
            "segments": [each.document() for each in self.segments],
            **self.sums.parts(),
            "when": format_time(self.when),
            "seconds": round(self.seconds, 3),
        }))  # fmt: skip

    @classmethod
    def decoded(cls, content: bytes, name: str, number: int) -> Self:
        """Read the commit of a shard; UnreadableDocument where it is none, or that of another shard."""
        document = decode(content, _KIND, _FORMAT)
        try:
            commit = cls(**_fields(document))
        except (*DAMAGED, AttributeError, OverflowError) as error:
            raise UnreadableDocument("lacks a part of a delivery, or has a part that cannot be read") from error
        if (commit.name, commit.shard.number) != (name, number) or not 1 <= number <= commit.shard.of:
            raise UnreadableDocument(f"is the commit of shard {commit.shard} of {commit.name}")
        refuse_changed(document)
        own = attempt_prefix(name, number, commit.run)
        if not all(segment.key.startswith(own) for segment in commit.segments):
            raise UnreadableDocument("names a segment of another attempt")
        return commit


def _fields(document: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a commit; many kinds of errors for what is not there or is something else."""
    texts = ("name", "job", "run", "model", "fingerprint", "inputs", "facemon")
    return {
        **{field: str(document[field]) for field in texts},
        "source": None if document["source"] is None else str(document["source"]),
        "shard": Shard(int(document["shard"]), int(document["shards"])),
        "images": int(document["images"]),
        "segments": tuple(map(DeliveredSegment.of, document["segments"])),
        "sums": AddedSums.of(document),
        "when": parse_time(document["when"]),
        "seconds": float(document["seconds"]),
    }
