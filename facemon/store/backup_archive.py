"""The archive of a backup, read: its ledger, and those files of the log that a store lacks."""

import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from facemon.errors import FacemonError
from facemon.store.layout import LEDGER_NAME
from facemon.store.permissions import Permissions, make_file, make_folder
from facemon.store.recovery import draft_of

_FOLDERS = ("segments", "references")


def extract_ledger(archive: Path, target: Path, permissions: Permissions) -> None:
    """Write the ledger of a backup to `target`; FacemonError when the archive is not one of `facemon store backup`."""
    with _members(archive) as members:
        for name, content in members:
            if name == LEDGER_NAME:
                _write(content, target, permissions)
                return
    raise FacemonError(f"{archive} holds no ledger", "name an archive that facemon store backup wrote")


def extract_files(archive: Path, folder: Path, permissions: Permissions, is_wanted: Callable[[str], bool]) -> None:
    """Write the files of the log that are wanted, by their path below the store, to their places in `folder`."""
    with _members(archive) as members:
        for name, content in members:
            if PurePosixPath(name).parts[0] in _FOLDERS and is_wanted(name):
                make_folder((folder / name).parent, permissions)
                draft = draft_of(folder / name)
                try:
                    _write(content, draft, permissions)
                    draft.rename(folder / name)
                finally:
                    draft.unlink(missing_ok=True)


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
    try:
        with tarfile.open(archive) as opened:
            yield _files(opened)
    except OSError as error:
        if isinstance(error, tarfile.TarError) or error.errno is None:
            raise _not_whole(archive, error) from error
        raise FacemonError(f"{error.filename or archive}: {error.strerror}") from error
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise _not_whole(archive, error) from error


def _not_whole(archive: Path, error: Exception) -> FacemonError:
    return FacemonError(
        f"{archive} is not a whole archive: {error}",
        "name an archive that facemon store backup wrote, and another copy of it",
    )


def _files(opened: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    """Each regular file by its path below the store's folder; a path that leads out of it is none of a backup's."""
    for member in opened:
        parts = PurePosixPath(member.name).parts
        if not member.isfile() or len(parts) < 2 or ".." in parts or member.name.startswith("/"):
            continue
        if content := opened.extractfile(member):
            yield str(PurePosixPath(*parts[1:])), content


def _write(content: IO[bytes], target: Path, permissions: Permissions) -> None:
    make_file(target, permissions)
    with target.open("wb") as file:
        shutil.copyfileobj(content, file)
