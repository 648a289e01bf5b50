"""`facemon predict`: images in, attributes out, everything logged."""

import sys
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from facemon.application.predict_paths import refuse_paths, refuse_without_boxes
from facemon.application.prediction import predict as predict_images
from facemon.application.prediction import predict_unlogged
from facemon.application.prediction import retry_failed as retry_failures
from facemon.application.prediction_run import PredictRequest
from facemon.cli.command import command
from facemon.cli.session import Session
from facemon.cli.shown_rows import TABLE, showing
from facemon.errors import ExitCode, FacemonError, UsageError

if TYPE_CHECKING:
    from facemon.predict.image_source import ObservedFrom

app = typer.Typer()
_FORMATS = (TABLE, "jsonl", "csv", "parquet")
_FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        envvar="FACEMON_PREDICT_FORMAT",
        metavar="|".join(_FORMATS),
        help="How to print (default: table on a terminal, else jsonl).",
    ),
]


_PathsArgument = Annotated[
    list[str],
    typer.Argument(metavar="PATHS…", help="Images, directories (with all below), manifests, or - for a list on stdin."),
]
_ObservedAtOption = Annotated[
    str | None,
    typer.Option(
        metavar="TIME|mtime|exif",
        help="Set when the images were taken (default: now). With exif, an image without a date gets the time of "
        "prediction, and a warning tells how many.",
    ),
]
_RootOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Resolve paths in manifests and lists against DIR, and reject paths that lead out of it."
    ),
]
_ResumeOption = Annotated[
    bool, typer.Option("--resume", help="Continue the newest unfinished run on the same paths; -o gets all its rows.")
]
_ThreadsOption = Annotated[
    int | None,
    typer.Option(min=1, max=1024, metavar="N", help="Workers (default: one for each core, within the CPU quota)."),
]
_NullOption = Annotated[
    bool, typer.Option("--null", "-0", help="Paths of the list on stdin end with NUL, as find -print0 writes them.")
]
_CsvSafeOption = Annotated[
    bool,
    typer.Option(
        "--csv-safe", help="Put an apostrophe before CSV cells that a spreadsheet would run as a formula (= + - @)."
    ),
]
_RetryOption = Annotated[
    bool, typer.Option("--retry-failed", help="Predict what failed in the newest run on the same paths again.")
]


@command(app, "predict")
def predict(
    session: Session,
    paths: _PathsArgument,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write here; .jsonl, .csv or .parquet.")
    ] = None,
    format_: _FormatOption = None,
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="Where the images come from, such as a camera.")
    ] = None,
    observed_at: _ObservedAtOption = None,
    no_store: Annotated[bool, typer.Option("--no-store", help="Do not log the predictions.")] = False,
    resume: _ResumeOption = False,
    max_failures: Annotated[
        str, typer.Option(metavar="N|P%", help="Exit with 1 when more images than this cannot be read.")
    ] = "0",
    threads: _ThreadsOption = None,
    root: _RootOption = None,
    null: _NullOption = False,
    retry_failed: _RetryOption = False,
    csv_safe: _CsvSafeOption = False,
) -> ExitCode:
    """Read face attributes from images and log them.

    Each image gives at least one row: a face, or an error such as no_face or unreadable. A manifest is a .csv,
    .jsonl or .parquet file with a column that names the images, and columns for their source, time, box and id
    where it has them.
    """
    from facemon.predict.run_summary import FailureLimit

    limit = FailureLimit.parse(max_failures)
    observed, observed_text = _observed(observed_at)
    chosen = _format(output, format_, csv_safe)
    _refuse_nonsense(paths, source, resume, no_store, retry_failed)
    _refuse_paths(session, paths, null, has_begun=resume or retry_failed)
    request = PredictRequest(
        tuple(paths), source, observed, observed_text, resume, threads, root, _path_list(paths), null
    )
    operation, show = session.operation, partial(showing, session, output, chosen)
    if no_store:
        summary = predict_unlogged(operation, request, show)
    else:
        summary = (retry_failures if retry_failed else predict_images)(operation, request, limit, show)
    if not summary.exceeds(limit):
        return ExitCode.OK
    raise FacemonError(
        f"{summary.failed} of {summary.images} images could not be predicted",
        "their rows say why (error, error_message); --max-failures N or P% allows for some",
    )


def _path_list(paths: list[str]) -> BinaryIO | None:
    from facemon.predict.image_source import LIST

    return sys.stdin.buffer if LIST in paths else None


def _refuse_paths(session: Session, paths: list[str], null: bool, *, has_begun: bool) -> None:
    from facemon.predict.image_source import LIST

    if null and LIST not in paths:
        raise UsageError("--null is for a list on stdin, and none was given", "name - for it, as in predict -0 -")
    config = session.config  # its faults first
    if not has_begun:  # else a path may have gone since
        refuse_paths(paths)
    refuse_without_boxes(config, paths)


def _refuse_nonsense(paths: list[str], source: str | None, resume: bool, no_store: bool, retry_failed: bool) -> None:
    from facemon.domain.image_input import source_fault

    if retry_failed and (resume or no_store):
        raise UsageError("--retry-failed works on a run that is logged and ended", "leave --resume and --no-store out")
    if retry_failed and "-" in paths:
        raise UsageError("--retry-failed reads the inputs twice, which stdin cannot", "write the list into a manifest")
    if resume and no_store:
        raise UsageError("--resume continues what is logged, and --no-store logs nothing", "leave one of them out")
    if source is not None and not source.strip():
        raise UsageError("--source is empty", "name a source or leave the option out")
    if source is not None and (fault := source_fault(source)):
        raise UsageError(f"--source {fault}")


def _format(output: Path | None, chosen: str | None, csv_safe: bool) -> str | None:
    found = _plain_format(output, chosen)
    if csv_safe and found != "csv":
        raise UsageError("--csv-safe is for CSV", "add --format csv, or -o FILE.csv")
    if found == "parquet" and output is None and sys.stdout.isatty():
        raise UsageError("Parquet is not for a terminal", "-o FILE.parquet writes a file")
    return "csv-safe" if csv_safe else found


def _plain_format(output: Path | None, chosen: str | None) -> str | None:
    from facemon.predict.output import format_of

    if chosen is not None and chosen not in _FORMATS:
        raise UsageError(f"--format {chosen}: there are {', '.join(_FORMATS)}")
    if output is not None and chosen == TABLE:
        raise UsageError("a table is for the terminal; a file takes jsonl, csv or parquet")
    if output is None:
        return chosen
    return chosen or format_of(output).value


def _observed(text: str | None) -> "tuple[datetime | ObservedFrom | None, str]":
    from facemon.domain.times import parse_time
    from facemon.predict.image_source import ObservedFrom

    if text is None:
        return None, ""
    if text in ("mtime", "exif"):
        return ObservedFrom(text), text
    try:
        return parse_time(text), text
    except ValueError as error:
        raise UsageError(f"--observed-at {text}: write mtime, exif or a time such as 2026-11-23T02:00:00Z") from error
