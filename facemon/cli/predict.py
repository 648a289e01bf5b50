"""`facemon predict`: images in, attributes out, everything logged."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facemon.cli.command import command
from facemon.cli.console import Console, Progress
from facemon.cli.session import Session
from facemon.errors import ExitCode, FacemonError, Interrupted, UsageError

if TYPE_CHECKING:
    from facemon.model.predictor import Predictor
    from facemon.predict.image_source import ImageSource, ObservedFrom
    from facemon.predict.run_summary import RunSummary
    from facemon.store.ledger import Ledger
    from facemon.store.runs import Run, RunIdentity
    from facemon.values.image_input import ImageInput
    from facemon.values.prediction import PredictedBatch

app = typer.Typer()
TABLE = "table"
_FORMATS = (TABLE, "jsonl", "csv", "parquet")
_TABLE_ROWS = 100
"""A table on a terminal shows so many rows; the log has them all."""

Sink = Callable[["PredictedBatch"], None]


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


@command(app, "predict")
def predict(
    session: Session,
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATHS…", help="Images, directories (with all below), or - for a list on stdin."),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write here; .jsonl, .csv or .parquet.")
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option("--format", metavar="|".join(_FORMATS), help="[default: table on a terminal, else jsonl]"),
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="Where the images come from, such as a camera.")
    ] = None,
    observed_at: Annotated[
        str | None, typer.Option(metavar="TIME|mtime|exif", help="When the images were taken [default: now].")
    ] = None,
    no_store: Annotated[bool, typer.Option("--no-store", help="Do not log the predictions.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the newest unfinished run on the same paths.")
    ] = False,
    max_failures: Annotated[
        str, typer.Option(metavar="N|P%", help="Exit with 1 when more images than this cannot be read.")
    ] = "0",
    threads: Annotated[int | None, typer.Option(min=1, metavar="N", help="Workers [default: one a core].")] = None,
) -> ExitCode:
    """Read face attributes from images and log them.

    Each image gives at least one row: a face, or an error such as no_face or unreadable.
    """
    from facemon.model.predictor import Predictor
    from facemon.predict.run_summary import FailureLimit

    limit = FailureLimit.parse(max_failures)
    if resume and no_store:
        raise UsageError("--resume continues what is logged, and --no-store logs nothing", "leave one of them out")
    if source is not None and not source.strip():
        raise UsageError("--source is empty", "name a source or leave the option out")
    observed, observed_text = _observed(observed_at)
    request = Request(tuple(paths), output, _format(output, format_), source, observed, observed_text, resume, threads)
    predictor = Predictor(session.config.model, session.config.predict)
    if no_store:
        summary = _run(session, request, predictor, None)
    else:
        with session.open_ledger(create=True) as ledger, session.recorded(ledger, "predict") as outcome:
            summary = _run(session, request, predictor, ledger)
            outcome.code = ExitCode.FAILED if summary.exceeds(limit) else ExitCode.OK
    if not summary.exceeds(limit):
        return ExitCode.OK
    raise FacemonError(
        f"{summary.failed} of {summary.images} images could not be predicted",
        "their rows say why (error, error_message); --max-failures N or P% allows for some",
    )


def _run(session: Session, request: Request, predictor: "Predictor", ledger: "Ledger | None") -> "RunSummary":
    """Predict all inputs into the log and the output; what was finished is logged whatever ends the run."""
    from facemon.predict.image_source import LIST, ImageSource
    from facemon.predict.pipeline import default_threads, run_pipeline
    from facemon.predict.run_summary import RunSummary
    from facemon.store.runs import finish_run

    path_list = sys.stdin.buffer if LIST in request.paths else None
    images = ImageSource(request.paths, observed_at=request.observed_at, source=request.source, path_list=path_list)
    summary, stop = RunSummary(), threading.Event()
    threads = request.threads or session.config.predict.threads or default_threads()
    with ExitStack() as stack:
        run = (
            None
            if ledger is None
            else stack.enter_context(_open_run(session.console, ledger, _identity(request, predictor), request.resume))
        )
        sinks = [stack.enter_context(_logging(ledger, run))] if ledger and run else []
        sinks.append(stack.enter_context(_showing(session, request)))
        progress = stack.enter_context(session.console.progress("predicting", "images"))
        _count_ahead(request, progress)
        stack.enter_context(_stopping(stop))
        began = time.monotonic()
        inputs = _remaining(images, run) if run else iter(images)
        for batch in run_pipeline(inputs, predictor, run=run.id if run else "", threads=threads, stop=stop):
            for sink in sinks:
                sink(batch)
            summary = summary.update(batch, time.monotonic() - began)
            progress.advance(len(batch.ordinals))
    session.console.say(str(summary))
    if stop.is_set():
        kept = "what was predicted is logged; --resume continues" if run else "nothing was logged"
        raise Interrupted(f"stopped after {summary.images} images; {kept}")
    if ledger and run:
        finish_run(ledger, run, datetime.now(UTC))
    _refuse_nothing(images, summary, run)
    return summary


def _refuse_nothing(images: "ImageSource", summary: "RunSummary", run: "Run | None") -> None:
    from facemon.predict.image_source import IMAGE_SUFFIXES

    suffixes = " ".join(sorted(IMAGE_SUFFIXES))
    if images.empty_directories:
        raise FacemonError(
            f"no image is in {', '.join(images.empty_directories)}", f"in directories these are taken: {suffixes}"
        )
    if summary.images == 0 and not (run and run.done):
        raise FacemonError("the list on stdin names no image", "write one path on each line")


def _identity(request: Request, predictor: "Predictor") -> "RunIdentity":
    from facemon.store.runs import RunIdentity

    absolute = [path if path == "-" else str(Path(path).absolute()) for path in request.paths]
    inputs = tuple(path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") for path in absolute)
    return RunIdentity(
        (*inputs, f"observed_at={request.observed_text}"), predictor.model.id, predictor.fingerprint, request.source
    )


def _open_run(console: Console, ledger: "Ledger", identity: "RunIdentity", resume: bool) -> "Run":
    from facemon.store.runs import begin_run, resume_run

    run = resume_run(ledger, identity) if resume else None
    if run:
        console.say(f"continuing run {run.id} after {run.done} images")
        return run
    if resume:
        console.say("no unfinished run on these paths; starting one")
    return begin_run(ledger, identity, datetime.now(UTC))


def _remaining(images: "ImageSource", run: "Run") -> "Iterator[ImageInput]":
    """The inputs that the run has not logged yet; FacemonError when those that it has are no longer the same."""
    from itertools import islice

    from facemon.store.runs import check_same_inputs

    stream = iter(images)
    check_same_inputs(run, (image.name for image in islice(stream, run.done)))
    return stream


@contextmanager
def _logging(ledger: "Ledger", run: "Run") -> Iterator[Sink]:
    from facemon.store.segment_writer import SegmentWriter

    writer = SegmentWriter(ledger, run)
    try:
        yield writer.add
    finally:
        writer.close()


@contextmanager
def _showing(session: Session, request: Request) -> Iterator[Sink]:
    """Where rows go besides the log: a file, stdout, a table at the end, or nowhere."""
    from facemon.predict.output import OutputFormat, open_file, open_stream

    attributes, console = session.config.model.attributes, session.console
    if request.output is not None and request.format is not None:
        with open_file(request.output, OutputFormat(request.format), attributes) as writer:
            yield lambda batch: writer.add(batch.rows)
    elif request.format is None and console.is_quiet:
        yield lambda _: None
    elif request.format == TABLE or (request.format is None and console.is_terminal):
        with _tabulating(session) as sink:
            yield sink
    else:
        with open_stream(sys.stdout.buffer, OutputFormat(request.format or "jsonl"), attributes) as writer:
            yield lambda batch: writer.add(batch.rows)


@contextmanager
def _tabulating(session: Session) -> Iterator[Sink]:
    from facemon.predict.terminal_table import table_columns, table_rows

    attributes, rows, beyond = session.config.model.attributes, list[Sequence[str]](), 0

    def keep(batch: "PredictedBatch") -> None:
        nonlocal beyond
        room = _TABLE_ROWS - len(rows)
        beyond += max(0, batch.rows.num_rows - room)
        if room:
            rows.extend(table_rows(batch.rows.slice(0, room), attributes))

    yield keep
    session.console.table(table_columns(attributes), rows)
    if beyond:
        session.console.result(f"… and {beyond} rows more; -o FILE writes all")


@contextmanager
def _stopping(stop: threading.Event) -> Iterator[None]:
    """Let the first SIGINT or SIGTERM finish what has begun; a second one ends at once."""
    numbers = (signal.SIGINT, signal.SIGTERM)
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


def _count_ahead(request: Request, progress: Progress) -> None:
    """Count the images beside the run, for the time left; a list on stdin cannot be read twice."""
    from facemon.predict.image_source import LIST, ImageSource

    if LIST in request.paths or not sys.stderr.isatty():
        return
    counting = threading.Thread(target=lambda: progress.expect(sum(1 for _ in ImageSource(request.paths))), daemon=True)
    counting.start()


def _format(output: Path | None, chosen: str | None) -> str | None:
    from facemon.predict.output import format_of

    if chosen is not None and chosen not in _FORMATS:
        raise UsageError(f"--format {chosen}: there are {', '.join(_FORMATS)}")
    if output is not None and chosen == TABLE:
        raise UsageError("a table is for the terminal; a file takes jsonl, csv or parquet")
    if output is None:
        return chosen
    return chosen or format_of(output).value


def _observed(text: str | None) -> "tuple[datetime | ObservedFrom | None, str]":
    from facemon.predict.image_source import ObservedFrom
    from facemon.values.times import parse_time

    if text is None:
        return None, ""
    if text in ("mtime", "exif"):
        return ObservedFrom(text), text
    try:
        return parse_time(text), text
    except ValueError as error:
        raise UsageError(f"--observed-at {text}: write mtime, exif or a time such as 2026-11-23T02:00:00Z") from error
