"""Deliveries of other machines, and of this one: shards and numbers that are missing, deliveries that were cut off."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facemon.doctor.area import Area
from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined, Finding, Severity
from facemon.domain.counted import counted
from facemon.domain.shard import gaps

if TYPE_CHECKING:
    from facemon.store.ledger.protocol import Ledger
    from facemon.store.node_state import NodeIdentity, NodeState
    from facemon.store.shard_identity import ShardIdentity

_MOST_NAMED = 8
_LOCATION = "LOCATION"
"""Where the ledger does not know it."""


@dataclass(frozen=True, slots=True)
class DeliveryFacts:
    """What the ledger has registered, and how far this store has come as a node."""

    jobs: "Mapping[str, Sequence[ShardIdentity]]"
    nodes: "Sequence[NodeIdentity]"
    own: "NodeState | None"
    shards_location: str | None


def gather(examination: Examination) -> DeliveryFacts | None:
    """Read the registrations; nothing is asked of the shared log. None where the store cannot be read."""
    shards = examination.config.schedule.shards

    def read(ledger: "Ledger") -> DeliveryFacts:
        jobs = {name: tuple(ledger.deliveries.of_job(name).values()) for name in ledger.deliveries.jobs()}
        location = None if shards is None else shards.deliver
        return DeliveryFacts(jobs, list(ledger.nodes.registered()), ledger.nodes.state(), location)

    return examination.read_store(read)


def judge(facts: DeliveryFacts | None) -> Examined:
    """Name what is missing."""
    if facts is None:
        return Examined(not_looked_at=("deliveries: the store cannot be read",))
    jobs, nodes = len(facts.jobs), len({each.node for each in facts.nodes})
    if not jobs and not nodes and facts.own is None:
        return Examined("none: this store neither collects nor delivers")
    own = f"; delivers as {facts.own.node}, {facts.own.number} so far" if facts.own else ""
    looked_at = f"{counted(jobs, 'job')} of shards, {counted(nodes, 'node')} collected{own}"
    return Examined(looked_at, tuple(_findings(facts)))


def _findings(facts: DeliveryFacts) -> Iterator[Finding]:
    collect = f"facemon store collect {facts.shards_location or _LOCATION}"
    for name, shards in facts.jobs.items():
        number = shards[0].shards
        if missing := gaps({each.shard for each in shards}, number):
            seen = f"job {name}: {_named(missing)} of {number}"
            yield Finding(f"{counted(_size(missing), 'shard')} of a job not registered", seen, collect)
    for (node, epoch), numbers in sorted(_by_epoch(facts.nodes).items()):
        if missing := gaps(numbers, max(numbers)):
            seen = f"node {node}, epoch {epoch}: {_named(missing)} of {max(numbers)}"
            what = f"{counted(_size(missing), 'delivery', 'deliveries')} of a node not registered"
            yield Finding(what, seen, f"facemon store collect {_LOCATION}")
    if facts.own is not None and facts.own.pending is not None:
        seen = f"number {facts.own.number + 1} to {facts.own.location} was begun"
        command = f"facemon store deliver {facts.own.location}"
        yield Finding("a delivery of this store was interrupted", seen, command, Severity.WARNING)


def _by_epoch(nodes: "Sequence[NodeIdentity]") -> dict[tuple[str, str], set[int]]:
    found: dict[tuple[str, str], set[int]] = {}
    for each in nodes:
        found.setdefault((each.node, each.epoch), set()).add(each.number)
    return found


def _size(ranges: Sequence[tuple[int, int]]) -> int:
    return sum(last - first + 1 for first, last in ranges)


def _named(ranges: Sequence[tuple[int, int]]) -> str:
    more = f" and {_size(ranges[_MOST_NAMED:])} more" if len(ranges) > _MOST_NAMED else ""
    named = (str(first) if first == last else f"{first} to {last}" for first, last in ranges[:_MOST_NAMED])
    return f"{', '.join(named)}{more}"


AREA = Area("deliveries", gather, judge)
