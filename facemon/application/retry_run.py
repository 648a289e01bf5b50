"""`facemon predict --retry-failed`: the inputs of the last run that failed, once more."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, nullcontext
from itertools import islice
from typing import TYPE_CHECKING

from facemon.application.left_out import refuse_left_out
from facemon.application.operation import Operation
from facemon.application.prediction_run import (
    Show,
    identity_of,
    logged_rows,
    reader_left,
    stopping,
    tell,
    times_of,
    work_of,
)
from facemon.application.run_inputs import PredictRequest, images_of, refuse_other_inputs
from facemon.domain.counted import counted
from facemon.errors import FacemonError, Interrupted
from facemon.interruption import Uninterrupted

if TYPE_CHECKING:
    from facemon.domain.image_input import ImageInput
    from facemon.domain.prediction import PredictedBatch
    from facemon.engines.engine import RunModel
    from facemon.predict.run_summary import RunSummary
    from facemon.store.ledger.protocol import Ledger
    from facemon.store.retry import RetryWriter
    from facemon.store.runs import Run
    from facemon.store.segment_files import SegmentDamagedError


def retry(
    operation: Operation, request: PredictRequest, model: "RunModel", ledger: "Ledger", show: Show
) -> "RunSummary":
    """Predict the failed inputs of the newest run on the same paths again; their new rows supersede the old ones."""
    from facemon.predict.run_summary import RunSummary
    from facemon.store.retry import failed_inputs, reopen_run, without_delivered

    run = reopen_run(ledger, identity_of(request, model))
    if run is None:
        raise FacemonError(
            "no run on these paths is in the log, with this model and source", "run without --retry-failed first"
        )
    with run:
        left_out: list[SegmentDamagedError] = []
        every = failed_inputs(ledger, run, model.id, left_out)
        failed = without_delivered(ledger, run, every)
        if delivered := len(every) - len(failed):
            them = "it" if delivered == 1 else "them"
            operation.reporter.warn(
                f"{counted(delivered, 'failed image')} of run {run.id} not tried again: facemon store deliver has "
                f"delivered {them}; predict {them} in a new run instead"
            )
        summary = RunSummary()
        lacking = ""
        if failed:
            operation.reporter.say(f"trying {len(failed)} failed images of run {run.id} again")
        elif not left_out and not every:
            operation.reporter.say(f"nothing failed in run {run.id}")
        try:
            if failed:
                summary = _predict(operation, request, model, ledger, run, failed, show, left_out)
            if show.has_every_row:
                lacking = _write_every_row(operation, ledger, run, show, left_out)
        except BrokenPipeError as error:
            state, hint = "the retried images are logged", "run the same command again to retry the rest"
            raise reader_left(state, hint) from error
        refuse_left_out(operation, left_out, lacking)
        return summary


def _write_every_row(
    operation: Operation, ledger: "Ledger", run: "Run", show: Show, left_out: "list[SegmentDamagedError]"
) -> str:
    """Show the rows as the log has them now: only there is it certain which of the new ones supersede another.

    Also where nothing was tried again: the file of the attempt before may not have been written. A damaged segment
    that has some of them is added to `left_out`, and what the file's fate is then is returned.
    """
    from facemon.store.segment_files import SegmentDamagedError

    try:
        with logged_rows(operation, ledger, run) as rows, show(rows):
            pass
    except SegmentDamagedError as error:
        if all(error.message != each.message for each in left_out):
            left_out.append(error)
        return ", which has rows of this run: the file of -o is not written"
    return ""


def _predict(
    operation: Operation,
    request: PredictRequest,
    model: "RunModel",
    ledger: "Ledger",
    run: "Run",
    failed: Mapping[int, int],
    show: Show,
    left_out: "list[SegmentDamagedError]",
) -> "RunSummary":
    from facemon.predict.fetching_ahead import fetched_ahead
    from facemon.predict.pipeline import run_pipeline
    from facemon.predict.run_summary import RunSummary
    from facemon.store.retry import RetryWriter

    work = work_of(operation, request, ledger, lambda number: len(failed) > number)
    stop, began = threading.Event(), time.monotonic()
    summary = RunSummary(times=times_of(operation, is_logged=True))
    with ExitStack() as stack:
        workers = stack.enter_context(model.spread(work))
        writer = RetryWriter(ledger, run, model.id, left_out)
        stack.callback(_close, writer)
        sink = stack.enter_context(nullcontext(_unseen) if show.has_every_row else show())
        stack.enter_context(stopping(stop))
        left = _failed_images(operation, request, run, failed, stop)
        fetched = stack.enter_context(closing(fetched_ahead(left, stop)))
        inputs = (_at_its_time(image, failed) for image in fetched)
        for batch in run_pipeline(inputs, workers, run=run.id, threads=work.workers, stop=stop):
            with Uninterrupted():
                writer.add(batch)
            sink(batch)
            summary = summary.update(batch, time.monotonic() - began)
    tell(operation.reporter, summary, "logged with the time of the first attempt")
    if stop.is_set():
        raise Interrupted(
            f"stopped after {counted(summary.images, 'image')}; run the same command again to retry the rest"
        )
    return summary


def _unseen(_: "PredictedBatch") -> None:
    """Take rows that are shown once they are logged."""


def _close(writer: "RetryWriter") -> None:
    with Uninterrupted():  # what was shown must be logged
        writer.close()


def _failed_images(
    operation: Operation, request: PredictRequest, run: "Run", failed: Mapping[int, int], stop: threading.Event
) -> "Iterator[ImageInput]":
    """The failed inputs, once it is known that the inputs are still the same."""
    refuse_other_inputs(run, images_of(operation, request, stop=stop), stop)
    for image in islice(images_of(operation, request, stop=stop), run.done):
        if image.ordinal in failed:
            yield image


def _at_its_time(image: "ImageInput", failed: Mapping[int, int]) -> "ImageInput":
    """An image with the time that its row had, unless it has one of its own: a file's, or an object's."""
    from facemon.domain.times import from_micros

    return image._replace(observed_at=image.observed_at or from_micros(failed[image.ordinal]))
