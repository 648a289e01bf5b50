"""Deliveries of nodes, registered in a store: each delivery and each image once, whatever was copied or restored."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from facemon.domain.row_ranges import meet
from facemon.domain.shard import gaps
from facemon.domain.times import format_time, from_micros, micros
from facemon.object_storage.object_folder import ObjectFolder
from facemon.object_storage.object_store import ObjectEntry
from facemon.store.deliveries import Delivery, register
from facemon.store.ledger.protocol import Ledger
from facemon.store.node_state import NodeDelivery, NodeIdentity, RowRanges
from facemon.store.recovery import recover
from facemon.store.run_state import RunState
from facemon.store.runs import UNKNOWN_INPUTS
from facemon.store.segment import NewSegment
from facemon.store.segment_writer import prepare_segments
from facemon.store.shared_log.added_sums import AddedSums
from facemon.store.shared_log.documents import UnreadableDocument
from facemon.store.shared_log.layout import NodePlace, node_place_of
from facemon.store.shared_log.node_commit import FURTHEST_AHEAD, NodeCommit
from facemon.store.shared_log.registration import SHOWN, fetched_segments
from facemon.store.shared_log.undelivered import ranges_in, without


@dataclass
class CollectedNode:
    """What is known of the deliveries of a node in one epoch after a collection."""

    node: str
    epoch: str
    registered: set[int] = field(default_factory=set)
    """Those that the store has now, also where their commits are gone since."""
    new: int = 0
    """How many of them it had not before."""
    newest: int = 0
    """The largest number that was seen."""

    @property
    def missing(self) -> list[tuple[int, int]]:
        """The numbers that the store does not have, as ranges; what was never seen may be missing behind them."""
        return gaps(self.registered, self.newest)


class NodeCollector:
    """Registers the deliveries of nodes."""

    def __init__(self, ledger: Ledger, objects: ObjectFolder, writer: str) -> None:
        self._ledger = ledger
        self._objects = objects
        self._writer = writer
        self._states: dict[tuple[str, str], CollectedNode] = {}
        self.repeated_rows = 0
        """Rows that another delivery had brought before, and that were left out."""
        # Numbers alone: a hundred nodes have a million deliveries in a year.
        for identity in ledger.nodes.registered():
            self._state(NodePlace(*identity.place)).registered.add(identity.number)

    @property
    def states(self) -> list[CollectedNode]:
        """The nodes and epochs that are known, in order."""
        return [state for _, state in sorted(self._states.items())]

    def knows(self, entry: ObjectEntry) -> bool:
        """Whether the ledger has a delivery, as its commit's ETag says without reading it."""
        if entry.etag is None or (place := node_place_of(entry.key)) is None:
            return False
        known = self._ledger.nodes.identity(*place)
        return known is not None and known.etag == entry.etag

    def take(self, entry: ObjectEntry, content: bytes) -> int:
        """Register a delivery and return its rows; 0 where the ledger has it.

        UnreadableDocument for one that cannot be registered.
        """
        if (place := node_place_of(entry.key)) is None:
            raise UnreadableDocument("is not the commit of a node")
        state = self._state(place)
        commit = NodeCommit.decoded(content, place)
        self._refuse_ahead(commit, entry.modified)
        observed = max((each.last_observed for each in commit.segments), default=0)
        identity = NodeIdentity(*place, commit.digest, entry.etag, observed, micros(entry.modified))
        if (known := self._ledger.nodes.identity(*place)) is not None and known.digest != commit.digest:
            raise UnreadableDocument(
                f"has the digest {commit.digest[:SHOWN]}, and the store has this delivery with the digest "
                f"{known.digest[:SHOWN]}"
            )
        if known is not None and known.etag != identity.etag:
            with self._ledger.writing():  # a copy of the object, which need not be read again
                self._ledger.nodes.enter(identity)
        rows = 0 if known is not None else self._register(commit, identity)
        state.registered.add(place.number)
        return rows

    def _state(self, place: NodePlace) -> CollectedNode:
        state = self._states.setdefault((place.node, place.epoch), CollectedNode(place.node, place.epoch))
        state.newest = max(state.newest, place.number)
        return state

    def _refuse_ahead(self, commit: NodeCommit, modified: datetime) -> None:
        newest = from_micros(commit.newest)
        if newest > modified + FURTHEST_AHEAD:
            raise UnreadableDocument(
                f"has rows of {format_time(newest)}, and the storage wrote it at "
                f"{format_time(modified)}: the clock of {commit.place.node} is wrong: correct it there"
            )

    def _register(self, commit: NodeCommit, identity: NodeIdentity) -> int:
        """Register a delivery, and return its rows; 0 where another process was first."""
        while True:
            delivery = self._prepared(commit, identity)
            with self._ledger.writing():
                is_first = register(self._ledger, delivery)
                if is_first:
                    self._enter_runs(commit, delivery.node.rows if delivery.node else {})
            if not is_first or delivery.node != NodeDelivery(identity, commit.rows):
                recover(self._ledger, holding=self._writer)  # files that are not registered
            if is_first:
                self._states[identity.node, identity.epoch].new += 1
                rows = sum(segment.table.num_rows for segment in delivery.segments)
                self.repeated_rows += commit.row_count - rows
                return rows
            if self._ledger.nodes.identity(*identity.place) is not None:
                return 0
            # An image of it came with another delivery meanwhile: once more, without that image.

    def _prepared(self, commit: NodeCommit, identity: NodeIdentity) -> Delivery:
        segments = fetched_segments(self._ledger, self._objects, self._writer, commit.segments, commit.model)
        known = {run: self._ledger.nodes.known(run) for run in commit.rows}
        if not any(meet(ranges, commit.rows[run]) for run, ranges in known.items()):
            return _delivery(segments, commit.sums, NodeDelivery(identity, commit.rows))
        # A copy of the store has delivered some of its rows: which of both was first does not matter.
        sums, fresh = AddedSums(), list[pa.Table]()
        for segment in segments:
            table = without(pa.parquet.read_table(self._path(segment), partitioning=None), known)
            if table.num_rows:
                sums.add(table)
                fresh.append(table)
        written = [each for table in fresh for each in prepare_segments(self._ledger, self._writer, table)]
        return _delivery(written, sums, NodeDelivery(identity, ranges_in(fresh)))

    def _path(self, segment: NewSegment) -> Path:
        assert segment.path is not None  # noqa: S101 - fetched segments are files
        return self._ledger.folder / segment.path

    def _enter_runs(self, commit: NodeCommit, rows: RowRanges) -> None:
        # By this store's clock: that of the node is another one.
        now, runs = micros(self._ledger.now()), self._ledger.runs
        for run, ranges in rows.items():
            fingerprint = commit.fingerprints.get(run, "")
            runs.extend(run, RunState(commit.model, ranges[-1][1], UNKNOWN_INPUTS, 0, now, now, fingerprint))
            runs.finish(run, now)


def _delivery(segments: list[NewSegment], sums: AddedSums, node: NodeDelivery) -> Delivery:
    return Delivery(segments, totals=sums.totals, profiles=sums.profiles, arrivals=sums.arrivals, node=node)
