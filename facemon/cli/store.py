"""`facemon store`: care for the log."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from facemon.application.left_out import refuse_left_out
from facemon.cli.command import command, group
from facemon.cli.repair_output import tell_permissions, tell_recovery, tell_repair
from facemon.cli.session import Session
from facemon.errors import ExitCode, FacemonError, UsageError
from facemon.values.times import EPOCH, format_time

app = typer.Typer()
_MOST_DAYS = 36_500
"""As of store.retention_days."""
store = group(app, "store", "Look after the prediction log.")


_REMEDIES = {
    False: "facemon store repair mends what loses nothing, and tells what it would drop",
    True: "facemon store recover BACKUP goes back to a backup and keeps what is newer",
}


@command(store, "info")
def info(
    session: Session, as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False
) -> ExitCode:
    """Tell what the log holds; a store of an older version is not upgraded."""
    from facemon.store.inventory import take_inventory
    from facemon.store.migrations import STORE_VERSION
    from facemon.store.permissions import MODES

    with session.open_ledger(upgrade=False) as ledger:
        found = take_inventory(ledger)
    if found.version < STORE_VERSION:
        session.console.say(
            f"the next command that writes upgrades the store from version {found.version} to {STORE_VERSION}; "
            "facemon store backup FILE saves it as it is"
        )
    if found.permissions.mode != MODES[session.config.store.mode]:
        session.console.say(
            f"the permissions of the store are {found.permissions.text}, not {session.config.store.mode} (store.mode): "
            "facemon store repair changes them"
        )
    facts = {
        "store": str(session.config.store.path),
        "version": found.version,
        "user": found.permissions.owner_name,
        "mode": found.permissions.text,
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
    if problems := len(found.problems):
        session.console.warn(f"{problems} problem{'s' * (problems != 1)} in {looked_at}")
        session.console.notice(f"  hint: {_REMEDIES[found.is_ledger_damaged]}")
        return ExitCode.FOUND
    if not session.console.is_quiet:
        session.console.result(f"ok: {looked_at}; every row once, files unchanged, totals and profiles equal the rows")
    return ExitCode.OK


@command(store, "compact")
def compact(session: Session) -> ExitCode:
    """Fold the small segments of hours that are over into few Parquet files."""
    from facemon.store.compaction import compact as compact_log

    with session.open_ledger() as ledger, session.operation.recorded(ledger, "store compact") as outcome:
        done = compact_log(ledger, ledger.now())
        session.console.say(f"folded {done.folded} segments with {done.rows} rows into {done.written}")
        refuse_left_out(session.operation, done.left_out)
        outcome.code = ExitCode.OK
    return outcome.code


@command(store, "prune")
def prune(
    session: Session,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=_MOST_DAYS, metavar="N", help="Keep rows for N days (default: store.retention_days)."),
    ] = None,
    despite_clock: Annotated[
        bool, typer.Option("--despite-clock", help="Go by the clock although it is said to be wrong.")
    ] = False,
) -> ExitCode:
    """Remove rows that were both observed and predicted longer ago than the retention, and older reports.

    Counters keep what the rows added. Old images that were predicted today stay for the whole retention. Rows go in
    whole segments, so a row may stay some days longer, never shorter. Nothing is removed while the clock is wrong.
    """
    from facemon.store.report_files import FOLDER, prune_reports
    from facemon.store.retention import prune as prune_log
    from facemon.store.set_aside import prune_set_aside
    from facemon.store.store_clock import HINT

    kept = days or session.config.store.retention_days
    with (
        session.open_ledger() as ledger,
        session.operation.recorded(ledger, "store prune", warns=despite_clock) as outcome,
    ):
        if (doubt := ledger.clock.doubt()) and not despite_clock:
            remedy = f"{HINT}; --despite-clock removes rows by this clock once"
            raise FacemonError(f"nothing is removed: {doubt}", remedy)
        now = datetime.now(UTC) if despite_clock else ledger.now()
        before = now - timedelta(days=min(kept, max(0, (now - EPOCH).days)))
        done = prune_log(ledger, before)
        reports = prune_reports(ledger.folder / FOLDER, before)
        aside = prune_set_aside(ledger.folder, before, now)
        rows = f"{done.rows} row{'s' * (done.rows != 1)} in {done.segments} segment{'s' * (done.segments != 1)}"
        session.console.say(f"removed {rows}: observed and predicted more than {kept} days ago")
        if reports:
            session.console.say(
                f"removed {reports} file{'s' * (reports != 1)} of reports, written more than {kept} days ago"
            )
        if aside:
            session.console.say(f"removed {aside} file{'s' * (aside != 1)} that a repair had set aside")
        refuse_left_out(session.operation, done.left_out)
        outcome.code = ExitCode.OK
    return outcome.code


@command(store, "repair")
def repair(
    session: Session,
    *,
    drop_damaged: Annotated[
        bool,
        typer.Option(
            "--drop-damaged",
            help="Take segments out of the log whose rows are lost; their files are set aside, counters stay.",
        ),
    ] = False,
) -> ExitCode:
    """Mend a log with damaged, missing or foreign files; exit 3 when problems are left.

    Without --drop-damaged only what loses nothing is done: files go back to
    their place or, where no ledger entry names them, to the store's folder
    set-aside; profiles and totals are computed anew. Damaged segments are
    listed. Nothing is deleted, and no counter falls.

    All files get the permissions of store.mode and, as root with --as-root, the
    store's user.
    """
    from facemon.store.permissions import MODES, apply_mode
    from facemon.store.repair import repair as repair_log

    with session.open_ledger() as ledger:
        ledger.refuse_foreign_root()
        changed, foreign = apply_mode(ledger.folder, MODES[session.config.store.mode])
        tell_permissions(session, changed, foreign)
        done = repair_log(ledger, drop_damaged=drop_damaged, now=ledger.now())
        return tell_repair(session, ledger.folder, done)


@command(store, "recover")
def recover(
    session: Session,
    file: Annotated[
        Path | None, typer.Argument(metavar="[BACKUP]", help="An archive that facemon store backup wrote.")
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
    from facemon.store.ledger_recovery import recover_ledger
    from facemon.store.verification import verify as verify_log

    if (file is None) != no_backup:
        raise UsageError("name either a BACKUP or --no-backup", "facemon store recover monday.tar.gz")
    config = session.config.store
    done = recover_ledger(config.path, file, datetime.now(UTC), mode=config.mode, as_root=session.as_root)
    tell_recovery(session, config.path, done)
    with session.open_ledger() as ledger:
        problems = verify_log(ledger).problems
    for problem in problems:
        session.console.result(problem)
    if problems:
        session.console.notice(f"  hint: {_REMEDIES[False]}")
    return ExitCode.FOUND if problems else ExitCode.OK


@command(store, "clock")
def clock(
    session: Session,
    accept: Annotated[
        bool,
        typer.Option("--accept", help="Take the clock as right, and set what is stamped with a later time to now."),
    ] = False,
) -> ExitCode:
    """Compare the clock with the uptime and with what the store has seen; list stamps from the future.

    Exit 3 when the clock is wrong, or something bears a time that is more than a day ahead.
    """
    from facemon.store.future_stamps import future_stamps, take_back
    from facemon.store.store_clock import HINT

    with session.open_ledger() as ledger:
        if accept:
            changed = take_back(ledger, now := ledger.clock.accept())
            stamps = f"set {changed} stamp{'s' * (changed != 1)} from the future to now"
            session.console.say(f"the clock is taken as right: {now:%Y-%m-%d %H:%M} UTC; {stamps}")
            return ExitCode.OK
        doubt, ahead = ledger.clock.doubt(), future_stamps(ledger, ledger.now())
    for each in ahead:
        session.console.result(f"{each.what}: {each.at:%Y-%m-%d %H:%M} UTC is in the future")
    if doubt:
        session.console.result(doubt)
    if doubt or ahead:
        session.console.notice(f"  hint: {HINT}")
        return ExitCode.FOUND
    if not session.console.is_quiet:
        session.console.result("ok: the clock is right, as far as this machine and this store know")
    return ExitCode.OK
