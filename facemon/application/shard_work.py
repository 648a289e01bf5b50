"""What a worker on another machine is given, once: all that it needs to predict shards of a job and to deliver them."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from facemon.application.delivered_shard import DeliveryRequest, deliver_shard, job_of, manifest_facts
from facemon.application.operation import HiddenProgress, Operation, Progress
from facemon.application.prediction import opened_model
from facemon.application.prediction_run import Sink
from facemon.config.document import Config
from facemon.domain.shard import Shard
from facemon.domain.shard_outcome import ShardEnd, ShardOutcome, undelivered
from facemon.engines.registry import WITHOUT_FORKS
from facemon.errors import FacemonError, Interrupted, UsageError

if TYPE_CHECKING:
    from facemon.engines.engine import RunModel
    from facemon.store.shared_log.job import Job


@dataclass(frozen=True, slots=True)
class ShardWork:
    """Opens the model of a job where it is called; it can be pickled, and holds neither weights nor credentials."""

    config: Config
    request: DeliveryRequest
    """With absolute paths, of any shard."""
    folder: Path
    """Where the command was given: names in a manifest may be relative to it."""
    sha256: str
    """Of the manifest, as the machine has it where the command was given."""

    @classmethod
    def of(cls, config: Config, request: DeliveryRequest, sha256: str, *, threads: int) -> Self:
        """Return the work of a request, of whose configuration only that travels which decides the rows."""
        folder, given = Path.cwd(), request.predict
        predict = replace(
            given,
            paths=tuple(str(folder / path) for path in given.paths),
            root=None if given.root is None else folder / given.root,
            threads=given.threads or threads,
            # A process of a cluster has threads already, and is not forked.
            engine=WITHOUT_FORKS,
        )
        there = Config(model=config.model.below(folder), predict=config.predict, tables=config.tables)
        return cls(there, replace(request, predict=predict), folder, sha256)

    def __call__(self) -> "OpenedShards":
        """Open the model; UsageError where this machine lacks the manifest or the folder, or has another manifest."""
        from facemon.object_storage.object_store import enter_use

        # From here on storage is asked from this process itself, which has threads and must not fork.
        enter_use()
        try:
            os.chdir(self.folder)
        except OSError as error:
            raise UsageError(
                f"{self.folder}: this folder, where the command was given, is not on this node",
                "give the command in a folder that each node has, such as /",
            ) from error
        return OpenedShards(self)


@dataclass(slots=True)
class _Told:
    """A reporter that keeps the warnings of a shard, which are said where the command was given."""

    warnings: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Drop what is said of each shard."""

    def detail(self, text: str) -> None:
        """Drop the details."""

    def notice(self, text: str) -> None:
        """Keep it."""
        self.warnings.append(text)

    def warn(self, text: str) -> None:
        """Keep it."""
        self.warnings.append(text)

    @contextmanager
    def progress(self, label: str, unit: str) -> Iterator[Progress]:
        """Show none: shards are counted where the command was given."""
        del label, unit
        yield HiddenProgress()


class _Unshown:
    """Shows no row: those of a shard are delivered, and nothing else."""

    has_every_row = False

    @contextmanager
    def __call__(self, earlier: object = ()) -> Iterator[Sink]:
        del earlier
        yield lambda _: None


class OpenedShards:
    """An open model and its job; predicts one shard after the other, until its process ends."""

    def __init__(self, work: ShardWork) -> None:
        self._told = _Told()
        self._operation = Operation(work.config, self._told)
        self._request = work.request
        rows, sha256 = manifest_facts(self._operation, work.request)
        if sha256 != work.sha256:
            raise UsageError(
                f"{work.request.predict.paths[0]}: is another manifest on this node than where the command was given",
                "copy the manifest to each node, or put it into a folder that all mount",
            )
        self._open = ExitStack()  # left with the process
        self._model: RunModel = self._open.enter_context(opened_model(self._operation, work.request.predict))
        self._job: Job = job_of(self._operation, work.request, self._model, rows, sha256)

    def predict(self, shard: int) -> ShardOutcome:
        """Predict and deliver a shard, unless it is delivered; trouble is an outcome."""
        self._told.warnings.clear()
        request = replace(self._request, shard=Shard(shard, self._job.shards))
        try:
            summary = deliver_shard(self._operation, request, self._model, self._job, _Unshown())
        except (FacemonError, Interrupted) as error:
            return undelivered(error)
        counts = summary.ok, summary.no_face, summary.failed, summary.faces
        return ShardOutcome(ShardEnd.DELIVERED, *counts, tuple(self._told.warnings))
