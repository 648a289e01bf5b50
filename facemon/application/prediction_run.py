"""One run of predict: from the inputs that are left, through the model, into the log and to the output."""

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from facemon.application.operation import Operation, Progress, Reporter
from facemon.application.predict_paths import refuse_paths
from facemon.errors import FacemonError, Interrupted
from facemon.interruption import Uninterrupted, ending_signals
from facemon.local_path import url_scheme

if TYPE_CHECKING:
    import pyarrow as pa

    from facemon.domain.image_input import ImageInput
    from facemon.domain.predicting import KnownModel
    from facemon.domain.prediction import PredictedBatch
    from facemon.engines.engine import RunModel, Work
    from facemon.predict.image_source import ImageSource, ObservedFrom
    from facemon.predict.observed_times import ObservedTimes
    from facemon.predict.run_summary import RunSummary
    from facemon.store.ledger.protocol import Ledger
    from facemon.store.run_state import RunIdentity
    from facemon.store.runs import Run

Sink = Callable[["PredictedBatch"], None]
Show = Callable[["Iterable[pa.RecordBatch]"], AbstractContextManager[Sink]]
"""Opens what shows the rows besides the log; it is given those that the run has in the log from before."""


@dataclass(frozen=True, slots=True)
class PredictRequest:
    """Which images are predicted, and how."""

    paths: tuple[str, ...]
    source: str | None = None
    observed_at: "datetime | ObservedFrom | None" = None
    observed_text: str = ""
    """How the time of observation was given; a run is continued only with the same."""
    resume: bool = False
    threads: int | None = None
    root: Path | None = None
    path_list: BinaryIO | None = None
    """What the path - reads its list from."""
    null: bool = False
    """Whether the names of the list end with NUL."""
    span: tuple[int, int] | None = None
    """Which rows of a manifest are predicted; None for all."""
    engine: str | None = None
    """The name of the engine that spreads the work; None for the usual one."""


def run(
    operation: Operation, request: PredictRequest, model: "RunModel", ledger: "Ledger | None", show: Show
) -> "RunSummary":
    """Predict all inputs into the log and what shows them; what was finished is logged whatever ends the run."""
    from facemon.store.runs import finish_run

    images = images_of(operation, request)
    stop = threading.Event()
    with _opened_run(operation.reporter, ledger, request, identity_of(request, model)) as logged:
        with _saying_how_to_go_on(operation.reporter, ledger, logged):
            destination = _destination(operation, images, ledger, logged, show)
            summary = predict_into(operation, request, model, destination, stop)
        tell(operation.reporter, summary, f"{'logged with' if logged else 'given'} the time of prediction")
        if stop.is_set():
            kept = "what was predicted is logged; --resume continues" if logged else "nothing was logged"
            raise Interrupted(f"stopped after {summary.images} images; {kept}")
        if ledger and logged:
            finish_run(ledger, logged, ledger.now())
    _refuse_nothing(images, summary, logged)
    if images.skipped.total:
        operation.reporter.say(str(images.skipped))
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
            f"{inputs_logged(ledger, logged)} images are logged, and the run is not finished",
            "the same command with --resume finishes it, with -o FILE all its rows are in a file",
        ) from error
    except FacemonError:
        if logged:
            reporter.notice("what was logged before this error stays; --resume continues after it")
        raise


def images_of(operation: Operation, request: PredictRequest) -> "ImageSource":
    """The inputs that the request names."""
    from facemon.object_storage.object_store import ObjectStores
    from facemon.predict.image_source import ImageSource

    return ImageSource(
        request.paths,
        observed_at=request.observed_at,
        source=request.source,
        path_list=request.path_list,
        null=request.null,
        tables=operation.config.tables,
        root=request.root,
        formats=operation.config.predict.formats,
        stores=ObjectStores(),
        max_bytes=operation.config.predict.max_bytes,
        span=request.span,
    )


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
    work = work_of(operation, request, ledger, partial(_are_more_than, operation, request))
    summary = RunSummary(times=times_of(operation, is_logged=ledger is not None))
    with ExitStack() as stack:
        workers = stack.enter_context(model.spread(work))
        sinks = [stack.enter_context(sink) for sink in destination.sinks]
        progress = stack.enter_context(operation.reporter.progress("predicting", "images"))
        _count_ahead(operation, request, progress)
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
    operation: Operation, images: "ImageSource", ledger: "Ledger | None", logged: "Run | None", show: Show
) -> Destination:
    """The log, where there is one, and what shows the rows besides."""
    if not (ledger and logged):
        return Destination("", lambda: images, [show(())])
    earlier = _logged_rows(operation, ledger, logged) if logged.done else ()
    sinks = [_logging(ledger, logged), show(earlier)]
    return Destination(logged.id, partial(_remaining, images, logged), sinks, ledger)


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


def _are_more_than(operation: Operation, request: PredictRequest, number: int) -> bool:
    """Whether the request names more images, which are counted no further; true of a list, which is read once."""
    from facemon.predict.inputs.registry import are_read_once

    if are_read_once(request.paths):
        return True
    return _counted(islice(images_of(operation, request), number + 1)) > number


def _counted(images: "Iterable[ImageInput]") -> int:
    """How many images there are, as far as they can be read: the run itself tells of damage when it gets there."""
    count = 0
    with suppress(FacemonError):
        for _ in images:
            count += 1
    return count


def _refuse_nothing(images: "ImageSource", summary: "RunSummary", run: "Run | None") -> None:
    if images.empty_directories:
        taken = f"files with these extensions are taken: {' '.join(sorted(images.suffixes))}"
        hint = f"{images.skipped}; {taken}" if images.skipped.total else taken
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
        reporter.say(f"continuing run {found.id} after {found.done} images")
    elif request.resume:
        refuse_paths(request.paths)
        reporter.say("no unfinished run on these paths; starting one")
    with found or begin_run(ledger, identity, ledger.now()) as run:
        yield run


def _remaining(images: "ImageSource", run: "Run") -> "Iterator[ImageInput]":
    """The inputs that the run has not logged yet; FacemonError when those that it has are no longer the same."""
    from facemon.store.runs import check_same_inputs

    stream = iter(images)
    check_same_inputs(run, (image.name for image in islice(stream, run.done)))
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


def _count_ahead(operation: Operation, request: PredictRequest, progress: Progress) -> None:
    """Count the images beside the run, for the time left; a list on stdin cannot be read twice."""
    from facemon.predict.inputs.registry import are_read_once

    if are_read_once(request.paths) or not progress.is_shown:
        return
    ahead = images_of(operation, request)
    threading.Thread(target=lambda: progress.expect(_counted(ahead)), daemon=True).start()


def _logged_rows(operation: Operation, ledger: "Ledger", run: "Run") -> "Iterable[pa.RecordBatch]":
    """The rows that the run has in the log from before, which are read when they are asked for."""
    from facemon.domain.prediction import log_schema
    from facemon.store.run_rows import rows_of_run

    return rows_of_run(ledger, run, log_schema(operation.config.model.attributes))


def reader_left(state: str, hint: str) -> FacemonError:
    """The error of a run whose rows have no reader any more; `state` is what became of it."""
    return FacemonError(f"the output was closed by its reader (such as head): {state}", hint)
