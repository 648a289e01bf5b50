"""`facemon reference`: what is normal; somebody has to say so."""

from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facemon.application.time_window import window_of
from facemon.cli.command import command, group
from facemon.cli.print_format import FormatOption, PrintFormat
from facemon.cli.session import Session
from facemon.errors import ExitCode, FacemonError, UsageError
from facemon.printable import Lines, printable
from facemon.values.drift_result import Check, ColumnResult
from facemon.values.times import format_time

if TYPE_CHECKING:
    import pyarrow as pa

    from facemon.store.ledger import Ledger
    from facemon.store.references import Reference

app = typer.Typer()
reference = group(app, "reference", "Say what is normal.")
SHOW_SCHEMA = "facemon.reference/1"
DIFF_SCHEMA = "facemon.reference_diff/1"
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
    from facemon.drift.reference_sample import count_once
    from facemon.store.references import set_from_table, set_from_window
    from facemon.values.image_input import shown_name

    if (file is None) == (since is None):
        raise UsageError("name either a FILE or a window with --since", "facemon reference set --since 24h")
    if file is None and kind is Kind.LABELS:
        raise UsageError("the log holds predictions; true labels come from a FILE")
    with session.open_ledger(create=file is not None) as ledger:
        now = ledger.now()
        chosen = name or f"{now:%Y-%m-%dT%H:%M:%SZ}"
        with session.operation.recorded(ledger, "reference") as outcome:
            if file is not None:
                table, given = _read(session, file), shown_name(str(file))
                made = set_from_table(ledger, chosen, table, kind=kind.value, note=note, now=now, given_as=given)
                count_once(ledger, made, attributes=session.config.model.attributes, tables=session.config.tables)
            else:
                begin, end = window_of(since, until, session.config.drift.window, now)
                made = set_from_window(ledger, chosen, begin, end, model=session.config.model.id, note=note, now=now)
            outcome.code = ExitCode.OK
        session.console.say(f"reference {made.name}: {made.rows} rows ({made.kind})")
        _warn_of_lost_rows(session, ledger, made)
        _say_plan(session, ledger, made, now)
    return outcome.code


def _warn_of_lost_rows(session: Session, ledger: "Ledger", made: "Reference") -> None:
    from facemon.store.set_aside import lost_rows

    if made.since is None or made.until is None or made.model is None:
        return
    if lost := lost_rows(ledger.connection, ledger.folder, made.since, made.until, made.model):
        session.console.warn(f"up to {lost} rows of this window are not in it: facemon store repair dropped them")


@command(reference, "list")
def list_(session: Session) -> ExitCode:
    """List the references, newest first."""
    from facemon.store.references import list_references

    with session.open_ledger() as ledger:
        rows = [
            (r.name, r.kind, str(r.rows), r.model or "-", f"{r.created:%Y-%m-%d %H:%M}", r.note)
            for r in list_references(ledger)
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
    from facemon.application.decision_plans import plan_of_reference
    from facemon.reports.plan_report import plan_facts
    from facemon.store.references import find_reference, reference_file

    with session.open_ledger() as ledger:
        found = find_reference(ledger, name or session.config.drift.reference)
        file, plan = (
            str(reference_file(ledger, found)),
            plan_of_reference(session.operation, ledger, found, ledger.now()),
        )
        if format_ is PrintFormat.JSON:
            about = _facts_document(ledger, found) | {"file": file, "plan": plan and plan.document()}
            session.console.document({"schema": SHOW_SCHEMA} | about)
            return ExitCode.OK
        facts = [*_facts(ledger, found), ("file", file), *(plan_facts(plan) if plan else ())]
    session.console.table(("what", "value"), facts)
    return ExitCode.OK


@command(reference, "diff")
def diff(
    session: Session,
    first: Annotated[str, typer.Argument(metavar="A", help="The name of a reference.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The name of another.")],
    format_: FormatOption = PrintFormat.TEXT,
) -> ExitCode:
    """Tell how B differs from A: in what they are, and column by column as if B were current data."""
    from facemon.drift.reference_diff import diff_references
    from facemon.store.references import find_reference

    config = session.config
    with session.open_ledger() as ledger:
        a, b = find_reference(ledger, first), find_reference(ledger, second)
        columns = diff_references(
            ledger, a, b, attributes=config.model.attributes, tables=config.tables, settings=config.drift
        )
        if format_ is PrintFormat.JSON:
            session.console.document(
                {
                    "schema": DIFF_SCHEMA,
                    "a": _facts_document(ledger, a),
                    "b": _facts_document(ledger, b),
                    "columns": [_column_document(column) for _, column in columns],
                }
            )
            return ExitCode.OK
        facts = [
            (what, one, other) for (what, one), (_, other) in zip(_facts(ledger, a), _facts(ledger, b), strict=True)
        ]
    session.console.table(("what", "A", "B"), [each for each in facts if each[0] == "name" or each[1] != each[2]])
    session.console.result("")
    session.console.table(_DIFF_HEADINGS, [_column_row(check, column) for check, column in columns])
    return ExitCode.OK


def _say_plan(session: Session, ledger: "Ledger", made: "Reference", now: datetime) -> None:
    """Tell when the checks can decide; a plan that cannot be made hides nothing of what was done."""
    from textwrap import fill

    from facemon.application.decision_plans import plan_of_reference
    from facemon.reports.plan_report import plan_facts

    if session.console.is_quiet:
        return
    with suppress(FacemonError):
        plan = plan_of_reference(session.operation, ledger, made, now)
        for name, text in plan_facts(plan) if plan else ():
            sentence = printable(f"{name}: {text}")
            session.console.say(Lines(fill(sentence, _WIDTH, initial_indent="  ", subsequent_indent="    ")))


def _read(session: Session, file: Path) -> "pa.Table":
    from facemon.drift.column_kinds import refuse_unclear_columns
    from facemon.tables.csv_notation import notation_of
    from facemon.tables.table_file import open_table

    config = session.config
    table = open_table(file, notation_of(config.tables.csv)).read()
    refuse_unclear_columns(table, str(file), config.model.attributes, config.tables)
    return table


def _facts(ledger: "Ledger", found: "Reference") -> list[tuple[str, str]]:
    from facemon.store.references import given_as

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
        ("given as", given_as(ledger, found) or "-"),
        ("window", span),
        ("set at", format_time(found.created)),
        ("note", found.note or "-"),
    ]


def _facts_document(ledger: "Ledger", found: "Reference") -> dict[str, Any]:
    from facemon.store.references import given_as

    return {
        "name": found.name,
        "kind": found.kind,
        "rows": found.rows,
        "model": found.model,
        "from": found.origin,
        "given_as": given_as(ledger, found),
        "since": found.since and format_time(found.since),
        "until": found.until and format_time(found.until),
        "set_at": format_time(found.created),
        "note": found.note,
    }


def _column_document(column: ColumnResult) -> dict[str, Any]:
    return {
        "column": column.column,
        "kind": column.kind,
        "score": column.score,
        "verdict": column.verdict.value,
        "n_a": column.n_reference,
        "n_b": column.n_current,
        "reason": column.reason,
    }


def _column_row(check: Check, column: ColumnResult) -> tuple[str, ...]:
    """The cells below `_DIFF_HEADINGS`, in the words and figures of the reports."""
    from facemon.reports.column_figures import column_figures

    name, verdict, shift, _, _, _, why = column_figures(check, column)
    return (name, column.kind, shift, verdict, f"{column.n_reference:,}", f"{column.n_current:,}", why)
