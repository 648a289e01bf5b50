"""What a program logs with one call: images that it holds, or predictions that it made elsewhere."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from facemon.application.given_values import refuse_source
from facemon.application.one_call_run import OneCallRun
from facemon.application.operation import Operation
from facemon.domain.image_input import ImageInput
from facemon.errors import FacemonError
from facemon.finders.registry import finder_of, finders_for_bare_images
from facemon.near_names import either

if TYPE_CHECKING:
    import pyarrow as pa

    from facemon.config.document import Config
    from facemon.domain.predicting import OpenModel

Given = TypeVar("Given")
"""Predictions as the caller gave them, such as a table with its place in the call."""
Complete = Callable[[Given, int, Mapping[str, Any], datetime], "tuple[pa.RecordBatch, int]"]
"""Makes rows of the log of predictions, an ordinal to begin with, the columns of the run, and the time of now; returns
the ordinal after their last too."""

_IDENTITY = "facemon.Monitor"


def refuse_a_finder_of_given_boxes(config: "Config") -> None:
    """FacemonError where the finder takes faces from a manifest: images of a call bring no boxes."""
    finder = finder_of(config.model.faces)
    if finder.takes_boxes:
        searching, whole = finders_for_bare_images()
        raise FacemonError(
            f"model.faces.finder is {finder.name}, and images given to Monitor.predict bring no boxes of faces",
            f"predict a manifest with facemon predict, or set model.faces.finder to {either([*searching, *whole])}",
        )


def predict_images(
    operation: Operation,
    model: "OpenModel",
    images: Iterable[ImageInput],
    *,
    source: str | None,
    threads: int | None,
) -> "pa.Table":
    """Predict images and log them in a run of their own; return their rows."""
    import pyarrow as pa

    from facemon.domain.prediction import log_schema
    from facemon.predict.pipeline import default_threads, run_pipeline
    from facemon.store.segment_writer import SegmentWriter

    config, batches = operation.config, []
    workers = threads or config.predict.threads or default_threads()
    with _run(operation, model.fingerprint, source) as (ledger, run):
        model.go_by(ledger.clock.now)
        writer = SegmentWriter(ledger, run)
        try:
            for batch in run_pipeline(images, model, run=run.id, threads=workers, stop=threading.Event()):
                writer.add(batch)
                batches.append(batch.rows)
        finally:
            writer.close()
    return pa.Table.from_batches(batches, log_schema(config.model.attributes))


def log_predictions(
    operation: Operation, given: Iterable[Given], complete: "Complete[Given]", *, source: str | None
) -> int:
    """Log predictions in a run of their own, one table after the other; return how many rows.

    An error that taking the next of them raises says how many rows are logged before it.
    """
    from facemon.domain.prediction import Origin, PredictedBatch
    from facemon.store.segment_writer import SegmentWriter

    model, count, ordinal, tables = operation.config.model.id, 0, 0, iter(given)
    with _run(operation, "", source) as (ledger, run):
        writer = SegmentWriter(ledger, run)
        try:
            while True:
                with _told_with_errors(count):
                    table = next(tables, None)
                    if table is None:
                        return count
                    now = ledger.now()
                    constants = {"run": run.id, "predicted_at": now, "model": model, "origin": Origin.BATCH.value}
                    batch, end = complete(table, ordinal, constants, now)
                if batch.num_rows:
                    writer.add(PredictedBatch(batch, range(ordinal, end), ()))
                count, ordinal = count + batch.num_rows, end
        finally:
            writer.close()


@contextmanager
def _told_with_errors(count: int) -> Iterator[None]:
    """Let an error say that so many rows of the call are logged: repeating the call would log them twice."""
    logged, advice = f"the first {count:,} rows of this call are logged", "log only the rows after them"
    try:
        yield
    except BaseException as error:
        if not count:
            raise
        if type(error) is not FacemonError:  # of the caller's own iterator
            error.add_note(f"{logged}: {advice}")
            raise
        hint = "; ".join(filter(None, (error.hint, f"correct the fault, then {advice}")))
        raise FacemonError(f"{error.message}; {logged}", hint) from error.__cause__


def _run(operation: Operation, fingerprint: str, source: str | None) -> OneCallRun:
    from facemon.store.run_state import RunIdentity

    refuse_source("source", source)
    return OneCallRun(operation, RunIdentity((_IDENTITY,), operation.config.model.id, fingerprint, source))
