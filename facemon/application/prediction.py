"""Prediction: images in, attributes out, everything logged; or once more what failed before."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from facemon.application.given_values import refuse_source
from facemon.application.operation import Operation
from facemon.application.prediction_run import Show, run
from facemon.application.retry_run import retry
from facemon.application.run_inputs import PredictRequest
from facemon.errors import ExitCode, FacemonError, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from facemon.engines.engine import RunModel
    from facemon.predict.image_source import ObservedFrom
    from facemon.predict.run_summary import FailureLimit, RunSummary


def predict(operation: Operation, request: PredictRequest, limit: "FailureLimit", show: Show) -> "RunSummary":
    """Predict and log what the request names; more failures than the limit allows are entered as a failed command."""
    return _logged(operation, request, limit, show, retries=False)


def predict_unlogged(operation: Operation, request: PredictRequest, show: Show) -> "RunSummary":
    """Predict what the request names without a log."""
    with opened_model(operation, request) as model:
        return run(operation, request, model, None, show)


def retry_failed(operation: Operation, request: PredictRequest, limit: "FailureLimit", show: Show) -> "RunSummary":
    """Predict the failed inputs of the newest run on the same paths again; their new rows supersede the old ones."""
    return _logged(operation, request, limit, show, retries=True)


def failure_limit(text: str) -> "FailureLimit":
    """Return how many images, or which share of them, may fail; UsageError for what is neither."""
    from facemon.predict.run_summary import FailureLimit

    return FailureLimit.parse(text)


def refuse_failures(summary: "RunSummary", limit: "FailureLimit") -> None:
    """FacemonError where more images have failed than the limit allows."""
    if summary.exceeds(limit):
        raise FacemonError(
            f"{summary.failed} of {summary.images} images could not be predicted",
            "their rows say why (error, error_message); --max-failures N or P% allows for some",
        )


def observed_of(text: str | None) -> "datetime | ObservedFrom | None":
    """Return what a text says of when images were taken: a time, or where it is read from; UsageError for others."""
    from facemon.domain.times import parse_time
    from facemon.predict.image_source import ObservedFrom

    if text is None:
        return None
    if text in ("mtime", "exif"):
        return ObservedFrom(text)
    try:
        return parse_time(text)
    except ValueError as error:
        raise UsageError(f"--observed-at {text}: write mtime, exif or a time such as 2026-11-23T02:00:00Z") from error


def refuse_nonsense(paths: Sequence[str], source: str | None, *, resumes: bool, logs: bool, retries: bool) -> None:
    """UsageError for wishes that exclude each other, and for a source that the log could not hold."""
    if retries and (resumes or not logs):
        raise UsageError("--retry-failed works on a run that is logged and ended", "leave --resume and --no-store out")
    if retries and "-" in paths:
        raise UsageError("--retry-failed reads the inputs twice, which stdin cannot", "write the list into a manifest")
    if resumes and not logs:
        raise UsageError("--resume continues what is logged, and --no-store logs nothing", "leave one of them out")
    refuse_source("--source", source)


def _logged(
    operation: Operation, request: PredictRequest, limit: "FailureLimit", show: Show, *, retries: bool
) -> "RunSummary":
    from facemon.application.changed_model import warn_of_changed_model

    with (
        opened_model(operation, request) as model,
        operation.open_ledger(create=True) as ledger,
        operation.recorded(ledger, "predict") as outcome,
    ):
        warn_of_changed_model(operation, ledger, model.fingerprint)
        summary = (retry if retries else run)(operation, request, model, ledger, show)
        outcome.code = ExitCode.FAILED if summary.exceeds(limit) else ExitCode.OK
    return summary


@contextmanager
def opened_model(operation: Operation, request: PredictRequest) -> "Iterator[RunModel]":
    """Open the model with the run's engine, and report its notes."""
    from facemon.engines.registry import engine_of
    from facemon.model.factory import ModelFactory

    engine = engine_of(request.engine, operation.config.predict.providers)
    with engine.opened(ModelFactory.of(operation.config)) as model:
        for note in model.notes:
            operation.reporter.say(note)
        yield model
