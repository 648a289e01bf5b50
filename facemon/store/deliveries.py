"""What one writer changes in the log at once: all of it is registered in one transaction, or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from facemon.domain.profile import Profile, ProfileKey
from facemon.domain.row_ranges import meet
from facemon.store.arrivals import RowsByHour
from facemon.store.ledger.protocol import Ledger
from facemon.store.node_state import NodeDelivery
from facemon.store.segment import NewSegment, Segment
from facemon.store.shard_identity import ShardIdentity
from facemon.store.totals import TotalKey


@dataclass(frozen=True, slots=True)
class Delivery:
    """Segments with all that they add to the ledger's sums, and those whose place they take, with what these take away.

    A flush has new segments only; compaction, a retry and retention also replace or remove segments.
    """

    segments: Sequence[NewSegment] = ()
    replaced: Sequence[Segment] = ()
    """Segments that leave the log; their files are given up."""
    totals: Mapping[TotalKey, float] = field(default_factory=dict)
    departed: Mapping[TotalKey, float] = field(default_factory=dict)
    """What rows that leave the log had added to the totals, where it stays."""
    profiles: Mapping[ProfileKey, Profile] = field(default_factory=dict)
    gone_profiles: Sequence[Mapping[ProfileKey, Profile]] = ()
    """Those of the rows that leave, for each segment."""
    arrivals: RowsByHour = field(default_factory=dict)
    gone_arrivals: RowsByHour = field(default_factory=dict)
    shard: ShardIdentity | None = None
    """Of a delivery from a shared log, which is registered once."""
    node: NodeDelivery | None = None
    """Of a delivery of a node, which is registered once, as is each of its images."""


def register(ledger: Ledger, delivery: Delivery) -> bool:
    """Enter a delivery, in a transaction of the caller's.

    False, and nothing is changed, when a segment that it replaces has left the log, or its shard is registered, or a
    node's delivery or an image of it.
    """
    if delivery.shard is not None and ledger.deliveries.has(delivery.shard.name, delivery.shard.shard):
        return False
    if delivery.node is not None and not _is_new(ledger, delivery.node):
        return False
    if not all(ledger.segments.has(segment.id) for segment in delivery.replaced):
        return False
    ledger.segments.remove(delivery.replaced)
    ledger.segments.register(delivery.segments)
    if given_up := [segment.path for segment in delivery.replaced if segment.path]:
        ledger.files.give_up(given_up, int(ledger.now().timestamp()))
    ledger.totals.add(delivery.totals)
    ledger.totals.depart(delivery.departed)
    ledger.profiles.add(delivery.profiles)
    ledger.arrivals.replace(delivery.gone_arrivals, delivery.arrivals)
    for gone in delivery.gone_profiles:
        ledger.profiles.subtract(gone)
    if delivery.shard is not None:
        ledger.deliveries.enter(delivery.shard)
    if delivery.node is not None:
        ledger.nodes.enter(delivery.node.identity)
        ledger.nodes.know(delivery.node.rows)
    return True


def _is_new(ledger: Ledger, node: NodeDelivery) -> bool:
    if ledger.nodes.identity(*node.identity.place) is not None:
        return False
    return not any(meet(ledger.nodes.known(run), ranges) for run, ranges in node.rows.items())
