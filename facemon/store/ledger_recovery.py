"""A damaged ledger replaced: by that of a backup, to which all rows are added that the store's files still hold.

The new ledger is made beside the damaged one and takes its place last. A process that is killed leaves the damaged one,
or none, and `facemon store recover` can be run again.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from facemon.error_hints import refused_access
from facemon.errors import FacemonError, LockedError, UsageError
from facemon.store.backup_archive import extract_files, extract_ledger
from facemon.store.file_system import refuse_network
from facemon.store.layout import (
    FOLDERS,
    LEDGER_NAME,
    SET_ASIDE,
    SQLITE_ENDS,
    WORK,
    foreign_names,
    has_lost_ledger,
)
from facemon.store.ledger.opening import has_ledger, open_ledger, open_ledger_beside
from facemon.store.ledger.protocol import Ledger
from facemon.store.ledger.salvage import Salvage, salvage
from facemon.store.ledger_errors import DamagedLedgerError
from facemon.store.log_balance import raise_totals
from facemon.store.permissions import MODES, Permissions, make_folder, permissions_for_new, refuse_root, unwritable
from facemon.store.process_lock import ProcessLock, living_writers
from facemon.store.rows_taken_in import LeftFiles, NewerRows
from facemon.store.segment_files import is_as_written
from facemon.store.set_aside import move_aside

_COMMAND = "recover"
_LEDGER_FILES = tuple(f"{LEDGER_NAME}{end}" for end in (*SQLITE_ENDS, ""))
"""The ledger last: without its write-ahead log it is still recognised as damaged."""


@dataclass
class Recovery:
    """What a recovered log is made of."""

    backup_rows: int = 0
    newer_rows: int = 0
    """From files that the backup does not know."""
    ledger_rows: int = 0
    """That the damaged ledger held itself."""
    lost_rows: int = 0
    """Rows that the damaged ledger names and that are in no file."""
    knows_all_lost: bool = True
    """Whether it could be read whole, so that there are not more."""
    damaged: list[str] = field(default_factory=list)
    """Where files are now that are not whole."""
    keeps_counters: bool = True
    """Whether the totals of the damaged ledger could be read, so that no counter falls."""
    references: int = 0
    """Files of references that the backup does not know."""
    kept: Path | None = None
    """Where the damaged ledger is."""
    is_ledger_gone: bool = False
    """Whether the store lost its ledger, so that it is unknown which rows only the ledger held."""
    aside: Path | None = None
    """Where the files are that the new ledger does not name."""


def recover_ledger(
    folder: Path, backup: Path | None, now: datetime, *, mode: Literal["private", "group"], as_root: bool
) -> Recovery:
    """Make a ledger for the files in `folder` from a backup, or from these files alone, in place of a damaged one.

    UsageError when the ledger there is whole; LockedError while a process writes to the store; FacemonError when the
    backup is not whole, or when the store cannot be written.
    """
    refuse_network(folder)
    _refuse_whole(folder)
    permissions = _permissions(folder, mode, as_root=as_root)
    try:
        is_gone = folder.is_dir() and has_lost_ledger(folder)
        for name in FOLDERS:
            make_folder(folder / name, permissions)
        with ProcessLock.for_command(folder, _COMMAND):
            _refuse_writers(folder)
            with _work_folder(folder, permissions) as work:
                done = _recover(folder, work, backup, now, permissions)
                done.is_ledger_gone = is_gone and done.kept is None
                return done
    except OSError as error:
        raise FacemonError(
            f"{error.filename or folder}: {error.strerror}; the store is not recovered",
            "fix this, then run facemon store recover again",
        ) from error


def _recover(folder: Path, work: Path, backup: Path | None, now: datetime, permissions: Permissions) -> Recovery:
    source, new = _ledger_to_read(folder), work / "new"
    old = salvage(source, work)
    done, aside = Recovery(kept=None if source == folder else source), f"ledger-{now:%Y%m%dT%H%M%S}"
    if backup is not None:
        make_folder(new, permissions)
        extract_ledger(backup, new / LEDGER_NAME, permissions)
        # Before an upgrade of this ledger, which counts rows of the files.
        with open_ledger_beside(new, folder, upgrade=False) as older:
            _restore_files(folder, older.named_files(), backup, permissions, aside)
    # The files of the log are in the store already; only the ledger is not in its place.
    with open_ledger_beside(new, folder, create=backup is None) as made:
        known = {segment.path or segment.id for segment in made.segments.within()}
        newer = NewerRows(made)
        done.backup_rows = newer.rows
        left = newer.add_files(_unknown_files(folder, made, old), old.sha256)
        done.newer_rows = newer.rows - done.backup_rows
        newer.add_tables(old.tables)
        done.ledger_rows = newer.rows - done.backup_rows - done.newer_rows
        done.keeps_counters = _keep_counters(made, old)
        done.lost_rows, done.knows_all_lost = _lost(folder, old, known, left), old.is_complete
        references, known_now = _unknown_references(folder, made), _known(made)
    _refuse_writers(folder)
    permissions.give(new / LEDGER_NAME)
    done.kept = _swap(folder, new, aside) or done.kept
    # What is left was folded, given up or taken in by other files, or is damaged.
    moved = {
        path: move_aside(folder, path, f"{aside}/{Path(path).name}")
        for path in (*sorted(_files(folder) - known_now), *references)
    }
    done.damaged, done.references = [moved[path] for path in left.damaged if path in moved], len(references)
    done.aside = folder / SET_ASIDE / aside
    return done


def _lost(folder: Path, old: Salvage, known: set[str], left: LeftFiles) -> int:
    """Count the rows that the damaged ledger names and that neither the backup nor a whole file has."""
    in_files = sum(
        rows
        for path, rows in old.rows.items()
        if path not in known and (path in left.damaged or not (folder / path).exists())
    )
    return in_files + sum(rows for segment, rows in old.undecoded.items() if segment not in known)


def _refuse_whole(folder: Path) -> None:
    """UsageError when the ledger is whole, FacemonError when the folder is not that of a store."""
    if not has_ledger(folder):
        if folder.is_dir() and (others := foreign_names(folder)):
            raise FacemonError(
                f"{folder} is not a store and is not empty: it holds {others[0]}",
                "name an empty folder under store.path",
            )
        return
    try:
        with open_ledger(folder, upgrade=False) as ledger:
            faults = ledger.faults(1)
            ledger.totals.read(), ledger.totals.departed()
    except DamagedLedgerError:
        return
    if not faults:
        raise UsageError(
            f"the ledger of the store in {folder} is not damaged: a recovery would lose rows newer than the backup",
            "facemon store verify lists other problems; facemon store repair fixes them",
        )


def _permissions(folder: Path, mode: str, *, as_root: bool) -> Permissions:
    """Those of the damaged ledger; FacemonError when this process may not replace it."""
    for place in (folder, _newest_aside(folder)):
        if place is not None and (place / LEDGER_NAME).exists():
            found = Permissions.of(place)
            break
    else:
        found = permissions_for_new(folder, MODES[mode])
    if not as_root:
        refuse_root(folder, found)
    if folder.is_dir() and (refused := refused_access(folder)):
        raise unwritable(folder, refused)
    return found


def _newest_aside(folder: Path) -> Path | None:
    return max((folder / SET_ASIDE).glob("ledger-*"), default=None)


def _ledger_to_read(folder: Path) -> Path:
    """Where the damaged ledger is: a recovery that was killed may have set it aside already."""
    if (folder / LEDGER_NAME).exists():
        return folder
    return _newest_aside(folder) or folder


def _refuse_writers(folder: Path) -> None:
    if writers := living_writers(folder, {f"{_COMMAND}.lock", "create.lock"}):
        raise LockedError(
            f"the store in {folder} is in use ({', '.join(writers)})", "stop that process, then run again"
        )


@contextmanager
def _work_folder(folder: Path, permissions: Permissions) -> Iterator[Path]:
    work = folder / WORK
    shutil.rmtree(work, ignore_errors=True)  # of a recovery that was killed
    make_folder(work, permissions)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _restore_files(
    folder: Path, named: Mapping[str, str | None], backup: Path, permissions: Permissions, aside: str
) -> None:
    """Put the files that the backup's ledger names in their places, where the store does not have them as written."""
    lacking = set()
    for path, sha256 in named.items():
        if (folder / path).is_file() if sha256 is None else _is_whole(folder / path, sha256):
            continue
        lacking.add(path)
        if sha256 is not None and (folder / path).exists():
            move_aside(folder, path, f"{aside}/{Path(path).name}")
    extract_files(backup, folder, permissions, lacking.__contains__)


def _is_whole(path: Path, sha256: str) -> bool:
    try:
        return is_as_written(path, sha256)
    except OSError:
        return False


def _unknown_files(folder: Path, made: Ledger, old: Salvage) -> list[str]:
    """Files of the log that the new ledger does not name, and that neither it nor the damaged one gave up.

    The totals of a backup count the rows of a file that it gave up: as rows that are gone, or in another file.
    """
    return sorted(_files(folder) - _known(made) - made.files.given_up() - (old.unregistered or frozenset()))


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in (folder / "segments").rglob("*.parquet")}


def _known(made: Ledger) -> set[str]:
    return {segment.path for segment in made.segments.within() if segment.path}


def _unknown_references(folder: Path, made: Ledger) -> list[str]:
    known = {reference.path for reference in made.references.all()}
    files = (path.relative_to(folder).as_posix() for path in (folder / "references").glob("*.parquet"))
    return sorted(path for path in files if path not in known)


def _keep_counters(made: Ledger, old: Salvage) -> bool:
    """Raise the totals to those of the damaged ledger, and count the difference as rows that are gone.

    Shards that these totals count stay registered, also where their rows are lost: collected again, they would be
    counted twice. Without the totals they are collected again, unless files still have rows of their runs.
    """
    with made.writing():
        raise_totals(made, old.totals or {})
        made.requests.raise_to(old.request_totals)
        for shard in old.shards:
            made.deliveries.enter(shard)
        for identity in old.nodes:
            made.nodes.enter(identity)
        made.nodes.know(old.collected)
        made.nodes.send(old.sent)
        if old.node is not None:
            # The new ledger is another file, and so begins a new epoch, with the latencies of now as delivered.
            made.nodes.keep(old.node)
    return old.totals is not None


def _swap(folder: Path, new: Path, aside: str) -> Path | None:
    """Put the new ledger in the place of the damaged one, which is kept with its write-ahead log."""
    kept = folder / SET_ASIDE / aside
    for name in _LEDGER_FILES:
        if (folder / name).exists():
            make_folder(kept)
            (folder / name).rename(kept / name)
    # Who closed it last has put its write-ahead log into it.
    with (new / LEDGER_NAME).open("rb") as file:
        os.fsync(file.fileno())
    (new / LEDGER_NAME).rename(folder / LEDGER_NAME)
    return kept if kept.exists() else None
