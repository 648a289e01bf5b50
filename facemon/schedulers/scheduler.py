"""What a scheduler is: a way to have workers on other machines, each of which predicts one shard at a time.

An engine spreads the images of one run, and the run logs their rows. A scheduler spreads shards, which the workers
deliver themselves: nothing but the numbers of shards and what came of them travels.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from facemon.domain.shard_outcome import ShardOutcome


class PredictsShards(Protocol):
    """A model that is open where a worker is, and all that it needs to deliver."""

    def predict(self, shard: int) -> ShardOutcome:
        """Predict and deliver a shard; trouble is an outcome, never an exception."""


OpensShards = Callable[[], PredictsShards]
"""Opens the model in the process that calls it; FacemonError where that cannot be done. It can be pickled."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where workers run, and what each of them is given."""

    address: str | None = None
    """Of the cluster; `auto` for the one on this machine; None to start one that ends with the run."""
    cpus: float = 1.0
    gpus: float = 0.0


@dataclass(frozen=True, slots=True)
class WorkerBegan:
    """A worker is there, and opens the model."""

    worker: int


@dataclass(frozen=True, slots=True)
class WorkerReady:
    """A worker has opened the model."""

    worker: int
    host: str


@dataclass(frozen=True, slots=True)
class ShardEnded:
    """A worker's attempt on its shard has ended, and the worker is free."""

    worker: int
    outcome: ShardOutcome


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """A worker has ended, or never began."""

    worker: int
    why: str


Event = WorkerBegan | WorkerReady | ShardEnded | WorkerLost


class Workers(Protocol):
    """The workers of a run; each is named by a number. FacemonError from each method once the cluster is lost."""

    @property
    def room(self) -> int:
        """How many workers the cluster has room for now."""

    def start(self, worker: int) -> None:
        """Ask for a worker."""

    def give(self, worker: int, shard: int) -> None:
        """Have a worker that is ready predict a shard."""

    def events(self, wait_s: float) -> Sequence[Event]:
        """Return what has happened, once something has or the time is over; UsageError for unfit nodes."""


class Scheduler(Protocol):
    """A kind of cluster; see docs/architecture.md, "Shards on a cluster"."""

    @property
    def name(self) -> str:
        """Its name in the registry."""

    def refuse(self, placement: Placement) -> None:
        """Raise UsageError where this machine or its settings cannot reach such a cluster; starts nothing."""

    def opened(self, open_shards: OpensShards, placement: Placement) -> AbstractContextManager[Workers]:
        """Connect to the cluster, or start one, while the block runs; its workers end with the block.

        FacemonError where that cannot be done.
        """
