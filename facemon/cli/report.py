"""`facemon report`: what the log tells of a period, as one page."""

from pathlib import Path
from typing import Annotated

import typer

from facemon.application.report import USUAL_SPAN, ReportRequest, make_report
from facemon.cli.command import command
from facemon.cli.completion import MODELS, SOURCES
from facemon.cli.session import Session
from facemon.errors import ExitCode

app = typer.Typer()
_OUT = "The page to write (default: reports/report.html in the store)."
_IMAGES = "Add thumbnails of the images that drifted most; reads rows and image files."


@command(app, "report")
def report(
    session: Session,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help=_OUT)] = None,
    since: Annotated[str, typer.Option(metavar="30d|TIME", help="Start of the period.")] = USUAL_SPAN,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="End of the period (default: now).")] = None,
    source: Annotated[
        str | None, typer.Option(metavar="NAME", autocompletion=SOURCES, help="Only rows of this source.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME@VERSION",
            autocompletion=MODELS,
            help="Only rows of this model (default: the configured model).",
        ),
    ] = None,
    images: Annotated[bool, typer.Option("--images", help=_IMAGES)] = False,
) -> ExitCode:
    """Write one page about a period: volumes, failures, drift over time, columns beside the reference, accuracy.

    The page is one file of HTML without scripts, for screens, phones and paper.
    It is dated, and has a hash of the records that it was made from. Only the
    ledger is read, by whole hours in UTC; nothing in the store changes.
    """
    make_report(session.operation, ReportRequest(out, since, until, source, model, images))
    return ExitCode.OK
