"""`facemon reference`: what is normal; somebody has to say so."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facemon.cli.command import command, group
from facemon.cli.session import Session
from facemon.cli.time_options import window_of
from facemon.errors import ExitCode, UsageError
from facemon.values.times import format_time

if TYPE_CHECKING:
    import pyarrow as pa

    from facemon.store.references import Reference

app = typer.Typer()
reference = group(app, "reference", "Say what is normal.")


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
    from facemon.store.references import set_from_table, set_from_window

    now = datetime.now(UTC)
    chosen = name or f"{now:%Y-%m-%dT%H:%M:%SZ}"
    if (file is None) == (since is None):
        raise UsageError("name either a FILE or a window with --since", "facemon reference set --since 24h")
    if file is None and kind is Kind.LABELS:
        raise UsageError("the log holds predictions; true labels come from a FILE")
    with session.open_ledger(create=file is not None) as ledger, session.recorded(ledger, "reference") as outcome:
        if file is not None:
            made = set_from_table(ledger, chosen, _read(file), kind=kind.value, note=note, now=now)
        else:
            begin, end = window_of(since, until, session.config.drift.window, now)
            made = set_from_window(ledger, chosen, begin, end, model=session.config.model.id, note=note, now=now)
        outcome.code = ExitCode.OK
    session.console.say(f"reference {made.name}: {made.rows} rows ({made.kind})")
    return outcome.code


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
    session: Session, name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="(default: the newest)")] = None
) -> ExitCode:
    """Tell what a reference is."""
    from facemon.store.references import find_reference, reference_file

    with session.open_ledger() as ledger:
        found = find_reference(ledger, name or session.config.drift.reference)
        facts = [*_facts(found), ("file", str(reference_file(ledger, found)))]
    session.console.table(("what", "value"), facts)
    return ExitCode.OK


def _read(file: Path) -> "pa.Table":
    from facemon.tables.table_file import open_table

    return open_table(file).read()


def _facts(found: "Reference") -> list[tuple[str, str]]:
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
        ("window", span),
        ("set at", format_time(found.created)),
        ("note", found.note or "-"),
    ]
