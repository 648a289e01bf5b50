"""`facemon explain`: what an alert, a metric, a column, a source or a PromQL expression is."""

from typing import Annotated

import typer

from facemon.application.explanation import explain_name, explained_document, names_document, names_to_explain
from facemon.cli.command import command
from facemon.cli.print_format import FormatOption, PrintFormat
from facemon.cli.session import Session
from facemon.errors import ExitCode

app = typer.Typer()
_NAME = (
    "An alert, a metric, a column of the log, a source, or a PromQL expression in quotes; without it, list the names."
)


@command(app, "explain")
def explain(
    session: Session,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help=_NAME)] = None,
    format_: FormatOption = PrintFormat.TEXT,
) -> ExitCode:
    """Say what a name means here: an alert's query, limit and runbook; what asks for a metric; what a column holds."""
    if name is None:
        return _list(session, format_)
    found = explain_name(session.operation, name)
    if format_ is PrintFormat.JSON:
        session.console.document(explained_document(found))
        return ExitCode.OK
    session.console.table(("what", "value"), found.facts())
    if found.page:
        session.console.result(f"\n{found.page}")
    return ExitCode.OK


def _list(session: Session, format_: PrintFormat) -> ExitCode:
    names = names_to_explain(session.operation)
    if format_ is PrintFormat.JSON:
        session.console.document(names_document(names))
    else:
        session.console.table(("what", "name"), [(kind, name) for kind, found in names.items() for name in found])
    return ExitCode.OK
