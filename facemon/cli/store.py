"""`facemon store`: care for the log."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from facemon.cli.command import command, group
from facemon.cli.session import Session
from facemon.errors import ExitCode
from facemon.values.times import EPOCH, format_time

app = typer.Typer()
_MOST_DAYS = 36_500
"""As of store.retention_days."""
store = group(app, "store", "Look after the prediction log.")


@command(store, "info")
def info(
    session: Session, as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False
) -> ExitCode:
    """Tell what the log holds; a store of an older version is not upgraded."""
    from facemon.store.inventory import take_inventory
    from facemon.store.migrations import STORE_VERSION

    with session.open_ledger(upgrade=False) as ledger:
        found = take_inventory(ledger)
    if found.version < STORE_VERSION:
        session.console.say(
            f"the next command that writes upgrades the store from version {found.version} to {STORE_VERSION}; "
            "facemon store backup FILE saves it as it is"
        )
    facts = {
        "store": str(session.config.store.path),
        "version": found.version,
        "rows": found.rows,
        "files": found.files,
        "inline_segments": found.inline,
        "bytes": found.bytes,
        "first_observed_at": found.first and format_time(found.first),
        "last_observed_at": found.last and format_time(found.last),
        "models": found.models,
        "unfinished_runs": found.unfinished_runs,
        "references": found.references,
        "drift_checks": found.drift_checks,
        "reports": found.reports,
        "report_bytes": found.report_bytes,
    }
    if as_json:
        session.console.document(facts)
    else:
        shown = facts | {"models": ", ".join(f"{name} ({rows} rows)" for name, rows in found.models.items())}
        rows = [(name.replace("_", " "), "-" if value in (None, "") else str(value)) for name, value in shown.items()]
        session.console.table(("what", "value"), rows)
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
    from facemon.store.backup import back_up

    with session.open_ledger(upgrade=False) as ledger:
        done = back_up(ledger, file)
        files = f"the ledger and {done.files} file{'s' * (done.files != 1)}"
        session.console.say(
            f"wrote {file}: store version {ledger.version}, {done.rows} rows, {files}, {done.bytes / 1e6:.1f} MB"
        )
    return ExitCode.OK


@command(store, "verify")
def verify(session: Session) -> ExitCode:
    """Read the whole log and prove it: each row once, files unchanged, totals and profiles equal to the rows.

    Exit 3 when something is wrong.
    """
    from facemon.store.verification import verify as verify_log

    with session.open_ledger() as ledger:
        found = verify_log(ledger)
    for problem in found.problems:
        session.console.result(problem)
    looked_at = f"{found.rows} rows in {found.segments} segments"
    if found.problems:
        session.console.warn(f"{len(found.problems)} problems in {looked_at}")
        return ExitCode.FOUND
    if not session.console.is_quiet:
        session.console.result(f"ok: {looked_at}; every row once, files unchanged, totals and profiles equal the rows")
    return ExitCode.OK


@command(store, "compact")
def compact(session: Session) -> ExitCode:
    """Fold the small segments of hours that are over into few Parquet files."""
    from facemon.store.compaction import compact as compact_log

    with session.open_ledger() as ledger, session.recorded(ledger, "store compact") as outcome:
        done = compact_log(ledger, datetime.now(UTC))
        session.console.say(f"folded {done.folded} segments with {done.rows} rows into {done.written}")
        outcome.code = ExitCode.OK
    return outcome.code


@command(store, "prune")
def prune(
    session: Session,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=_MOST_DAYS, metavar="N", help="Keep rows for N days (default: store.retention_days)."),
    ] = None,
) -> ExitCode:
    """Remove rows that were both observed and predicted longer ago than the retention, and older reports.

    Counters keep what the rows added. Old images that were predicted today stay for the whole retention. Rows go in
    whole segments, so a row may stay some days longer, never shorter.
    """
    from facemon.store.report_files import FOLDER, prune_reports
    from facemon.store.retention import prune as prune_log

    kept, now = days or session.config.store.retention_days, datetime.now(UTC)
    before = now - timedelta(days=min(kept, (now - EPOCH).days))
    with session.open_ledger() as ledger, session.recorded(ledger, "store prune") as outcome:
        done = prune_log(ledger, before)
        reports = prune_reports(ledger.folder / FOLDER, before)
        rows = f"{done.rows} row{'s' * (done.rows != 1)} in {done.segments} segment{'s' * (done.segments != 1)}"
        session.console.say(f"removed {rows}: observed and predicted more than {kept} days ago")
        if reports:
            session.console.say(
                f"removed {reports} file{'s' * (reports != 1)} of reports, written more than {kept} days ago"
            )
        outcome.code = ExitCode.OK
    return outcome.code
