"""Which worker gets which shard, what becomes of the shard of a lost worker, and when a job ends; a pure state machine.

It reads no clock and starts nothing: what happens, and when, is told to it, and it says what is to be done.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

MOST_RETRIES = 3
"""How often a shard is tried again, and how often a place is filled again before its workers have ended a shard."""
NO_WORKER_S = 60.0
"""A job without any worker ends after so long."""


@dataclass(frozen=True, slots=True)
class Start:
    """A worker is to be started."""

    worker: int


@dataclass(frozen=True, slots=True)
class Give:
    """A worker that is ready is to predict a shard."""

    worker: int
    shard: int


Action = Start | Give


class Stage(Enum):
    """How far a job is."""

    WORKING = auto()
    ENDED = auto()
    """Each shard is delivered or given up."""
    STARVED = auto()
    """No worker is there, and none has come in time."""


class ShardQueue:
    """The shards of one job, and the workers that predict them."""

    def __init__(self, shards: Iterable[int], workers: int, now: float, *, patience_s: float = NO_WORKER_S) -> None:
        self._waiting = deque(shards)
        self._patience_s = patience_s
        self._tries: Counter[int] = Counter()
        self._given_up: dict[int, str] = {}
        self._running: dict[int, int] = {}
        """The shard of each worker that is busy."""
        self._free: list[int] = []
        self._starting: set[int] = set()
        """Those that were asked for, and may never come."""
        self._opening: set[int] = set()
        """Those that have come, and open the model."""
        self._places: dict[int, int] = {}
        """Which place each worker has; a lost worker's is filled again."""
        self._losses: Counter[int] = Counter()
        """Of each place: workers that were lost since one of them last ended a shard."""
        self._to_start: deque[int] = deque()
        self._last_worker = 0
        self._without_since: float | None = now
        for place in range(workers):
            self._fill(place)

    @property
    def missing(self) -> list[int]:
        """The shards that are not delivered as far as is known, in their order."""
        return sorted({*self._waiting, *self._running.values(), *self._given_up})

    @property
    def given_up(self) -> dict[int, str]:
        """The shards that are not tried again, each with its last trouble."""
        return dict(self._given_up)

    def actions(self) -> list[Action]:
        """Return what is to be done now; each action is returned once."""
        found: list[Action] = []
        # Without shards that wait another worker would have nothing to do.
        while self._to_start and self._waiting:
            worker = self._to_start.popleft()
            self._starting.add(worker)
            found.append(Start(worker))
        while self._free and self._waiting:
            worker, shard = self._free.pop(), self._waiting.popleft()
            self._running[worker] = shard
            self._tries[shard] += 1
            found.append(Give(worker, shard))
        return found

    def began(self, worker: int) -> None:
        """Note that a worker is there, and opens the model: however long that takes, the job is not without workers."""
        self._starting.discard(worker)
        self._opening.add(worker)
        self._without_since = None

    def ready(self, worker: int) -> None:
        """Note that a worker can predict."""
        self._starting.discard(worker)
        self._opening.discard(worker)
        self._free.append(worker)
        self._without_since = None

    def delivered(self, worker: int) -> int:
        """Note that a worker's shard is in the log, and return which one it was."""
        self._losses[self._places[worker]] = 0
        self._free.append(worker)
        return self._running.pop(worker)

    def failed(self, worker: int, why: str) -> None:
        """Note that a worker could not deliver its shard, and goes on."""
        self._losses[self._places[worker]] = 0
        self._try_again(self._running.pop(worker), why)
        self._free.append(worker)

    def lost(self, worker: int, why: str, now: float) -> None:
        """Note that a worker has ended; its shard is tried again, and its place filled again, a few times."""
        place = self._places.pop(worker)
        self._starting.discard(worker)
        self._opening.discard(worker)
        if worker in self._free:
            self._free.remove(worker)
        if (shard := self._running.pop(worker, None)) is not None:
            self._try_again(shard, why)
        self._losses[place] += 1
        if self._losses[place] <= MOST_RETRIES:
            self._fill(place)
        if self._without_since is None and not (self._free or self._running or self._opening):
            self._without_since = now

    def stage(self, now: float) -> Stage:
        """Return how far the job is at a time of the clock that the losses are told by."""
        if not (self._waiting or self._running):
            return Stage.ENDED
        if self._without_since is None:
            return Stage.WORKING
        none_comes = not (self._starting or self._to_start)
        return Stage.STARVED if none_comes or now - self._without_since >= self._patience_s else Stage.WORKING

    def _fill(self, place: int) -> None:
        self._last_worker += 1
        self._places[self._last_worker] = place
        self._to_start.append(self._last_worker)

    def _try_again(self, shard: int, why: str) -> None:
        if self._tries[shard] > MOST_RETRIES:
            self._given_up[shard] = why
        else:
            # Behind the others: trouble of the storage or of a node may have passed by then.
            self._waiting.append(shard)
