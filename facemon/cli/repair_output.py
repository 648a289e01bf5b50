"""What `facemon store repair` prints: what was done on stderr, what is left to do on stdout."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.cli.session import Session
from facemon.errors import ExitCode

if TYPE_CHECKING:
    from facemon.store.ledger_recovery import Recovery
    from facemon.store.repair import Repair


def tell_repair(session: Session, folder: Path, done: "Repair") -> ExitCode:
    """Print what a repair of the store in `folder` did and return its exit code: 3 when problems are left."""
    for record in done.dropped:
        session.console.notice(f"dropped {record.text}: it {record.reason}")
    for line in _what_was_done(folder, done):
        session.console.say(line)
    if done.would_drop:
        _tell_how_to_drop(session, done)
        return ExitCode.FOUND
    for problem in done.left:
        session.console.result(problem)
    if done.left:
        session.console.warn(f"{_count(len(done.left), 'problem')} left, which no repair can mend")
        session.console.notice("  hint: facemon store recover BACKUP goes back to a backup and keeps what is newer")
        return ExitCode.FOUND
    if not session.console.is_quiet:
        session.console.result("ok: facemon store verify finds no problem")
    return ExitCode.OK


def tell_permissions(session: Session, changed: int, foreign: int) -> None:
    """Print how many files got other permissions, and how many only root can change."""
    if changed:
        session.console.say(f"changed the permissions of {_count(changed, 'file or folder', 'files and folders')}")
    if foreign:
        session.console.warn(
            f"{_count(foreign, 'file belongs', 'files belong')} to other users: as root, facemon store repair "
            "--as-root gives them to the store's user"
        )


def tell_recovery(session: Session, folder: Path, done: "Recovery") -> None:
    """Print what the recovered log in `folder` is made of, and what is lost."""
    say, warn = session.console.say, session.console.warn
    parts = f"{_count(done.backup_rows, 'row')} of the backup, {done.newer_rows} newer ones in files"
    say(f"recovered the store in {folder}: {parts}, {done.ledger_rows} that the damaged ledger held")
    if done.lost_rows and done.knows_all_lost:
        warn(f"{_count(done.lost_rows, 'row of the damaged ledger is', 'rows of the damaged ledger are')} lost")
    elif done.kept is not None and not done.knows_all_lost:
        warn(f"at least {_count(done.lost_rows, 'row is', 'rows are')} lost: the damaged ledger cannot be read whole")
    if not done.keeps_counters and done.kept is not None:
        warn("the counters of the damaged ledger cannot be read: Prometheus sees them begin anew from lower values")
    for path in done.damaged:
        warn(f"{folder / path} is not whole: its rows are lost")
    if done.references:
        warn(f"{_count(done.references, 'reference')} set since the backup are lost; their rows are in {done.kept}")
    if done.kept is not None:
        say(f"the damaged ledger is kept in {done.kept}")


def _what_was_done(folder: Path, done: "Repair") -> Iterator[str]:
    if done.dropped:
        rows = sum(record.rows for record in done.dropped)
        yield f"{_count(rows, 'row')} lost; counters keep them. What is left of their files is in {folder}/set-aside"
    for path in done.put_back:
        yield f"put back {path}"
    for record in done.taken_in:
        yield f"took in again {record.text}"
    for path in done.foreign:
        yield f"moved a file that no ledger entry names to {folder / path}"
    if done.totals and not done.dropped:
        yield f"corrected {_count(done.totals, 'total')}"
    if done.profiles:
        yield f"computed the profiles of {_count(done.profiles, 'hour')} anew from their rows"


def _tell_how_to_drop(session: Session, done: "Repair") -> None:
    rows = sum(record.rows for record in done.would_drop)
    for record in done.would_drop:
        session.console.result(f"{record.text} {record.reason}")
    session.console.warn(f"{_count(len(done.would_drop), 'damaged segment')} with {_count(rows, 'row')} in the log")
    session.console.notice(
        "  hint: put their files back from a backup and run facemon store repair again, or give up these rows: "
        "facemon store repair --drop-damaged"
    )


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one}" if number == 1 else f"{number} {many or one + 's'}"
