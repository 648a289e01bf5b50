"""`facemon model`: what the configured model is, and whether its description is right."""

import typer

from facemon.cli.command import command, group
from facemon.cli.model_check import check
from facemon.cli.print_format import FormatOption, PrintFormat, print_answer
from facemon.cli.session import Session
from facemon.errors import ExitCode

app = typer.Typer()
_model = group(app, "model", "Show information about the model.")
command(_model, "check")(check)


@command(_model, "show")
def show(
    session: Session,
    format_: FormatOption = PrintFormat.TEXT,
) -> ExitCode:
    """Print the model card: networks, inputs, attributes, hashes, licence and known weaknesses."""
    from facemon.application.described_model import describe_model

    print_answer(session.console, describe_model(session.operation), format_, indent=2)
    return ExitCode.OK
