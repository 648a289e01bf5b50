"""What a ledger keeps of deliveries: of shards and of nodes, its own and those that it has collected."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from facemon.domain.row_ranges import Ranges
    from facemon.store.node_state import CollectedFrom, NodeIdentity, NodeState, RowRanges
    from facemon.store.shard_identity import ShardIdentity


class DeliveryRecords(Protocol):
    """Shards that were collected from a shared log; no entry is ever removed, whatever becomes of the rows."""

    def of_job(self, name: str) -> "dict[int, ShardIdentity]":
        """Return the shards of a job that are registered, by their numbers."""

    def jobs(self) -> list[str]:
        """Return the names of all jobs that have registered shards, sorted."""

    def has(self, name: str, shard: int) -> bool:
        """Whether a shard of a job is registered."""

    def conflicting(self, identity: "ShardIdentity") -> "ShardIdentity | None":
        """Return a registered shard that excludes this one: itself with another digest, or one of another job."""

    def enter(self, identity: "ShardIdentity") -> None:
        """Enter a shard; one that is there stays as it is, but for the ETag where the digest is the same."""


class NodeRecords(Protocol):
    """Deliveries of nodes; see `entries` for what all parts have in common."""

    def state(self) -> "NodeState | None":
        """Return how far this store has come with its deliveries; None where it has never delivered."""

    def keep(self, state: "NodeState") -> None:
        """Enter how far this store has come."""

    def sent(self, run: str) -> "Ranges":
        """Return the ordinals of a run that this store has delivered."""

    def send(self, rows: "RowRanges") -> None:
        """Enter rows as delivered."""

    def looked_through(self) -> set[str]:
        """Return the segments all of whose rows are delivered."""

    def look_through(self, segments: Iterable[str]) -> None:
        """Enter segments all of whose rows are delivered, and forget those that have left the log."""

    def has_collected(self) -> bool:
        """Whether this store has registered deliveries of other machines."""

    def collected(self) -> "list[CollectedFrom]":
        """Return how much this store has collected of each node, in the order of their names."""

    def registered(self) -> "Iterator[NodeIdentity]":
        """Yield all deliveries of nodes that this store has collected; none is ever removed."""

    def identity(self, node: str, epoch: str, number: int) -> "NodeIdentity | None":
        """Return a delivery that is registered; None where it is not."""

    def enter(self, identity: "NodeIdentity") -> None:
        """Enter a delivery; one that is there stays as it is, but for the ETag where the digest is the same."""

    def known(self, run: str) -> "Ranges":
        """Return the ordinals of a run whose rows came with deliveries, whatever has become of them."""

    def know(self, rows: "RowRanges") -> None:
        """Enter rows that came with a delivery."""
