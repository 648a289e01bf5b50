"""Deliveries of a shared log, registered in a store: each once, in any order, by any number of processes."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from facemon.domain.shard import gaps
from facemon.domain.times import micros
from facemon.object_storage.object_folder import ObjectFolder
from facemon.object_storage.object_store import ObjectEntry
from facemon.store.deliveries import Delivery, register
from facemon.store.ledger.protocol import Ledger
from facemon.store.recovery import recover
from facemon.store.run_state import RunIdentity
from facemon.store.shard_identity import ShardIdentity
from facemon.store.shared_log.commit import Commit
from facemon.store.shared_log.documents import UnreadableDocument
from facemon.store.shared_log.job import Job
from facemon.store.shared_log.layout import (
    DELIVERIES,
    JOBS,
    NODE_DELIVERIES,
    delivery_key,
    job_key,
    job_of,
    shard_of,
)
from facemon.store.shared_log.node_collecting import CollectedNode, NodeCollector
from facemon.store.shared_log.registration import REQUESTS, SHOWN, batches, collecting_writer, fetched_segments


@dataclass
class CollectedJob:
    """What is known of a job after a collection."""

    name: str
    shards: int
    registered: set[int] = field(default_factory=set)
    """Those that the store has now, also where their commits are gone since."""
    new: int = 0
    """How many of them it had not before."""

    @property
    def missing(self) -> list[tuple[int, int]]:
        """The shards that the store does not have, as ranges."""
        return gaps(self.registered, self.shards)


@dataclass
class Collection:
    """What a collection found and did."""

    jobs: list[CollectedJob] = field(default_factory=list)
    nodes: list[CollectedNode] = field(default_factory=list)
    rows: int = 0
    """Rows of the deliveries that were registered now."""
    repeated_rows: int = 0
    """Rows that a delivery of another copy of the same store had brought before, and that do not count again."""
    damaged: list[str] = field(default_factory=list)
    """Objects that are not what their place says, each with the reason; their deliveries are not registered."""

    @property
    def every(self) -> "list[CollectedJob | CollectedNode]":
        """All that deliveries belong to."""
        return [*self.jobs, *self.nodes]


def collect(ledger: Ledger, objects: ObjectFolder, tell: Callable[[], None] = lambda: None) -> Collection:
    """Register each delivery that the ledger does not have; `tell` is called after each.

    StorageError where the storage cannot be asked. What was registered before an error, or before the process is
    killed, stays; the next collection goes on with the rest.
    """
    recover(ledger)
    found = Collection()
    jobs = _jobs(objects, found)
    with collecting_writer(ledger) as writer, ThreadPoolExecutor(REQUESTS, "collect") as pool:
        shards, nodes = _ShardCollector(ledger, objects, writer, jobs), NodeCollector(ledger, objects, writer)
        found.jobs = list(shards.states.values())
        for prefix, collector in ((DELIVERIES, shards), (NODE_DELIVERIES, nodes)):
            for entry, content in _unknown(objects, prefix, collector, pool):
                try:
                    found.rows += collector.take(entry, content)
                except UnreadableDocument as error:
                    found.damaged.append(f"{entry.key} {error}")
                    recover(ledger, holding=writer)
                tell()
        found.nodes, found.repeated_rows = nodes.states, nodes.repeated_rows
    return found


class _Collector(Protocol):
    """Registers deliveries of one kind."""

    def knows(self, entry: ObjectEntry) -> bool:
        """Whether the ledger has a delivery, as its commit's ETag says without reading it."""

    def take(self, entry: ObjectEntry, content: bytes) -> int:
        """Register a delivery and return its rows; UnreadableDocument for one that cannot be registered."""


def _unknown(
    objects: ObjectFolder, prefix: str, collector: _Collector, pool: ThreadPoolExecutor
) -> Iterator[tuple[ObjectEntry, bytes]]:
    """Yield the commits below a prefix that must be read, with their bytes."""
    for entries in batches(objects.listed(prefix)):
        unread = [entry for entry in entries if not collector.knows(entry)]
        contents = pool.map(objects.read, [entry.key for entry in unread])
        for entry, content in zip(unread, contents, strict=True):
            if content is not None:  # else it was removed since it was listed
                yield entry, content


def _jobs(objects: ObjectFolder, found: Collection) -> dict[str, Job]:
    jobs = {}
    for entry in objects.listed(JOBS):
        name, content = job_of(entry.key), objects.read(entry.key)
        if name is None or content is None:
            continue
        try:
            jobs[name] = Job.decoded(content)
        except UnreadableDocument as error:
            found.damaged.append(f"{entry.key} {error}")
    return dict(sorted(jobs.items()))


class _ShardCollector:
    """Registers the deliveries of some jobs."""

    def __init__(self, ledger: Ledger, objects: ObjectFolder, writer: str, jobs: Mapping[str, Job]) -> None:
        self._ledger = ledger
        self._objects = objects
        self._writer = writer
        self._jobs = jobs
        self._known = {name: ledger.deliveries.of_job(name) for name in jobs}
        self.states = {name: CollectedJob(name, job.shards, self._numbers(name, job)) for name, job in jobs.items()}

    def _numbers(self, name: str, job: Job) -> set[int]:
        return {number for number, each in self._known[name].items() if each.job == job.digest}

    def knows(self, entry: ObjectEntry) -> bool:
        """Whether the ledger has a delivery, as its commit's ETag says without reading it."""
        place = shard_of(entry.key)
        if place is None or place[0] not in self._jobs or entry.etag is None:
            return False
        known = self._known[place[0]].get(place[1])
        return known is not None and (known.etag, known.job) == (entry.etag, self._jobs[place[0]].digest)

    def take(self, entry: ObjectEntry, content: bytes) -> int:
        """Register a delivery and return its rows; 0 where the ledger has it.

        UnreadableDocument for one that cannot be registered.
        """
        if (place := shard_of(entry.key)) is None:
            raise UnreadableDocument("is not the commit of a shard")
        name, number = place
        commit = Commit.decoded(content, name, number)
        if (job := self._jobs.get(name)) is None:
            raise UnreadableDocument(f"belongs to the job {job_key(name)}, which is missing or cannot be read")
        if (commit.job, commit.shard.of) != (job.digest, job.shards):
            raise UnreadableDocument(f"belongs to another job than the one in {job_key(name)}")
        identity = ShardIdentity(name, number, job.shards, commit.job, commit.digest, commit.run, entry.etag)
        self._refuse_another(identity)
        is_known = self._ledger.deliveries.has(name, number)
        if is_known and self._known[name].get(number) != identity:
            with self._ledger.writing():  # a copy of the object, which need not be read again
                self._ledger.deliveries.enter(identity)
        is_new = not is_known and self._register(commit, identity)
        self.states[name].registered.add(number)
        self.states[name].new += is_new
        return commit.rows if is_new else 0

    def _refuse_another(self, identity: ShardIdentity) -> None:
        """UnreadableDocument where the ledger has another delivery in its place, or shards of another job so called."""
        if (other := self._ledger.deliveries.conflicting(identity)) is None:
            return
        if other.shard == identity.shard:
            raise UnreadableDocument(
                f"has the digest {identity.digest[:SHOWN]}, and the store has shard {identity.shard} of "
                f"{identity.name} with the digest {other.digest[:SHOWN]} (run {other.run})"
            )
        raise UnreadableDocument(
            f"belongs to the job {identity.job[:SHOWN]}, and the store has shards of another job {identity.name} "
            f"({other.job[:SHOWN]})"
        )

    def _register(self, commit: Commit, identity: ShardIdentity) -> bool:
        """Register a delivery with its run; False where another process was first, or a recovery has its rows."""
        ledger = self._ledger
        if ledger.runs.state(commit.run) is not None:
            with ledger.writing():
                ledger.deliveries.enter(identity)
            return False
        segments = fetched_segments(ledger, self._objects, self._writer, commit.segments, commit.model)
        delivery = Delivery(
            segments,
            totals=commit.sums.totals,
            profiles=commit.sums.profiles,
            arrivals=commit.sums.arrivals,
            shard=identity,
        )
        with ledger.writing():
            # Again, as another process may have registered a delivery meanwhile.
            self._refuse_another(identity)
            is_first = register(ledger, delivery)
            if is_first:
                self._enter_run(commit)
        if not is_first:
            recover(ledger, holding=self._writer)
        return is_first

    def _enter_run(self, commit: Commit) -> None:
        # By this store's clock: that of the machine which predicted is another one, and may be wrong.
        now, runs = micros(self._ledger.now()), self._ledger.runs
        inputs = (delivery_key(commit.name, commit.shard.number), f"shards={commit.shard.of}")
        runs.begin(commit.run, RunIdentity(inputs, commit.model, commit.fingerprint, commit.source), now)
        runs.advance(commit.run, 0, commit.images, commit.inputs)
        runs.finish(commit.run, now)
