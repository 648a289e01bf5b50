"""`facemon reference`: what is normal; somebody has to say so."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from facemon.application.references import (
    DescribedReference,
    MadeReference,
    ReferenceRequest,
    compare_references,
    describe_reference,
    list_references,
    set_reference,
)
from facemon.cli.command import command, group
from facemon.cli.print_format import FormatOption, PrintFormat
from facemon.cli.session import Session
from facemon.domain.drift_result import Check, ColumnResult
from facemon.domain.times import format_time
from facemon.errors import ExitCode
from facemon.printable import Lines, printable

app = typer.Typer()
reference = group(app, "reference", "Say what is normal.")
_WIDTH = 79
_DIFF_HEADINGS = ("column", "kind", "shift", "verdict", "rows of A", "rows of B", "why")


class Kind(StrEnum):
    """What a table holds."""

    PREDICTIONS = "predictions"
    LABELS = "labels"


@command(reference, "set")
def set_(
    session: Session,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A CSV, JSON Lines or Parquet table instead of logged rows.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="24h|TIME", help="Where the window of logged rows begins.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Where it ends (default: now).")] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="(default: when it was set)")] = None,
    kind: Annotated[
        Kind, typer.Option(help="Whether a file holds a model's predictions or true labels.")
    ] = Kind.PREDICTIONS,
    note: Annotated[str, typer.Option(metavar="TEXT", help="Why this is normal.")] = "",
) -> ExitCode:
    """Make logged predictions, or a table, the reference that later checks compare with."""
    plans = not session.console.is_quiet
    made = set_reference(
        session.operation, ReferenceRequest(file, since, until, name=name, kind=kind.value, note=note, plans=plans)
    )
    session.console.say(f"reference {made.reference.name}: {made.reference.rows} rows ({made.reference.kind})")
    if made.lost_rows:
        dropped = f"up to {made.lost_rows} rows of this window are not in it"
        session.console.warn(f"{dropped}: facemon store repair dropped them")
    _say_plan(session, made)
    return ExitCode.OK


@command(reference, "list")
def list_(session: Session) -> ExitCode:
    """List the references, newest first."""
    rows = [
        (r.name, r.kind, str(r.rows), r.model or "-", f"{r.created:%Y-%m-%d %H:%M}", r.note)
        for r in list_references(session.operation)
    ]
    session.console.table(("name", "kind", "rows", "model", "set at", "note"), rows)
    return ExitCode.OK


@command(reference, "show")
def show(
    session: Session,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="(default: the newest)")] = None,
    format_: FormatOption = PrintFormat.TEXT,
) -> ExitCode:
    """Tell what a reference is, and how many images of current data each check needs to decide with it."""
    from facemon.reports.plan_report import plan_facts

    found = describe_reference(session.operation, name)
    if format_ is PrintFormat.JSON:
        session.console.document(found.document())
        return ExitCode.OK
    plan = plan_facts(found.plan) if found.plan else ()
    session.console.table(("what", "value"), [*_facts(found), ("file", str(found.file)), *plan])
    return ExitCode.OK


@command(reference, "diff")
def diff(
    session: Session,
    first: Annotated[str, typer.Argument(metavar="A", help="The name of a reference.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The name of another.")],
    format_: FormatOption = PrintFormat.TEXT,
) -> ExitCode:
    """Tell how B differs from A: in what they are, and column by column as if B were current data."""
    found = compare_references(session.operation, first, second)
    if format_ is PrintFormat.JSON:
        session.console.document(found.document())
        return ExitCode.OK
    pairs = zip(_facts(found.first), _facts(found.second), strict=True)
    facts = [(what, one, other) for (what, one), (_, other) in pairs]
    session.console.table(("what", "A", "B"), [each for each in facts if each[0] == "name" or each[1] != each[2]])
    session.console.result("")
    session.console.table(_DIFF_HEADINGS, [_column_row(check, column) for check, column in found.columns])
    return ExitCode.OK


def _say_plan(session: Session, made: MadeReference) -> None:
    """Tell when the checks can decide."""
    from textwrap import fill

    from facemon.reports.plan_report import plan_facts

    for name, text in plan_facts(made.plan) if made.plan else ():
        sentence = printable(f"{name}: {text}")
        session.console.say(Lines(fill(sentence, _WIDTH, initial_indent="  ", subsequent_indent="    ")))


def _facts(described: DescribedReference) -> list[tuple[str, str]]:
    found = described.reference
    span = (
        "-"
        if found.since is None or found.until is None
        else f"{format_time(found.since)} to {format_time(found.until)}"
    )
    return [
        ("name", found.name),
        ("kind", found.kind),
        ("rows", str(found.rows)),
        ("model", found.model or "-"),
        ("from", found.origin),
        ("given as", described.given_as or "-"),
        ("window", span),
        ("set at", format_time(found.created)),
        ("note", found.note or "-"),
    ]


def _column_row(check: Check, column: ColumnResult) -> tuple[str, ...]:
    """The cells below `_DIFF_HEADINGS`, in the words and figures of the reports."""
    from facemon.reports.column_figures import column_figures

    name, verdict, shift, _, _, _, why = column_figures(check, column)
    return (name, column.kind, shift, verdict, f"{column.n_reference:,}", f"{column.n_current:,}", why)
