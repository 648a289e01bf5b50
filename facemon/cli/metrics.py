"""`facemon metrics`: the catalogue of metrics, with what the store knows of each."""

from typing import Annotated

import typer

from facemon.application.metric_values import metric_values
from facemon.cli.command import command
from facemon.cli.completion import METRICS
from facemon.cli.print_format import FormatOption, PrintFormat, print_answer
from facemon.cli.session import Session
from facemon.errors import ExitCode

app = typer.Typer()


@command(app, "metrics")
def metrics(
    session: Session,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", autocompletion=METRICS, help="Every series of this metric alone.")
    ] = None,
    format_: FormatOption = PrintFormat.TEXT,
) -> ExitCode:
    """List every metric: its type, labels, meaning, and the value in the store. Unknown values are shown as "-".

    Of several series, the sum of counters and all observations of histograms are shown.
    """
    found = metric_values(session.operation, name)
    print_answer(session.console, found, format_)
    if why := found.refuse_trouble():
        session.console.say(f"no values: {why}")
    return ExitCode.OK
