"""`facemon predict --retry-failed`: the inputs of the last run that failed, once more."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from itertools import islice
from typing import TYPE_CHECKING

from facemon.cli.interruption import Uninterrupted
from facemon.cli.left_out import refuse_left_out
from facemon.cli.prediction_run import (
    Request,
    identity_of,
    images_of,
    stopping,
    tell,
    times_of,
    worker_count,
    workers_of,
)
from facemon.cli.session import Session
from facemon.cli.shown_rows import reader_left, showing
from facemon.errors import FacemonError, Interrupted

if TYPE_CHECKING:
    from facemon.model.predictor import Predictor
    from facemon.predict.run_summary import RunSummary
    from facemon.store.ledger import Ledger
    from facemon.store.retry import RetryWriter
    from facemon.store.runs import Run
    from facemon.store.segment_files import SegmentDamagedError
    from facemon.values.image_input import ImageInput


def retry(session: Session, request: Request, predictor: "Predictor", ledger: "Ledger") -> "RunSummary":
    """Predict the failed inputs of the newest run on the same paths again; their new rows supersede the old ones."""
    from facemon.predict.run_summary import RunSummary
    from facemon.store.retry import failed_inputs, reopen_run

    run = reopen_run(ledger, identity_of(request, predictor))
    if run is None:
        raise FacemonError(
            "no run on these paths is in the log, with this model and source", "run without --retry-failed first"
        )
    with run:
        left_out: list[SegmentDamagedError] = []
        failed = failed_inputs(ledger, run, predictor.model.id, left_out)
        summary = RunSummary()
        if failed:
            session.console.say(f"trying {len(failed)} failed images of run {run.id} again")
            try:
                summary = _predict(session, request, predictor, ledger, run, failed)
            except BrokenPipeError as error:
                state, hint = "what was tried again is logged", "--retry-failed once more goes on with the rest"
                raise reader_left(state, hint) from error
        elif not left_out:
            session.console.say(f"nothing failed in run {run.id}")
        refuse_left_out(session, left_out)
        return summary


def _predict(
    session: Session,
    request: Request,
    predictor: "Predictor",
    ledger: "Ledger",
    run: "Run",
    failed: Mapping[int, int],
) -> "RunSummary":
    from facemon.predict.pipeline import run_pipeline
    from facemon.predict.run_summary import RunSummary
    from facemon.store.retry import RetryWriter

    threads = worker_count(session, request)
    stop, began = threading.Event(), time.monotonic()
    summary = RunSummary(times=times_of(session, is_logged=True))
    with ExitStack() as stack:
        workers = stack.enter_context(workers_of(session, predictor, threads, len(failed)))
        writer = RetryWriter(ledger, run, predictor.model.id)
        stack.callback(_close, writer)
        show = stack.enter_context(showing(session, request.output, request.format))
        stack.enter_context(stopping(stop))
        inputs = _failed_images(session, request, run, failed)
        for batch in run_pipeline(inputs, workers, run=run.id, threads=threads, stop=stop):
            with Uninterrupted():
                writer.add(batch)
            show(batch)
            summary = summary.update(batch, time.monotonic() - began)
    tell(session.console, summary, "logged with the time of the first attempt")
    if stop.is_set():
        raise Interrupted(f"stopped after {summary.images} images; --retry-failed goes on with the rest")
    return summary


def _close(writer: "RetryWriter") -> None:
    with Uninterrupted():  # what was shown must be logged
        writer.close()


def _failed_images(session: Session, request: Request, run: "Run", failed: Mapping[int, int]) -> "Iterator[ImageInput]":
    """The failed inputs, at the time that their rows had, once it is known that the inputs are still the same."""
    from facemon.store.runs import check_same_inputs
    from facemon.values.times import from_micros

    check_same_inputs(run, (image.name for image in islice(images_of(session, request), run.done)))
    for image in islice(images_of(session, request), run.done):
        if image.ordinal in failed:
            yield image._replace(observed_at=image.observed_at or from_micros(failed[image.ordinal]))
