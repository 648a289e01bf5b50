"""What to do about a failing system call, a failing disk below SQLite, or a lack of memory, wherever it is met."""

import errno
import os
from contextlib import suppress
from pathlib import Path

MEMORY = "use fewer workers (--threads), lower predict.max_pixels, or raise the limit on memory (ulimit -v)"
HINTS = {
    errno.ENOSPC: "free space on its disk and run again",
    errno.EDQUOT: "free space within this user's quota and run again",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f) and run again",
    errno.EROFS: "mount its file system writable, or name a place on another one",
    errno.EACCES: "give this user access to it, or name another place",
    errno.EPERM: "give this user the right to do so, or name another place",
    errno.EMFILE: "raise the limit on open files (ulimit -n), or use fewer workers (--threads)",
    errno.ENFILE: "the machine has no open files left: end what holds many, or raise fs.file-max",
    errno.ENOMEM: MEMORY,
    errno.EAGAIN: "raise the limit on processes (ulimit -u), or use fewer workers (--threads)",
    errno.ENAMETOOLONG: "name a shorter path",
    errno.ENOLCK: "its file system has no locks: name a folder on a local disk under store.path",
    errno.ENOTSUP: "its file system cannot do this: name a folder on a local disk",
    errno.EIO: "check the health of its disk",
    errno.ESTALE: "its network file system went away: name a folder on a local disk",
    errno.ELOOP: "a link leads to itself: correct it, or name another path",
    errno.ENOTDIR: "a part of the path is a file: name another path",
    errno.EISDIR: "name a file, not a folder",
}
_SQLITE_HINTS = {
    "SQLITE_FULL": HINTS[errno.ENOSPC],
    # SQLite keeps the system's reason to itself: a quota, `ulimit -f` or a failing disk all look alike.
    "SQLITE_IOERR": "check its disk's health, space and quota and the file size limit (ulimit -f), and run again",
    "SQLITE_NOMEM": MEMORY,
    "SQLITE_CANTOPEN": "check its permissions, the space on its disk and the limit on open files (ulimit -n)",
    "SQLITE_READONLY": HINTS[errno.EROFS],
    "SQLITE_BUSY": "another process writes to it: wait for that to end and run again",
}


def refused_access(path: Path, mode: int = os.W_OK) -> OSError | None:
    """The error by which the system would refuse this access to a path; None where it would not.

    What os.access refuses need not be a matter of permissions: nothing can be written where a file system is read-only.
    """
    if os.access(path, mode):
        return None
    number = errno.EACCES
    with suppress(OSError):
        if mode & os.W_OK and os.statvfs(path).f_flag & os.ST_RDONLY:
            number = errno.EROFS
    return OSError(number, os.strerror(number), str(path))


def hint_of(error: BaseException | None) -> str | None:
    """What to do about an error of the system, of SQLite or of memory; None for any other."""
    if isinstance(error, MemoryError):
        return MEMORY
    if isinstance(error, PermissionError) and (folder := _closed_folder(error.filename)) is not None:
        return f"give this user the right to enter {folder}, or name another place"
    if isinstance(error, OSError):
        return HINTS.get(error.errno or 0)
    name = getattr(error, "sqlite_errorname", "")
    return next((hint for prefix, hint in _SQLITE_HINTS.items() if name.startswith(prefix)), None)


def _closed_folder(path: object) -> Path | None:
    """The outermost folder of a path that this user may not enter; None where that is not what was denied."""
    if not isinstance(path, str | bytes):
        return None
    whole = Path(os.fsdecode(path)).absolute()
    return next(
        (folder for folder in (*reversed(whole.parents), whole) if folder.is_dir() and not os.access(folder, os.X_OK)),
        None,
    )
