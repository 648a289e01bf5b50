"""`facemon explain`: what an alert, a metric, a column, a source or a PromQL expression is."""

from typing import Annotated

import typer

from facemon.application.explanation import explain_name, names_to_explain
from facemon.cli.command import command
from facemon.cli.completion import EXPLAINABLE
from facemon.cli.print_format import FormatOption, PrintFormat, print_answer
from facemon.cli.session import Session
from facemon.errors import ExitCode

app = typer.Typer()
_NAME = (
    "An alert, a metric, a column of the log, a source, or a PromQL expression in quotes; without it, list the names."
)


@command(app, "explain")
def explain(
    session: Session,
    name: Annotated[str | None, typer.Argument(metavar="NAME", autocompletion=EXPLAINABLE, help=_NAME)] = None,
    format_: FormatOption = PrintFormat.TEXT,
) -> ExitCode:
    """Explain a name: an alert's query, limit and runbook; a metric's users; a column's content."""
    found = names_to_explain(session.operation) if name is None else explain_name(session.operation, name)
    print_answer(session.console, found, format_)
    return ExitCode.OK
