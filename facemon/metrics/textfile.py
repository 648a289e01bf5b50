"""A file for node-exporter's textfile collector: where it may lie, and how it is replaced in one step."""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from facemon.errors import FacemonError
from facemon.files import drafted

_MODE = 0o644
_LIST_AND_ENTER, _ENTER = 0o5, 0o1
_OURS = b"facemon_build_info"
"""A series that every export has."""
_ACCESS_LIST = "system.posix_acl_access"


@contextmanager
def drafted_textfile(path: Path, text: str) -> Iterator[Callable[[], None]]:
    """A whole file beside the one that it will replace; what is yielded puts it in its place in one step.

    Of a symbolic link the target is replaced and the link stays. FacemonError, and the old file as it was,
    where node-exporter could not read the new one, where it cannot be written, and where another program wrote the old.
    """
    try:
        place = _place_for(path)
        _refuse_other_metrics(path, place)
        with drafted(place) as draft:
            draft.stream.write(text.encode())
            yield lambda: draft.put(_MODE)
    except OSError as error:
        raise FacemonError(f"{path} cannot be written: {error.strerror}") from error


def refuse_unreadable(path: Path) -> None:
    """FacemonError where node-exporter, as a user of its own, could not come to a textfile; the file need not be there.

    OSError where the folder cannot be looked at.
    """
    _place_for(path)


def _place_for(path: Path) -> Path:
    """The regular file that is to be replaced, behind symbolic links; it need not be there yet."""
    if path.suffix != ".prom":
        raise FacemonError(
            f"{path} would not be read: node-exporter takes only *.prom", f"name it {path.stem or 'facemon'}.prom"
        )
    folder, target = Path(os.path.realpath(path.parent)), Path(os.path.realpath(path))
    _refuse_closed(path, folder, _LIST_AND_ENTER)
    if target.parent != folder:
        _refuse_closed(path, target.parent, _ENTER)
    try:
        mode = target.lstat().st_mode
    except FileNotFoundError:
        return target
    if stat.S_ISLNK(mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if not stat.S_ISREG(mode):
        raise FacemonError(
            f"{path} cannot be written: it is not a regular file", "name a file that facemon may replace"
        )
    return target


def _refuse_other_metrics(path: Path, place: Path) -> None:
    if place.exists() and (content := place.read_bytes()) and _OURS not in content:
        raise FacemonError(f"{path} exists, and is not a textfile that facemon wrote", "name another file, or move it")


def _refuse_closed(path: Path, folder: Path, needed: int) -> None:
    """FacemonError when another user could not come to the file: node-exporter should run as one of its own."""
    if not folder.is_dir():
        raise FacemonError(
            f"{path} cannot be written: there is no folder {folder}",
            "make the folder that node-exporter's --collector.textfile.directory names",
        )
    for place, bits in ((folder, needed), *((parent, _ENTER) for parent in folder.parents)):
        if not _is_open(place, bits):
            raise FacemonError(
                f"node-exporter could not read {path}: other users cannot read {place}",
                f"chmod o+{'rx' if bits == _LIST_AND_ENTER else 'x'} {place}, or name a folder that is open to them",
            )


def _is_open(folder: Path, bits: int) -> bool:
    """Whether users other than ours get in.

    A group that is not ours, or an access list, was set for a user on purpose: it may let node-exporter read.
    """
    status = folder.stat()
    if status.st_mode & bits == bits:
        return True
    is_for_a_group = status.st_gid != os.getegid() and (status.st_mode >> 3) & bits == bits
    return is_for_a_group or _ACCESS_LIST in _attributes(folder)


def _attributes(folder: Path) -> list[str]:
    try:
        return os.listxattr(folder)
    except OSError:
        return []  # a file system without them
