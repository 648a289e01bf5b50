"""The commit of a node's delivery: one object that names all that a store has delivered at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from facemon.domain.profile_codec import DAMAGED
from facemon.domain.times import format_time, parse_time
from facemon.store.node_state import RowRanges
from facemon.store.shared_log.added_sums import AddedSums
from facemon.store.shared_log.commit import DeliveredSegment
from facemon.store.shared_log.documents import UnreadableDocument, decode, digest_of, encode, refuse_changed, sealed
from facemon.store.shared_log.layout import NodePlace, node_attempt_prefix, node_delivery_key
from facemon.version import __version__

_KIND, _FORMAT = "node-delivery", 1
FURTHEST_AHEAD = timedelta(days=2)
"""A row that was observed or predicted later than this, by the clock of the storage, is of a wrong clock."""


@dataclass(frozen=True, slots=True)
class NodeCommit:
    """Rows of one model that a node has delivered."""

    place: NodePlace
    attempt: str
    model: str
    rows: RowRanges
    """Which images of which runs it adds."""
    segments: Sequence[DeliveredSegment]
    sums: AddedSums
    when: datetime
    """By the clock of the storage."""
    facemon: str = __version__
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    """Those of the model by run, where they are known; commits of earlier versions have none."""

    @property
    def row_count(self) -> int:
        """How many rows it adds."""
        return sum(segment.rows for segment in self.segments)

    @property
    def newest(self) -> int:
        """When its newest row was observed or predicted, in microseconds."""
        return max((max(each.last_observed, each.last_predicted) for each in self.segments), default=0)

    @property
    def digest(self) -> str:
        """The identity of what it adds."""
        outcome = [[segment.sha256, segment.rows] for segment in self.segments]
        return digest_of([list(self.place), self.attempt, self.model, self._listed_rows(), outcome])

    def encoded(self) -> bytes:
        """Return the commit as bytes."""
        return encode(sealed({
            "format": f"facemon.{_KIND}/{_FORMAT}",
            "facemon": self.facemon,
            "node": self.place.node,
            "epoch": self.place.epoch,
            "number": self.place.number,
            "attempt": self.attempt,
            "model": self.model,
            "rows": self._listed_rows(),
            "fingerprints": dict(self.fingerprints),
            "digest": self.digest,
            "segments": [each.document() for each in self.segments],
            **self.sums.parts(),
            "when": format_time(self.when),
        }))  # fmt: skip

    def _listed_rows(self) -> list[Any]:
        return [[run, [list(each) for each in ranges]] for run, ranges in sorted(self.rows.items())]

    @classmethod
    def decoded(cls, content: bytes, place: NodePlace) -> Self:
        """Read the commit of a delivery; UnreadableDocument where it is none, or that of another one."""
        document = decode(content, _KIND, _FORMAT)
        try:
            commit = cls(**_fields(document))
        except (*DAMAGED, AttributeError, OverflowError) as error:
            raise UnreadableDocument("lacks a part of a delivery, or has a part that cannot be read") from error
        if commit.place != place:
            raise UnreadableDocument(f"is the commit of {node_delivery_key(commit.place)}")
        refuse_changed(document)
        own = node_attempt_prefix(place, commit.attempt)
        if not all(segment.key.startswith(own) for segment in commit.segments):
            raise UnreadableDocument("names a segment of another attempt")
        return commit


def _fields(document: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a commit; many kinds of errors for what is not there or is something else."""
    rows = {str(run): [(int(first), int(behind)) for first, behind in ranges] for run, ranges in document["rows"]}
    return {
        "place": NodePlace(str(document["node"]), str(document["epoch"]), int(document["number"])),
        **{field: str(document[field]) for field in ("attempt", "model", "facemon")},
        "rows": rows,
        "fingerprints": {str(run): str(each) for run, each in document.get("fingerprints", {}).items()},
        "segments": tuple(map(DeliveredSegment.of, document["segments"])),
        "sums": AddedSums.of(document),
        "when": parse_time(document["when"]),
    }
