"""One run of predict: from the inputs that are left, through the model, into the log and to the output."""

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from facemon.application.operation import Operation, Reporter
from facemon.application.predict_paths import refuse_paths
from facemon.application.run_inputs import (
    PredictRequest,
    are_more_than,
    count_ahead,
    images_of,
    refuse_other_inputs,
)
from facemon.domain.counted import counted
from facemon.errors import FacemonError, Interrupted
from facemon.interruption import Uninterrupted, ending_signals
from facemon.local_path import url_scheme

if TYPE_CHECKING:
    import pyarrow as pa

    from facemon.domain.image_input import ImageInput
    from facemon.domain.predicting import KnownModel
    from facemon.domain.prediction import PredictedBatch
    from facemon.engines.engine import RunModel, Work
    from facemon.predict.image_source import ImageSource
    from facemon.predict.observed_times import ObservedTimes
    from facemon.predict.run_summary import RunSummary
    from facemon.store.ledger.protocol import Ledger
    from facemon.store.run_state import RunIdentity
    from facemon.store.runs import Run

Sink = Callable[["PredictedBatch"], None]


class Show(Protocol):
    """Opens what shows the rows besides the log."""

    @property
    def has_every_row(self) -> bool:
        """Whether it shows all rows of a run, as a file does, and not only those that are predicted now."""

    def __call__(self, earlier: "Iterable[pa.RecordBatch]" = ()) -> AbstractContextManager[Sink]:
        """Open it; `earlier` are the rows that the run has in the log from before."""


def run(
    operation: Operation, request: PredictRequest, model: "RunModel", ledger: "Ledger | None", show: Show
) -> "RunSummary":
    """Predict all inputs into the log and what shows them; what was finished is logged whatever ends the run."""
    from facemon.store.runs import finish_run

    stop = threading.Event()
    images = images_of(operation, request, stop=stop)
    for note in images.notes:
        operation.reporter.say(note)
    with _opened_run(operation.reporter, ledger, request, identity_of(request, model)) as logged:
        with (
            _saying_how_to_go_on(operation.reporter, ledger, logged),
            logged_rows(operation, ledger, logged) as earlier,
        ):
            destination = _destination(images, ledger, logged, show(earlier), stop)
            summary = predict_into(operation, request, model, destination, stop)
        tell(operation.reporter, summary, f"{'logged with' if logged else 'given'} the time of prediction")
        if stop.is_set():
            kept = "what was predicted is logged; --resume continues" if logged else "nothing was logged"
            raise Interrupted(f"stopped after {counted(summary.images, 'image')}; {kept}")
        if ledger and logged:
            finish_run(ledger, logged, ledger.now())
    _refuse_nothing(images, summary, logged)
    for remark in images.skipped.remarks:
        operation.reporter.say(remark)
    return summary


@contextmanager
def _saying_how_to_go_on(reporter: Reporter, ledger: "Ledger | None", logged: "Run | None") -> Iterator[None]:
    from facemon.store.runs import inputs_logged

    try:
        yield
    except BrokenPipeError as error:
        if not (ledger and logged):
            raise reader_left(
                "nothing was logged", "let the reader take all rows, or write them with -o FILE"
            ) from error
        raise reader_left(
            f"{counted(inputs_logged(ledger, logged), 'image is', 'images are')} logged, and the run is not finished",
            "the same command with --resume finishes it, with -o FILE all its rows are in a file",
        ) from error
    except FacemonError:
        if logged:
            reporter.notice("what was logged before this error stays; --resume continues after it")
        raise


@dataclass(frozen=True, slots=True)
class Destination:
    """What a run predicts, and where its rows go."""

    run: str
    """Its name in the rows."""
    left: "Callable[[], Iterable[ImageInput]]"
    """Returns the images, once the workers are there: listing a bucket begins threads, which a fork must not see."""
    sinks: Sequence[AbstractContextManager[Sink]]
    """What takes the rows; opened then, too."""
    ledger: "Ledger | None" = None
    """What logs them, by whose clock they are predicted."""


def predict_into(
    operation: Operation, request: PredictRequest, model: "RunModel", destination: Destination, stop: threading.Event
) -> "RunSummary":
    """Predict images until they end or a signal sets `stop`; each sink has the same rows then."""
    from facemon.predict.fetching_ahead import fetched_ahead
    from facemon.predict.pipeline import run_pipeline
    from facemon.predict.run_summary import RunSummary

    ledger = destination.ledger
    work = work_of(operation, request, ledger, partial(are_more_than, operation, request))
    summary = RunSummary(times=times_of(operation, is_logged=ledger is not None))
    with ExitStack() as stack:
        workers = stack.enter_context(model.spread(work))
        sinks = [stack.enter_context(sink) for sink in destination.sinks]
        progress = stack.enter_context(operation.reporter.progress("predicting", "images"))
        count_ahead(operation, request, progress)
        stack.enter_context(stopping(stop))
        began = time.monotonic()
        inputs = stack.enter_context(closing(fetched_ahead(destination.left(), stop)))
        for batch in run_pipeline(inputs, workers, run=destination.run, threads=work.workers, stop=stop):
            for sink in sinks:
                sink(batch)
            summary = summary.update(batch, time.monotonic() - began)
            progress.advance(len(batch.ordinals))
    return summary


def _destination(
    images: "ImageSource",
    ledger: "Ledger | None",
    logged: "Run | None",
    shown: AbstractContextManager[Sink],
    stop: threading.Event,
) -> Destination:
    """The log, where there is one, and what shows the rows besides."""
    if not (ledger and logged):
        return Destination("", lambda: images, [shown])
    return Destination(logged.id, partial(_remaining, images, logged, stop), [_logging(ledger, logged), shown], ledger)


def times_of(operation: Operation, *, is_logged: bool) -> "ObservedTimes":
    """Nothing counted yet, against the retention of a log."""
    from facemon.predict.observed_times import ObservedTimes

    longest = timedelta.max.days
    return ObservedTimes(timedelta(days=min(operation.config.store.retention_days, longest)) if is_logged else None)


def tell(reporter: Reporter, summary: "RunSummary", fallback: str) -> None:
    """Say how a run went; `fallback` is the time that images without an EXIF date got.

    A nightly run with -q tells of doubtful times too: rows at the wrong time change what later checks find.
    """
    reporter.say(str(summary))
    for text in summary.times.warnings(summary.images, fallback):
        reporter.warn(text)


def work_of(
    operation: Operation, request: PredictRequest, ledger: "Ledger | None", has_more_than: Callable[[int], bool]
) -> "Work":
    """What an engine has to spread: by the clock of the store that logs it, if one does."""
    from facemon.engines.engine import Work
    from facemon.predict.pipeline import default_threads

    workers = request.threads or operation.config.predict.threads or default_threads()
    return Work(workers, has_more_than, ledger.clock.now if ledger else None)


def _refuse_nothing(images: "ImageSource", summary: "RunSummary", run: "Run | None") -> None:
    from facemon.predict.manifest import is_manifest

    if tables := [path for path in images.empty_directories if is_manifest(path)]:
        has = "it has" if len(tables) == 1 else "they have"
        raise FacemonError(f"no image is in {', '.join(tables)}", f"{has} no rows: write a row for each image")
    if images.empty_directories:
        taken = f"files with these extensions are taken: {' '.join(sorted(images.suffixes))}"
        hint = "; ".join([*images.skipped.remarks, taken])
        raise FacemonError(f"no image is in {', '.join(images.empty_directories)}", hint)
    if summary.images == 0 and not (run and run.done):
        raise FacemonError("the list on stdin names no image", "write one path on each line")


def identity_of(request: PredictRequest, model: "KnownModel") -> "RunIdentity":
    """What a run with this request has in common with one that continues or retries it."""
    from facemon.store.run_state import RunIdentity

    absolute = [
        path if path == "-" or url_scheme(path) is not None else str(Path(path).absolute()) for path in request.paths
    ]
    inputs = tuple(path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") for path in absolute)
    decides = [f"observed_at={request.observed_text}"]
    if request.root is not None:
        decides.append(f"root={request.root.absolute()}")
    return RunIdentity((*inputs, *decides), model.id, model.fingerprint, request.source)


@contextmanager
def _opened_run(
    reporter: Reporter, ledger: "Ledger | None", request: PredictRequest, identity: "RunIdentity"
) -> "Iterator[Run | None]":
    """The run that the rows belong to, locked while the block runs; none without a log."""
    from facemon.store.runs import begin_run, resume_run

    if ledger is None:
        yield None
        return
    found = resume_run(ledger, identity) if request.resume else None
    if found:
        reporter.say(f"continuing run {found.id} after {counted(found.done, 'image')}")
    elif request.resume:
        refuse_paths(request.paths)
        reporter.say("no unfinished run on these paths; starting one")
    with found or begin_run(ledger, identity, ledger.now()) as run:
        yield run


def _remaining(images: "ImageSource", run: "Run", stop: threading.Event) -> "Iterator[ImageInput]":
    """The inputs that the run has not logged yet; FacemonError when those that it has are no longer the same."""
    stream = iter(images)
    refuse_other_inputs(run, stream, stop)
    return stream


@contextmanager
def _logging(ledger: "Ledger", run: "Run") -> Iterator[Sink]:
    from facemon.store.segment_writer import SegmentWriter

    writer = SegmentWriter(ledger, run)

    def add(batch: "PredictedBatch") -> None:
        with Uninterrupted():  # the rows, and how far the run has come
            writer.add(batch)

    try:
        yield add
    finally:
        with Uninterrupted():  # what was shown must be logged
            writer.close()


@contextmanager
def stopping(stop: threading.Event) -> Iterator[None]:
    """Let the first signal that ends a command finish what has begun; a second one ends at once."""
    numbers = ending_signals()
    before = [signal.getsignal(number) for number in numbers]

    def ask(*_: object) -> None:
        stop.set()
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)

    for number in numbers:
        signal.signal(number, ask)
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def logged_rows(
    operation: Operation, ledger: "Ledger | None", run: "Run | None"
) -> "Iterator[Iterable[pa.RecordBatch]]":
    """The rows that the run has in the log, which are read when they are asked for.

    They are read in a transaction. It ends with the block, also when what takes the rows fails: else the command's end
    could not be entered.
    """
    if not (ledger and run and run.done):
        yield ()
        return
    from facemon.domain.prediction import log_schema
    from facemon.store.run_rows import rows_of_run

    with closing(rows_of_run(ledger, run, log_schema(operation.config.model.attributes))) as rows:
        yield rows


def reader_left(state: str, hint: str) -> FacemonError:
    """The error of a run whose rows have no reader any more; `state` is what became of it."""
    return FacemonError(f"the output was closed by its reader (such as head): {state}", hint)
