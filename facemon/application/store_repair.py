"""Repair of a log that is damaged, and recovery of a ledger that is lost."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.application.operation import Operation
from facemon.application.store_care import verify_store
from facemon.domain.counted import counted

if TYPE_CHECKING:
    from facemon.store.ledger_recovery import Recovery
    from facemon.store.repair import Repair
    from facemon.store.verification import Verification


@dataclass(frozen=True, slots=True)
class RepairedStore:
    """What a repair did, and the folder of the store."""

    folder: Path
    done: "Repair"


def repair_store(operation: Operation, *, drop_damaged: bool) -> RepairedStore:
    """Mend a log with damaged, missing or foreign files; give all of them the permissions of store.mode."""
    from facemon.store.permissions import MODES, apply_mode
    from facemon.store.repair import repair

    with operation.open_ledger() as ledger:
        ledger.refuse_foreign_root()
        changed, foreign = apply_mode(ledger.folder, MODES[operation.config.store.mode])
        _tell_permissions(operation, changed, foreign)
        return RepairedStore(ledger.folder, repair(ledger, drop_damaged=drop_damaged, now=ledger.now()))


def recover_store(operation: Operation, backup: Path | None) -> "Verification":
    """Replace a damaged ledger by that of a backup, or without one by a ledger that is made from the log's files.

    Return what a verification finds afterwards.
    """
    from facemon.store.ledger_recovery import recover_ledger

    store = operation.config.store
    done = recover_ledger(store.path, backup, datetime.now(UTC), mode=store.mode, as_root=operation.as_root)
    _tell_recovery(operation, store.path, done)
    return verify_store(operation)


def _tell_permissions(operation: Operation, changed: int, foreign: int) -> None:
    """Tell how many files got other permissions, and how many only root can change."""
    if changed:
        operation.reporter.say(f"changed the permissions of {counted(changed, 'file or folder', 'files and folders')}")
    if foreign:
        operation.reporter.warn(
            f"{counted(foreign, 'file belongs', 'files belong')} to other users: as root, facemon store repair "
            "--as-root gives them to the store's user"
        )


def _tell_recovery(operation: Operation, folder: Path, done: "Recovery") -> None:
    """Tell what the recovered log in `folder` is made of, and what is lost."""
    say, warn = operation.reporter.say, operation.reporter.warn
    parts = f"{counted(done.backup_rows, 'row')} of the backup, {done.newer_rows} newer ones in files"
    say(f"recovered the store in {folder}: {parts}, {done.ledger_rows} that the damaged ledger held")
    if done.lost_rows and done.knows_all_lost:
        warn(f"{counted(done.lost_rows, 'row of the damaged ledger is', 'rows of the damaged ledger are')} lost")
    elif done.kept is not None and not done.knows_all_lost:
        warn(f"at least {counted(done.lost_rows, 'row is', 'rows are')} lost: the damaged ledger cannot be read whole")
    elif done.is_ledger_gone:
        warn("the old ledger is gone: rows that only it held, which are those since the last compaction, are lost")
    if not done.keeps_counters and (done.kept is not None or done.is_ledger_gone):
        warn(
            "the counters of the old ledger cannot be read: they restart from lower values, "
            "which Prometheus treats as a counter reset"
        )
    for path in done.damaged:
        warn(f"{folder / path} is damaged: its rows are lost")
    if done.references:
        warn(f"{counted(done.references, 'reference')} set since the backup are lost; their rows are in {done.aside}")
    if done.kept is not None:
        say(f"the damaged ledger is kept in {done.kept}")
