"""`facemon reference`: what the current images are compared with."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from facemon.application.references import (
    ReferenceRequest,
    compare_references,
    describe_reference,
    list_references,
    set_reference,
)
from facemon.application.removed_references import remove_references
from facemon.cli.command import command, group
from facemon.cli.completion import REFERENCES as _NAMES
from facemon.cli.print_format import FormatOption, PrintFormat, print_answer
from facemon.cli.session import Session
from facemon.domain.counted import counted
from facemon.errors import ExitCode

app = typer.Typer()
reference = group(app, "reference", "Manage the reference data that drift checks compare against.")


class Kind(StrEnum):
    """What a table holds."""

    PREDICTIONS = "predictions"
    LABELS = "labels"


@command(reference, "set")
def set_(
    session: Session,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A CSV, JSON Lines or Parquet table instead of logged rows.")
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="24h|TIME", help="Start of the window of logged rows.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="End of the window (default: now).")] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="(default: when it was set)")] = None,
    kind: Annotated[
        Kind, typer.Option(help="Whether a file holds a model's predictions or true labels.")
    ] = Kind.PREDICTIONS,
    note: Annotated[str, typer.Option(metavar="TEXT", help="Why this data is the reference.")] = "",
) -> ExitCode:
    """Make logged predictions, or a table, the reference that later checks compare with."""
    from facemon.reports.reference_report import plan_remarks

    plans = not session.console.is_quiet
    made = set_reference(
        session.operation, ReferenceRequest(file, since, until, name=name, kind=kind.value, note=note, plans=plans)
    )
    session.console.say(
        f"reference {made.reference.name}: {counted(made.reference.rows, 'row')} ({made.reference.kind})"
    )
    if made.lost_rows:
        dropped = f"up to {counted(made.lost_rows, 'row')} of this window are not in it"
        session.console.warn(f"{dropped}: facemon store repair dropped them")
    session.console.show(plan_remarks(made.plan))
    return ExitCode.OK


@command(reference, "list")
def list_(session: Session) -> ExitCode:
    """List the references, newest first."""
    from facemon.reports.reference_report import references_table

    session.console.show([references_table(list_references(session.operation))])
    return ExitCode.OK


@command(reference, "show")
def show(
    session: Session,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", autocompletion=_NAMES, help="(default: the newest)")
    ] = None,
    format_: FormatOption = PrintFormat.TEXT,
) -> ExitCode:
    """Show a reference, and how many current images each check needs to decide with it."""
    print_answer(session.console, describe_reference(session.operation, name), format_)
    return ExitCode.OK


@command(reference, "rm")
def rm(
    session: Session,
    names: Annotated[list[str], typer.Argument(metavar="NAME", autocompletion=_NAMES, help="The names of references.")],
    force: Annotated[bool, typer.Option("--force", help="Remove one that checks compare with, too.")] = False,
) -> ExitCode:
    """Remove references and their rows: all that are named, or none.

    Rows of the log, results of checks and metrics stay. A reference that checks compare with is kept without --force.
    """
    remove_references(session.operation, names, force=force)
    return ExitCode.OK


@command(reference, "diff")
def diff(
    session: Session,
    first: Annotated[str, typer.Argument(metavar="A", autocompletion=_NAMES, help="The name of a reference.")],
    second: Annotated[str, typer.Argument(metavar="B", autocompletion=_NAMES, help="The name of another reference.")],
    format_: FormatOption = PrintFormat.TEXT,
) -> ExitCode:
    """Show how B differs from A: their origin, and each column as if B were current data."""
    print_answer(session.console, compare_references(session.operation, first, second), format_)
    return ExitCode.OK
