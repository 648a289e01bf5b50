"""One run of predict: from the inputs that are left, through the model, into the log and to whoever reads along."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.application.operation import Progress
from facemon.cli.console import Console
from facemon.cli.predict_paths import refuse_paths
from facemon.cli.session import Session
from facemon.cli.shown_rows import Sink, logged_rows, reader_left, showing
from facemon.errors import FacemonError, Interrupted
from facemon.interruption import Uninterrupted, ending_signals

if TYPE_CHECKING:
    from facemon.model.predictor import Predictor
    from facemon.predict.image_source import ImageSource, ObservedFrom
    from facemon.predict.observed_times import ObservedTimes
    from facemon.predict.pipeline import PredictsImages
    from facemon.predict.run_summary import RunSummary
    from facemon.store.ledger import Ledger
    from facemon.store.runs import Run, RunIdentity
    from facemon.values.image_input import ImageInput
    from facemon.values.prediction import PredictedBatch

_FEW_IMAGES = 16


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for, checked."""

    paths: tuple[str, ...]
    output: Path | None
    format: str | None
    source: str | None
    observed_at: "datetime | ObservedFrom | None"
    observed_text: str
    resume: bool
    threads: int | None
    root: Path | None
    null: bool = False


def run(session: Session, request: Request, predictor: "Predictor", ledger: "Ledger | None") -> "RunSummary":
    """Predict all inputs into the log and the output; what was finished is logged whatever ends the run."""
    from facemon.store.runs import finish_run

    images = images_of(session, request)
    stop = threading.Event()
    with _opened_run(session.console, ledger, request, identity_of(request, predictor)) as logged:
        with _saying_how_to_go_on(session.console, ledger, logged):
            summary = _predict(session, request, predictor, images, ledger, logged, stop)
        tell(session.console, summary, f"{'logged with' if logged else 'given'} the time of prediction")
        if stop.is_set():
            kept = "what was predicted is logged; --resume continues" if logged else "nothing was logged"
            raise Interrupted(f"stopped after {summary.images} images; {kept}")
        if ledger and logged:
            finish_run(ledger, logged, ledger.now())
    _refuse_nothing(images, summary, logged)
    if images.skipped.total:
        session.console.say(str(images.skipped))
    return summary


@contextmanager
def _saying_how_to_go_on(console: Console, ledger: "Ledger | None", logged: "Run | None") -> Iterator[None]:
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
            console.notice("what was logged before this error stays; --resume continues after it")
        raise


def images_of(session: Session, request: Request) -> "ImageSource":
    """The inputs that the request names."""
    from facemon.predict.image_source import LIST, ImageSource

    path_list = sys.stdin.buffer if LIST in request.paths else None
    return ImageSource(
        request.paths,
        observed_at=request.observed_at,
        source=request.source,
        path_list=path_list,
        null=request.null,
        tables=session.config.tables,
        root=request.root,
        formats=session.config.predict.formats,
    )


def _predict(
    session: Session,
    request: Request,
    predictor: "Predictor",
    images: "ImageSource",
    ledger: "Ledger | None",
    logged: "Run | None",
    stop: threading.Event,
) -> "RunSummary":
    from facemon.predict.pipeline import run_pipeline
    from facemon.predict.run_summary import RunSummary

    threads = worker_count(session, request)
    summary = RunSummary(times=times_of(session, is_logged=logged is not None))
    with ExitStack() as stack:
        workers = stack.enter_context(workers_of(session, predictor, threads, _at_least(session, request)))
        sinks = [stack.enter_context(_logging(ledger, logged))] if ledger and logged else []
        earlier = logged_rows(session, ledger, logged) if ledger and logged and logged.done else ()
        sinks.append(stack.enter_context(showing(session, request.output, request.format, earlier)))
        progress = stack.enter_context(session.console.progress("predicting", "images"))
        _count_ahead(session, request, progress)
        stack.enter_context(stopping(stop))
        began = time.monotonic()
        inputs = _remaining(images, logged) if logged else iter(images)
        for batch in run_pipeline(inputs, workers, run=logged.id if logged else "", threads=threads, stop=stop):
            for sink in sinks:
                sink(batch)
            summary = summary.update(batch, time.monotonic() - began)
            progress.advance(len(batch.ordinals))
    return summary


def times_of(session: Session, *, is_logged: bool) -> "ObservedTimes":
    """Nothing counted yet, against the retention of a log."""
    from facemon.predict.observed_times import ObservedTimes

    longest = timedelta.max.days
    return ObservedTimes(timedelta(days=min(session.config.store.retention_days, longest)) if is_logged else None)


def tell(console: Console, summary: "RunSummary", fallback: str) -> None:
    """Say how a run went; `fallback` is the time that images without an EXIF date got.

    A nightly run with -q tells of doubtful times too: rows at the wrong time change what later checks find.
    """
    console.say(str(summary))
    for text in summary.times.warnings(summary.images, fallback):
        console.warn(text)


def worker_count(session: Session, request: Request) -> int:
    """How many chunks are predicted side by side."""
    from facemon.predict.pipeline import default_threads

    return request.threads or session.config.predict.threads or default_threads()


def workers_of(
    session: Session, predictor: "Predictor", count: int, images: int | None
) -> "AbstractContextManager[PredictsImages]":
    """What predicts the chunks of at least so many images; none = who knows how many.

    Processes, which wait for nothing of each other's; not for a handful of images, which are done before processes
    have begun, nor for providers whose devices do not outlive a fork.
    """
    from facemon.predict.worker_processes import worker_processes

    if session.config.predict.providers != ("cpu",) or (images is not None and images <= _FEW_IMAGES):
        return nullcontext(predictor)
    return worker_processes(predictor, count)


def _at_least(session: Session, request: Request) -> int | None:
    """How many images there are, counted no further than matters; none for a list, which is read once."""
    from facemon.predict.image_source import LIST

    return None if LIST in request.paths else sum(1 for _ in islice(images_of(session, request), _FEW_IMAGES + 1))


def _refuse_nothing(images: "ImageSource", summary: "RunSummary", run: "Run | None") -> None:
    if images.empty_directories:
        taken = f"files with these extensions are taken: {' '.join(sorted(images.suffixes))}"
        hint = f"{images.skipped}; {taken}" if images.skipped.total else taken
        raise FacemonError(f"no image is in {', '.join(images.empty_directories)}", hint)
    if summary.images == 0 and not (run and run.done):
        raise FacemonError("the list on stdin names no image", "write one path on each line")


def identity_of(request: Request, predictor: "Predictor") -> "RunIdentity":
    """What a run with this request has in common with one that continues or retries it."""
    from facemon.store.runs import RunIdentity

    absolute = [path if path == "-" else str(Path(path).absolute()) for path in request.paths]
    inputs = tuple(path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") for path in absolute)
    decides = [f"observed_at={request.observed_text}"]
    if request.root is not None:
        decides.append(f"root={request.root.absolute()}")
    return RunIdentity((*inputs, *decides), predictor.model.id, predictor.fingerprint, request.source)


@contextmanager
def _opened_run(
    console: Console, ledger: "Ledger | None", request: Request, identity: "RunIdentity"
) -> "Iterator[Run | None]":
    """The run that the rows belong to, locked while the block runs; none without a log."""
    from facemon.store.runs import begin_run, resume_run

    if ledger is None:
        yield None
        return
    found = resume_run(ledger, identity) if request.resume else None
    if found:
        console.say(f"continuing run {found.id} after {found.done} images")
    elif request.resume:
        refuse_paths(request.paths)
        console.say("no unfinished run on these paths; starting one")
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


def _count_ahead(session: Session, request: Request, progress: Progress) -> None:
    """Count the images beside the run, for the time left; a list on stdin cannot be read twice."""
    from facemon.predict.image_source import LIST

    if LIST in request.paths or not sys.stderr.isatty():
        return
    ahead = images_of(session, request)
    threading.Thread(target=lambda: progress.expect(sum(1 for _ in ahead)), daemon=True).start()
