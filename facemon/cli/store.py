"""`facemon store`: care for the log."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from facemon.application.store_care import (
    accept_clock,
    back_up_store,
    compact_store,
    compare_clock,
    prune_store,
    store_info,
    verify_store,
)
from facemon.application.store_repair import recover_store, repair_store
from facemon.cli.command import command, group
from facemon.cli.print_format import FormatOption, PrintFormat, print_answer
from facemon.cli.session import Session
from facemon.errors import ExitCode, UsageError

app = typer.Typer()
_MOST_DAYS = 36_500
"""As of store.retention_days."""
store = group(app, "store", "Inspect and maintain the prediction log.")


@command(store, "info")
def info(
    session: Session,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    format_: FormatOption = PrintFormat.TEXT,
) -> ExitCode:
    """Show what the log holds; do not upgrade a store of an older version."""
    facts = store_info(session.operation)
    if as_json or format_ is PrintFormat.JSON:
        session.console.document(facts)
    else:
        from facemon.reports.store_report import store_table

        session.console.show([store_table(facts, datetime.now(UTC))])
    return ExitCode.OK


@command(store, "backup")
def backup(
    session: Session,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The archive to write: .tar, .tar.gz or .tgz; outside of the store.")
    ],
) -> ExitCode:
    """Write the whole store to one archive, while others go on writing; a store of an older version stays as it is.

    To restore it, unpack the archive in an empty folder: it holds one folder, called like the store's.
    """
    back_up_store(session.operation, file)
    return ExitCode.OK


@command(store, "verify")
def verify(session: Session) -> ExitCode:
    """Read the whole log and verify it: each row once, files unchanged, totals and profiles equal to the rows.

    Exit 3 when something is missing or damaged, also the ledger or the file of a reference.
    """
    from facemon.reports.store_report import verification_report

    found = verify_store(session.operation)
    if found.problems or not session.console.is_quiet:
        session.console.show(verification_report(found))
    return ExitCode.FOUND if found.problems else ExitCode.OK


@command(store, "compact")
def compact(session: Session) -> ExitCode:
    """Merge small segments of completed hours into larger Parquet files."""
    compact_store(session.operation)
    return ExitCode.OK


@command(store, "prune")
def prune(
    session: Session,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=_MOST_DAYS, metavar="N", help="Keep rows for N days (default: store.retention_days)."),
    ] = None,
    despite_clock: Annotated[
        bool, typer.Option("--despite-clock", help="Use the clock even if facemon reports that it is wrong.")
    ] = False,
    undelivered: Annotated[
        bool, typer.Option("--undelivered", help="Also remove rows that facemon store deliver has not delivered yet.")
    ] = False,
) -> ExitCode:
    """Remove rows that were both observed and predicted longer ago than the retention, and older reports.

    Counters keep what the rows added. Old images that were predicted today stay for the whole retention. Rows go in
    whole segments, so a row may stay some days longer, never shorter. Nothing is removed while the clock is wrong. A
    store that delivers keeps rows until they are delivered. Results of labelled images go with the rows of their hour,
    except within drift.accuracy_window and the window of a reference.
    """
    prune_store(session.operation, days, despite_clock=despite_clock, undelivered=undelivered)
    return ExitCode.OK


@command(store, "repair")
def repair(
    session: Session,
    *,
    drop_damaged: Annotated[
        bool,
        typer.Option(
            "--drop-damaged",
            help="Remove segments with lost rows from the log; their files move to set-aside, counters stay.",
        ),
    ] = False,
) -> ExitCode:
    """Repair a log with damaged, missing or foreign files; exit 3 if problems remain.

    Without --drop-damaged only what loses nothing is done: files go back to
    their place or, where no ledger entry names them, to the store's folder
    set-aside; profiles and totals are computed again. Damaged segments are
    listed. Nothing is deleted, and no counter falls.

    All files get the permissions of store.mode and, as root with --as-root, the
    store's user.
    """
    from facemon.reports.repair_report import repair_report

    repaired = repair_store(session.operation, drop_damaged=drop_damaged)
    session.console.show(repair_report(repaired.folder, repaired.done))
    if repaired.done.would_drop or repaired.done.left.problems:
        return ExitCode.FOUND
    if not session.console.is_quiet:
        session.console.result("ok: facemon store verify finds no problem")
    return ExitCode.OK


@command(store, "recover")
def recover(
    session: Session,
    file: Annotated[
        Path | None, typer.Argument(metavar="BACKUP", help="An archive that facemon store backup wrote.")
    ] = None,
    *,
    no_backup: Annotated[
        bool, typer.Option("--no-backup", help="Make a new ledger from the log's files alone; references are lost.")
    ] = False,
) -> ExitCode:
    """Replace a damaged ledger by that of a backup, and add the rows that the store's files still hold.

    The damaged ledger is kept in the store's folder set-aside. In an empty
    folder the backup alone is restored. Stop serve and running batches first.
    Exit 3 when facemon store verify finds a problem afterwards.
    """
    from facemon.reports.store_report import REPAIR, verification_hints

    if (file is None) != no_backup:
        raise UsageError("name either a BACKUP or --no-backup", "facemon store recover monday.tar.gz")
    found = recover_store(session.operation, file)
    session.console.show([*found.problems, *verification_hints(found, repair=REPAIR)])
    return ExitCode.FOUND if found.problems else ExitCode.OK


@command(store, "collect")
def collect(
    session: Session,
    location: Annotated[
        str,
        typer.Argument(
            metavar="LOCATION", help="Where predict --deliver and store deliver write to, such as s3://bucket/log/."
        ),
    ],
    *,
    clean: Annotated[
        bool,
        typer.Option("--clean", help="Remove segments of attempts that were never delivered, after 24 hours."),
    ] = False,
    format_: FormatOption = PrintFormat.TEXT,
) -> ExitCode:
    """Register what other machines have delivered: each delivery once, however often this is run.

    Exit 3 while shards of a job or deliveries of a node are missing, which are named; exit 1 for deliveries that are
    damaged, while the others are registered.
    """
    from facemon.application.collected_deliveries import collect_deliveries

    found = collect_deliveries(session.operation, location, cleans=clean)
    if found.code or format_ is PrintFormat.JSON or not session.console.is_quiet:
        print_answer(session.console, found, format_)
    return found.code


@command(store, "deliver")
def deliver(
    session: Session,
    location: Annotated[
        str, typer.Argument(metavar="LOCATION", help="The shared log, such as s3://bucket/log/ or file:///shared/log/.")
    ],
    *,
    node: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Name of this machine in the shared log (default: the last one used, or its host name).",
        ),
    ] = None,
    moved: Annotated[
        bool,
        typer.Option("--moved", help="Deliver to LOCATION from now on; all earlier deliveries were copied there."),
    ] = False,
) -> ExitCode:
    """Deliver what is new in this store to a log that many machines share, for facemon store collect.

    Rows are delivered once their hour of observation has been over for five minutes; run it from cron, for example
    once an hour. After an interruption, run it again: each row is delivered once.
    """
    from facemon.application.delivered_store import DeliverRequest, deliver_store

    deliver_store(session.operation, DeliverRequest(location, node, moved))
    return ExitCode.OK


@command(store, "clock")
def clock(
    session: Session,
    accept: Annotated[
        bool,
        typer.Option("--accept", help="Accept the clock, and set later timestamps in the store to now."),
    ] = False,
) -> ExitCode:
    """Compare the clock with the uptime and with what the store has seen; list stamps from the future.

    Exit 3 if the clock is wrong, or a timestamp is more than a day ahead.
    """
    if accept:
        accept_clock(session.operation)
        return ExitCode.OK
    found = compare_clock(session.operation)
    if found.is_wrong or not session.console.is_quiet:
        session.console.show(found.report())
    return ExitCode.FOUND if found.is_wrong else ExitCode.OK
