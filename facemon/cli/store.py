"""`facemon store`: care for the log."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from facemon.cli.command import command, group
from facemon.cli.session import Session
from facemon.errors import ExitCode
from facemon.values.times import EPOCH, format_time

app = typer.Typer()
store = group(app, "store", "Look after the prediction log.")


@command(store, "info")
def info(
    session: Session, as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False
) -> ExitCode:
    """Tell what the log holds."""
    from facemon.store.inventory import take_inventory

    with session.open_ledger() as ledger:
        found = take_inventory(ledger)
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
        int | None, typer.Option(min=1, help="Keep this many days (default: store.retention_days).")
    ] = None,
) -> ExitCode:
    """Remove rows and reports that are older than the retention; counters keep what those rows added."""
    from facemon.store.report_files import FOLDER, prune_reports
    from facemon.store.retention import prune as prune_log

    kept, now = days or session.config.store.retention_days, datetime.now(UTC)
    before = now - timedelta(days=min(kept, (now - EPOCH).days))
    with session.open_ledger() as ledger, session.recorded(ledger, "store prune") as outcome:
        done = prune_log(ledger, before)
        reports = prune_reports(ledger.folder / FOLDER, before)
        session.console.say(f"removed {done.rows} rows in {done.segments} segments, observed over {kept} days ago")
        if reports:
            session.console.say(f"removed {reports} files of reports, made over {kept} days ago")
        outcome.code = ExitCode.OK
    return outcome.code
