"""`facemon predict --engine ray`: all shards of a manifest, each predicted and delivered by a worker of a cluster."""

import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from facemon.application.delivered_shard import DeliveryRequest, delivery_request, manifest_facts
from facemon.application.operation import Operation, Progress
from facemon.application.prediction_run import stopping
from facemon.application.run_inputs import PredictRequest
from facemon.errors import FacemonError, Interrupted, UsageError

if TYPE_CHECKING:
    from facemon.domain.shard_outcome import ShardOutcome
    from facemon.domain.shard_queue import ShardQueue
    from facemon.predict.run_summary import RunSummary
    from facemon.schedulers.scheduler import Event, OpensShards, Placement, Scheduler, Workers

_AGAIN = "run the same command again: it skips delivered shards"
_TURN_S = 1.0
"""How often a run looks whether it was interrupted, and whether it has waited too long for a worker."""


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """The options of predict that speak of a cluster; None where one is not given."""

    engine: str | None = None
    shards: int | None = None
    address: str | None = None
    cpus: float | None = None
    gpus: float | None = None


@dataclass(frozen=True, slots=True)
class ScheduledRequest:
    """Which shards are predicted where."""

    delivery: DeliveryRequest
    """Of the last shard."""
    scheduler: "Scheduler"
    placement: "Placement"


def refuse_other_options(options: ClusterOptions, shard: str | None, deliver: str | None, *, shows: bool) -> bool:
    """Whether the shards go to a cluster; UsageError for options that do not go together, or an unknown engine."""
    from facemon.schedulers.registry import SCHEDULERS

    if options.engine not in SCHEDULERS:
        _refuse_unknown(options.engine, SCHEDULERS)
        of_clusters = {"--shards": options.shards, "--address": options.address, "--worker-cpus": options.cpus,
                       "--worker-gpus": options.gpus}  # fmt: skip
        if given := [name for name, value in of_clusters.items() if value is not None]:
            raise UsageError(
                f"{given[0]} is for a cluster, and --engine names none", "add --engine ray, or leave it out"
            )
        return False
    what = f"--engine {options.engine} predicts shards on a cluster"
    if deliver is None:
        raise UsageError(f"{what}, and --deliver is missing", "add --deliver s3://bucket/log/")
    if shard is not None:
        raise UsageError(f"{what}, and --shard is for one of them", "write --shards N, without --shard")
    if options.shards is None:
        raise UsageError(f"{what}, and --shards is missing", "add --shards N, so that a shard takes minutes")
    if options.shards < 1:
        raise UsageError(f"--shards {options.shards}: there must be one at least", "write how many shards there are")
    if shows:
        raise UsageError(
            f"{what}, and no rows come back from there",
            "leave -o and --format out; facemon store collect registers them",
        )
    return True


def _refuse_unknown(engine: str | None, schedulers: "dict[str, Scheduler]") -> None:
    from facemon.engines.registry import ENGINES
    from facemon.near_names import did_you_mean

    if engine is not None and engine not in ENGINES:
        names = (*ENGINES, *schedulers)
        raise UsageError(
            f"--engine {engine}: is unknown", did_you_mean(engine, names, f"the engines are {', '.join(names)}")
        )


def scheduled_request(predict: PredictRequest, location: str, options: ClusterOptions) -> ScheduledRequest:
    """Return the request of a run on a cluster; UsageError for what cannot be delivered, or reached from here."""
    from facemon.schedulers.registry import SCHEDULERS
    from facemon.schedulers.scheduler import Placement

    scheduler = SCHEDULERS[options.engine or ""]
    placement = Placement(options.address, 1.0 if options.cpus is None else options.cpus, options.gpus or 0.0)
    delivery = delivery_request(predict, location, f"{options.shards}/{options.shards}")
    scheduler.refuse(placement)
    return ScheduledRequest(delivery, scheduler, placement)


def predict_shards(operation: Operation, request: ScheduledRequest) -> "RunSummary":
    """Have all shards predicted and delivered; what was delivered before is not predicted again.

    FacemonError where shards are missing at the end, which it names; UsageError where no attempt can succeed.
    """
    from facemon.application.shard_work import ShardWork

    delivery, shards = request.delivery, request.delivery.shard.of
    rows, sha256 = manifest_facts(operation, delivery)
    if shards > rows:
        raise UsageError(
            f"--shards {shards}: {delivery.predict.paths[0]} has {rows} rows", f"write --shards {max(rows, 1)} at most"
        )
    work = ShardWork.of(operation.config, delivery, sha256, threads=max(1, int(request.placement.cpus)))
    run = _Run(operation, delivery)
    with _opened(request, work) as workers, operation.reporter.progress("predicting", "shards") as progress:
        progress.expect(shards)
        run.work(workers, progress)
    return run.ended()


@contextmanager
def _opened(request: ScheduledRequest, work: "OpensShards") -> "Iterator[Workers]":
    with request.scheduler.opened(work, request.placement) as workers:
        if request.placement.address is None and workers.room < 1:
            each = request.placement
            raise UsageError(
                f"this machine has no room for a worker with {each.cpus:g} CPUs and {each.gpus:g} GPUs",
                "lower --worker-cpus or --worker-gpus, or name a cluster with --address",
            )
        yield workers


class _Run:
    """What happens to the shards of one run."""

    def __init__(self, operation: Operation, delivery: DeliveryRequest) -> None:
        from facemon.predict.run_summary import RunSummary

        self._reporter = operation.reporter
        self._delivery = delivery
        self._stop = threading.Event()
        self._began = time.monotonic()
        self._summary = RunSummary()
        self._before = 0
        """Shards that were delivered already."""
        self._delivered: set[int] = set()
        """As workers have said; those of earlier runs are among them once a worker has looked."""
        self._why: dict[int, str] = {}
        self._is_starved = False
        self._broken: FacemonError | None = None
        """What ended the connection to the cluster."""
        self._last_loss = ""

    def work(self, workers: "Workers", progress: Progress) -> None:
        """Hand shards to workers until all are delivered or given up, no worker or cluster is left, or a signal comes.

        UsageError where no attempt can succeed.
        """
        from facemon.domain.shard_queue import Give, ShardQueue, Stage

        shards = range(1, self._delivery.shard.of + 1)
        queue = ShardQueue(shards, max(1, min(workers.room, len(shards))), time.monotonic())
        with stopping(self._stop):
            try:
                while queue.stage(time.monotonic()) is Stage.WORKING and not self._stop.is_set():
                    for action in queue.actions():
                        if isinstance(action, Give):
                            workers.give(action.worker, action.shard)
                        else:
                            workers.start(action.worker)
                    for event in workers.events(_TURN_S):
                        self._take(event, queue, progress)
            except UsageError:
                raise
            except FacemonError as error:
                self._broken = error
        self._why = queue.given_up
        self._is_starved = queue.stage(time.monotonic()) is Stage.STARVED

    def _take(self, event: "Event", queue: "ShardQueue", progress: Progress) -> None:
        from facemon.domain.shard_outcome import ShardEnd
        from facemon.schedulers.scheduler import ShardEnded, WorkerBegan, WorkerLost, WorkerReady

        match event:
            case WorkerBegan():
                queue.began(event.worker)
            case WorkerReady():
                self._reporter.detail(f"worker {event.worker} is ready on {event.host}")
                queue.ready(event.worker)
            case ShardEnded(outcome=outcome) if outcome.end is ShardEnd.DELIVERED:
                self._count(outcome)
                self._delivered.add(queue.delivered(event.worker))
                progress.advance(1)
            case ShardEnded(outcome=outcome) if outcome.end is ShardEnd.REFUSED:
                raise UsageError(outcome.message, outcome.hint)
            case ShardEnded():
                self._reporter.detail(f"worker {event.worker}: {event.outcome.message}")
                queue.failed(event.worker, event.outcome.message)
            case WorkerLost():
                self._last_loss = event.why
                self._reporter.notice(f"worker {event.worker} was lost: {event.why}")
                queue.lost(event.worker, event.why, time.monotonic())

    def _count(self, outcome: "ShardOutcome") -> None:
        for text in outcome.warnings:
            self._reporter.warn(text)
        self._before += outcome.images == 0
        total = self._summary
        self._summary = replace(
            total,
            ok=total.ok + outcome.ok,
            no_face=total.no_face + outcome.no_face,
            failed=total.failed + outcome.failed,
            faces=total.faces + outcome.faces,
            seconds=time.monotonic() - self._began,
        )

    def ended(self) -> "RunSummary":
        """Say what was delivered and what is missing; FacemonError and Interrupted where that is not all."""
        where = self._delivery.address.url
        if self._summary.images:
            self._reporter.say(str(self._summary))
        if len(self._delivered) == self._delivery.shard.of:
            known = f", {self._before} of them before" if self._before else ""
            self._reporter.say(
                f"{self._said(self._delivered)}{known}; register them where the store is: facemon store collect {where}"
            )
            return self._summary
        missing = self._missing()
        if self._stop.is_set():
            raise Interrupted(f"stopped; {missing}", _AGAIN)
        if self._broken is not None:
            hint = _AGAIN if self._broken.hint is None else f"{self._broken.hint}; then {_AGAIN}"
            raise FacemonError(f"{self._broken.message}; {missing}", hint) from self._broken
        if self._is_starved:
            last = f"; the last one was lost: {self._last_loss}" if self._last_loss else ""
            raise FacemonError(
                f"no worker is left{last}; {missing}", f"look at the cluster (ray status), then {_AGAIN}"
            )
        shard, why = next(iter(self._why.items()))
        raise FacemonError(f"{missing}; shard {shard} was tried several times: {why}", f"fix this error, then {_AGAIN}")

    def _said(self, delivered: Collection[int]) -> str:
        name, shards = self._delivery.name, self._delivery.shard.of
        return f"{self._delivery.address.url}: {len(delivered)} of {shards} shards of {name} are delivered"

    def _missing(self) -> str:
        """Say which shards are missing, by the log itself: a lost worker may have delivered, and an earlier run."""
        from facemon.domain.shard import gaps, shown_ranges

        shards = self._delivery.shard.of
        found = _delivered_shards(self._delivery)
        delivered = self._delivered if found is None else found
        missing = shown_ranges(gaps(delivered, shards))
        if found is None:
            return f"{self._said(delivered)} as far as is known; not known of: {missing}"
        return f"{self._said(delivered)}; " + (f"missing: {missing}" if missing else "none is missing")


def _delivered_shards(delivery: DeliveryRequest) -> set[int] | None:
    """Return which shards of the job the log has; None where it cannot be read."""
    from facemon.object_storage.object_folder import open_folder
    from facemon.object_storage.storage_error import StorageError, Trouble
    from facemon.store.shared_log.entry import delivered_shards

    try:
        return delivered_shards(open_folder(delivery.address, create=False), delivery.name)
    except StorageError as error:
        # A folder is made by the first delivery.
        return set() if error.trouble is Trouble.MISSING else None
