"""`facemon evaluate`: how right the logged predictions are, by true labels."""

from pathlib import Path
from typing import Annotated

import typer

from facemon.application.evaluation import EvaluationRequest
from facemon.application.evaluation import evaluate as compare
from facemon.cli.command import command
from facemon.cli.completion import MODELS
from facemon.cli.print_format import FormatOption, Grouping, PrintFormat, print_answer
from facemon.cli.session import Session
from facemon.errors import ExitCode

app = typer.Typer()


@command(app, "evaluate")
def evaluate(
    session: Session,
    labels: Annotated[
        Path, typer.Argument(metavar="LABELS", help="A CSV, JSON Lines or Parquet table of true labels.")
    ],
    observed_since: Annotated[
        str | None, typer.Option(metavar="30d|TIME", help="Only images that were taken since then (default: all).")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME@VERSION",
            autocompletion=MODELS,
            help="Only predictions of this model (default: the configured model).",
        ),
    ] = None,
    by: Annotated[Grouping | None, typer.Option(help="Scores for each source too.")] = None,
    format_: FormatOption = PrintFormat.TEXT,
) -> ExitCode:
    """Compare the newest prediction of each labelled image with its true label; exit 3 when labels match nothing.

    The table has a column for each attribute and one that names the images.
    Names are compared whole, then without folders or suffix if that leaves one
    image; or by image_id or image_sha256. A column face holds the number of a
    face in its image, counted from 0.

    Letter case and spaces around labels are ignored. A number outside an
    ordinal's bands counts as wrong. Fewer labels than evaluate.min_labels leave
    model_accuracy as it was.
    """
    operation, by_source = session.operation, by is Grouping.SOURCE
    found = compare(operation, EvaluationRequest(labels, observed_since, model, by_source))
    if not session.console.is_quiet or found.code is not ExitCode.OK:
        print_answer(session.console, found, format_, indent=2)
    found.refuse_left_out(operation)
    found.tell_what_counts(operation)
    return found.code
