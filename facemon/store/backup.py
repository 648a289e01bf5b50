"""A backup of a store: one tar archive with a copy of the ledger and the files that this copy names."""

import fcntl
import os
import secrets
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from facemon.errors import FacemonError, UsageError
from facemon.files import sync_folder
from facemon.store.layout import FOLDERS, LEDGER_NAME
from facemon.store.ledger.protocol import Ledger
from facemon.store.ledger_errors import LedgerCopyError
from facemon.store.permissions import Permissions, make_file
from facemon.store.process_lock import ProcessLock
from facemon.store.recovery import BACKUP_WRITER

_FORMATS: dict[str, Literal["w", "w:gz"]] = {".tar": "w", ".tar.gz": "w:gz", ".tgz": "w:gz"}
_DRAFT = ".facemon-backup-"
"""How the names of archives begin that are being written: other programs have no such files."""
_ABANDONED_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds: rows, files beside the ledger, and the archive's size."""

    rows: int
    files: int
    bytes: int


def back_up(ledger: Ledger, target: Path) -> Backup:
    """Write a store to the archive `target`, whole or not at all; writers may go on meanwhile.

    The archive holds one folder, called like the store's, whose rows are those of one committed state. UsageError when
    `target` has another suffix, is there already or lies in the store; LockedError when another backup is running;
    FacemonError when a file cannot be read or written.
    """
    _refuse_target(ledger, target)
    # While the lock is held no file is removed that the ledger named when it was copied.
    with (
        ProcessLock.for_command(ledger.folder, BACKUP_WRITER),
        _whole_or_nothing(ledger, target) as draft,
        draft.place_of_copy() as copy,
    ):
        named = ledger.copy_to(copy)
        _write_archive(draft.file, _FORMATS[_suffix(target)], ledger.folder, copy, named.paths)
        size = draft.file.tell()
    return Backup(named.rows, len(named.paths), size)


def _write_archive(file: BinaryIO, mode: Literal["w", "w:gz"], folder: Path, copy: Path, paths: Sequence[str]) -> None:
    top, permissions = Path(folder.resolve().name or "store"), Permissions.of(folder)

    def owned(part: tarfile.TarInfo) -> tarfile.TarInfo:
        # Unpacked by root, all of it belongs to the store's user, even if root made the backup.
        part.uid, part.gid, part.uname, part.gname = permissions.owner, permissions.group, "", ""
        return part

    with tarfile.open(fileobj=file, mode=mode) as archive:
        dates = sorted({str(Path(path).parent) for path in paths} - set(FOLDERS))
        for name in ("", *FOLDERS, *dates):
            # Made here, because an empty one may have been removed, and a store needs all of them with its permissions.
            part = tarfile.TarInfo(str(top / name))
            part.type, part.mode, part.mtime = tarfile.DIRTYPE, permissions.folder_mode, int(time.time())
            archive.addfile(owned(part))
        archive.add(copy, str(top / LEDGER_NAME), filter=owned)
        for path in paths:
            archive.add(folder / path, str(top / path), filter=owned)


def _suffix(target: Path) -> str:
    return next((suffix for suffix in _FORMATS if target.name.endswith(suffix)), "")


def _refuse_target(ledger: Ledger, target: Path) -> None:
    if not _suffix(target):
        raise UsageError(f"{target}: a backup is an archive", f"name a file that ends in {', '.join(_FORMATS)}")
    if target.exists():
        raise UsageError(f"{target} is there already", "name another file, or remove this one first")
    if ledger.folder.resolve() in target.resolve().parents:
        raise UsageError(
            f"{target} lies in the store that is backed up", "name a file outside of it, best on another disk"
        )


@contextmanager
def _whole_or_nothing(ledger: Ledger, target: Path) -> Iterator["_Draft"]:
    """A file that gets the target's name when the block succeeds, and is on the disk then."""
    try:
        _remove_abandoned(target.parent)
        draft = target.with_name(f"{_DRAFT}{secrets.token_hex(8)}.part")
        try:
            # As secret as the store, but the file of this process's user.
            make_file(draft, Permissions.own(Permissions.of(ledger.folder).mode), exclusive=True)
            with draft.open("wb") as file:
                with suppress(OSError):  # a file system without locks: what is abandoned stays
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield _Draft(draft, file)
                file.flush()
                os.fsync(file.fileno())
                _put_in_place(draft, target)
        finally:
            with suppress(OSError):  # the folder may be what is wrong
                draft.unlink(missing_ok=True)
    except OSError as error:
        raise FacemonError(
            f"the backup {target} cannot be made: {error.filename or target}: {error.strerror}",
            "name a file in a folder that can be written, on a disk with room; facemon store verify tells whether the "
            "store lacks a file",
        ) from error
    except LedgerCopyError as error:
        raise FacemonError(f"the backup {target} cannot be made: {error.message}", error.hint) from error


@dataclass(frozen=True, slots=True)
class _Draft:
    """An archive that is being written, under a hidden name and locked."""

    path: Path
    file: BinaryIO

    @contextmanager
    def place_of_copy(self) -> Iterator[Path]:
        """Where a copy of the ledger may lie, beside the archive, for as long as the block runs."""
        try:
            yield _copy_of(self.path)
        finally:
            _remove_copy(_copy_of(self.path))


def _remove_abandoned(folder: Path) -> None:
    """Remove what killed backups left in a folder, whatever they were to be called; it can be as large as a store.

    The age protects a backup of another machine, whose lock a network file system may not show.
    """
    for draft in folder.glob(f"{_DRAFT}{'[0-9a-f]' * 16}.part"):
        copy = _copy_of(draft)
        with suppress(OSError):
            newest = max(path.stat().st_mtime for path in (draft, copy) if path.exists())
            if newest > time.time() - _ABANDONED_SECONDS:
                continue
            descriptor = os.open(draft, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove_copy(copy)
                draft.unlink()
            finally:
                os.close(descriptor)


def _copy_of(draft: Path) -> Path:
    return draft.with_suffix(".ledger")


def _remove_copy(copy: Path) -> None:
    for end in ("", "-journal", "-wal", "-shm"):
        copy.with_name(f"{copy.name}{end}").unlink(missing_ok=True)


def _put_in_place(draft: Path, target: Path) -> None:
    try:
        # Not a rename, which would replace a file that another process has just written.
        os.link(draft, target)
    except OSError:
        if target.exists():
            raise
        draft.rename(target)  # a file system without links
    sync_folder(target.parent)
