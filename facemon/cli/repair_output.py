"""What `facemon store repair` prints: what was done on stderr, what is left to do on stdout."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.cli.session import Session
from facemon.domain.counted import counted
from facemon.errors import ExitCode

if TYPE_CHECKING:
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
        session.console.warn(f"{counted(len(done.left), 'problem')} left, which no repair can mend")
        session.console.notice("  hint: facemon store recover BACKUP goes back to a backup and keeps what is newer")
        return ExitCode.FOUND
    if not session.console.is_quiet:
        session.console.result("ok: facemon store verify finds no problem")
    return ExitCode.OK


def _what_was_done(folder: Path, done: "Repair") -> Iterator[str]:
    if done.dropped:
        rows = sum(record.rows for record in done.dropped)
        yield f"{counted(rows, 'row')} lost; counters keep them. What is left of their files is in {folder}/set-aside"
    for path in done.put_back:
        yield f"put back {path}"
    for record in done.taken_in:
        yield f"took in again {record.text}"
    for path in done.foreign:
        yield f"moved a file that no ledger entry names to {folder / path}"
    if done.totals and not done.dropped:
        yield f"corrected {counted(done.totals, 'total')}"
    if done.profiles:
        yield f"computed the profiles of {counted(done.profiles, 'hour')} anew from their rows"


def _tell_how_to_drop(session: Session, done: "Repair") -> None:
    rows = sum(record.rows for record in done.would_drop)
    for record in done.would_drop:
        session.console.result(f"{record.text} {record.reason}")
    session.console.warn(f"{counted(len(done.would_drop), 'damaged segment')} with {counted(rows, 'row')} in the log")
    session.console.notice(
        "  hint: put their files back from a backup and run facemon store repair again, or give up these rows: "
        "facemon store repair --drop-damaged"
    )
