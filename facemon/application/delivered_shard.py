"""`facemon predict --shard --deliver`: one shard of a manifest into a log in object storage, whole or not at all."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.application.operation import Operation
from facemon.application.prediction import opened_model
from facemon.application.prediction_run import Destination, Show, Sink, predict_into, reader_left, tell
from facemon.application.reachable_storage import refused_storage
from facemon.application.run_inputs import PredictRequest, images_of
from facemon.domain.counted import counted
from facemon.errors import FacemonError, Interrupted, UsageError

if TYPE_CHECKING:
    from facemon.domain.predicting import KnownModel
    from facemon.domain.shard import Shard
    from facemon.engines.engine import RunModel
    from facemon.object_storage.folder_address import FolderAddress
    from facemon.predict.run_summary import RunSummary
    from facemon.store.shared_log.delivery_writer import ShardRun
    from facemon.store.shared_log.entry import Entered
    from facemon.store.shared_log.job import Job

_SHOWN = 60


@dataclass(frozen=True, slots=True)
class DeliveryRequest:
    """Which shard is predicted, and where it is delivered."""

    predict: PredictRequest
    address: "FolderAddress"
    shard: "Shard"
    name: str
    """Of the job."""


def delivery_request(request: PredictRequest, location: str, shard: str | None) -> DeliveryRequest:
    """Return the request of a delivery; UsageError where a shard, manifest or address cannot be read."""
    from facemon.domain.shard import Shard
    from facemon.object_storage.folder_address import parse_folder
    from facemon.object_storage.object_store import HINT, is_installed

    try:
        part = Shard.parse("1/1" if shard is None else shard)
    except ValueError as error:
        raise UsageError(f"--shard {shard}: {error}") from error
    address, name = parse_folder(location), _job_name(request.paths)
    if not is_installed():
        raise UsageError(f"{address.url}: writing to it needs the package obstore", HINT)
    return DeliveryRequest(request, address, part, name)


def refuse_other_log(shard: str | None, deliver: str | None, *, resumes: bool, logs: bool, retries: bool) -> None:
    """UsageError for options that say something of the local log, and for a shard without a place to deliver it to."""
    if deliver is None:
        if shard is not None:
            raise UsageError(
                "--shard is for machines that deliver to one log, and --deliver is missing",
                "add --deliver s3://bucket/log/, or leave --shard out",
            )
        return
    if resumes:
        raise UsageError(
            "--resume and --deliver exclude each other: an interrupted shard is not continued",
            "leave --resume out: the command predicts the whole shard again",
        )
    if retries:
        raise UsageError(
            "--retry-failed and --deliver exclude each other: only a run in the local log can be retried",
            "write the failed images into another manifest, and deliver that one",
        )
    if not logs:
        raise UsageError(
            "--no-store and --deliver exclude each other: --deliver does not write to the local log",
            "leave --no-store out",
        )


def predict_shard(operation: Operation, request: DeliveryRequest, show: Show) -> "RunSummary":
    """Predict a shard and deliver it; no image where it was delivered before, or by another machine meanwhile.

    UsageError where the job of this name is another one, or the storage cannot be written as deliveries need it.
    """
    rows, digest = manifest_facts(operation, request)
    with opened_model(operation, request.predict) as model:
        return deliver_shard(operation, request, model, job_of(operation, request, model, rows, digest), show)


def deliver_shard(
    operation: Operation, request: DeliveryRequest, model: "RunModel", job: "Job", show: Show
) -> "RunSummary":
    """Do the same with a model that is open; errors as for `predict_shard`."""
    from facemon.predict.run_summary import RunSummary

    entered = _asked(request, job)
    _refuse_other(request, entered)
    where = f"{request.address.url}: shard {request.shard} of {request.name}"
    if entered.began is None:
        operation.reporter.say(f"{where} is delivered already, by run {entered.delivered_by}")
        return RunSummary()
    return _predict(operation, request, model, job, entered.began, show, where)


def _job_name(paths: tuple[str, ...]) -> str:
    from facemon.domain.image_input import shown_name
    from facemon.predict.manifest import is_manifest
    from facemon.store.shared_log.layout import is_fit_name
    from facemon.tables.compressed_file import without_format_suffix

    if len(paths) != 1 or not is_manifest(paths[0]):
        what = "it was given " + (f"{len(paths)} inputs" if len(paths) != 1 else shown_name(paths[0]))
        raise UsageError(
            f"--deliver takes one manifest, and {what}", "freeze the inputs first: facemon manifest … -o images.parquet"
        )
    name = without_format_suffix(Path(paths[0]))
    if not is_fit_name(name):
        raise UsageError(
            f"{shown_name(paths[0])}: the job gets the manifest's name, and {shown_name(name)!r} is not fit for keys",
            "rename the file: up to 100 letters and digits of ASCII, and . _ - behind the first one",
        )
    return name


def manifest_facts(operation: Operation, request: DeliveryRequest) -> tuple[int, str]:
    """Return the number of rows of the manifest, and the SHA-256 of its bytes; FacemonError where it cannot be read."""
    import hashlib

    from facemon.predict.manifest import Manifest

    path = request.predict.paths[0]
    rows = Manifest(path, operation.config.tables).count()
    try:
        with Path(path).open("rb") as file:
            return rows, hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FacemonError(f"{path}: the manifest cannot be read: {(error.strerror or str(error)).lower()}") from error


def job_of(operation: Operation, request: DeliveryRequest, model: "KnownModel", rows: int, digest: str) -> "Job":
    """Return what all shards have in common that are predicted with this request and this model."""
    from facemon.store.shared_log.job import Job

    predict, config = request.predict, operation.config
    tables = config.tables.model_dump(mode="json", include={"image", "observed_at", "source", "box", "id", "csv"})
    limits = config.predict.model_dump(mode="json", exclude={"threads", "providers", "decode"})
    settings = {
        "observed_at": predict.observed_text,
        "root": "" if predict.root is None else str(predict.root.absolute()),
        **{f"tables.{name}": json.dumps(value, sort_keys=True) for name, value in tables.items()},
        **{f"predict.{name}": json.dumps(value, sort_keys=True) for name, value in limits.items()},
    }
    return Job(digest, rows, request.shard.of, model.id, model.fingerprint, predict.source, settings)


_Question = tuple[DeliveryRequest, "Job"]


def _asked(request: DeliveryRequest, job: "Job") -> "Entered":
    """Enter the job from another process, so that this one has no threads yet when it forks its workers."""
    from facemon.forked_process import ForkedProcess
    from facemon.object_storage.object_store import is_in_use
    from facemon.object_storage.storage_error import StorageError

    question = (replace(request, predict=PredictRequest(())), job)
    try:
        if is_in_use():
            return _entered(question)
        process = ForkedProcess(lambda: nullcontext(_entered))
        try:
            entered: Entered = process.ask(question)
        finally:
            process.end()
        process.join()
    except StorageError as error:
        raise refused_storage(request.address.url, error) from error
    return entered


def _entered(question: _Question) -> "Entered":
    from facemon.object_storage.object_folder import open_folder
    from facemon.store.shared_log.entry import enter_job

    request, job = question
    return enter_job(open_folder(request.address, create=True), request.name, job, request.shard)


def _refuse_other(request: DeliveryRequest, entered: "Entered") -> None:
    """UsageError where the job of this name is another one, FacemonError where it cannot be read."""
    where = request.address.url
    if entered.unreadable is not None:
        raise FacemonError(f"{where}{entered.unreadable}", "inspect that object, or deliver to another location")
    if entered.differences:
        each = "; ".join(f"{what} is {_cut(theirs)} in the job and {_cut(ours)} in this command"
                         for what, theirs, ours in entered.differences)  # fmt: skip
        raise UsageError(
            f"{where}: the job {request.name} was started with other settings: {each}",
            "use the job's settings, rename the manifest, or deliver to another location",
        )


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _predict(
    operation: Operation,
    request: DeliveryRequest,
    model: "RunModel",
    job: "Job",
    began: datetime,
    show: Show,
    where: str,
) -> "RunSummary":
    from facemon.predict.run_summary import RunSummary
    from facemon.store.runs import new_run_id
    from facemon.store.shared_log.delivery_writer import ShardRun

    predict = replace(request.predict, span=request.shard.span(job.rows))
    run = ShardRun(request.name, job, request.shard, new_run_id(datetime.now(UTC)), began)
    stop, outcome = threading.Event(), list[bool]()
    images = images_of(operation, predict, stop=stop)
    if request.shard.number == 1:  # all shards are of one manifest
        for note in images.notes:
            operation.reporter.say(note)
    destination = Destination(run.run, lambda: images, [_delivering(request, run, stop, outcome), show()])
    try:
        summary = predict_into(operation, predict, model, destination, stop)
    except BrokenPipeError as error:
        raise reader_left(
            "nothing was delivered", "let the reader take all rows, or write them with -o FILE"
        ) from error
    tell(operation.reporter, summary, "delivered with the time of prediction")
    if stop.is_set() and not outcome:
        raise Interrupted(
            f"stopped after {counted(summary.images, 'image')}; nothing was delivered; run the same command again to "
            f"predict shard {request.shard}"
        )
    if not outcome[0]:
        operation.reporter.say(f"{where} was delivered by another machine meanwhile: these rows do not count")
        return RunSummary()
    operation.reporter.say(f"{where} is delivered, by run {run.run}")
    return summary


@contextmanager
def _delivering(
    request: DeliveryRequest, run: "ShardRun", stop: threading.Event, outcome: list[bool]
) -> Iterator[Sink]:
    """Write the rows to the location; at the end of the block commit them, unless it was stopped or raised."""
    from facemon.object_storage.object_folder import open_folder
    from facemon.object_storage.storage_error import StorageError
    from facemon.store.shared_log.delivery_writer import DeliveryWriter

    try:
        folder = open_folder(request.address, create=True)
    except StorageError as error:
        raise refused_storage(request.address.url, error) from error
    with DeliveryWriter(folder, run) as writer:
        yield writer.add
        if not stop.is_set():
            outcome.append(writer.commit())
