"""What a failing system call or a lack of memory means to the user, wherever it comes from."""

import errno
import os

from facemon.errors import FacemonError

_HINTS = {
    errno.ENOSPC: "free space on its disk and run again",
    errno.EDQUOT: "free space within this user's quota and run again",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f) and run again",
    errno.EROFS: "mount its file system writable, or name a place on another one",
    errno.EACCES: "give this user access to it, or name another place",
    errno.EPERM: "give this user the right to do so, or name another place",
    errno.EMFILE: "raise the limit on open files (ulimit -n), or use fewer workers (--threads)",
    errno.ENFILE: "the machine has no open files left: end what holds many, or raise fs.file-max",
    errno.ENOMEM: "use fewer workers (--threads), lower predict.max_pixels, or raise the limit (ulimit -v)",
    errno.EAGAIN: "raise the limit on processes (ulimit -u), or use fewer workers (--threads)",
    errno.ENAMETOOLONG: "name a shorter path",
    errno.ENOLCK: "its file system has no locks: name a folder on a local disk under store.path",
    errno.ENOTSUP: "its file system cannot do this: name a folder on a local disk",
    errno.EIO: "check the health of its disk",
    errno.ESTALE: "it lay on a network file system that went away: name a folder on a local disk",
    errno.ELOOP: "a link leads to itself: mend it, or name another path",
    errno.ENOTDIR: "a part of the path is a file",
    errno.EISDIR: "name a file, not a folder",
    errno.ENOENT: "make the folders that it lies in, or name another path",
}


def hint_for(number: int | None) -> str | None:
    """What to do about a failing system call, by its number (errno); None where that is not known."""
    return None if number is None else _HINTS.get(number)


def explained(error: Exception) -> FacemonError | None:
    """The error of a system call or of memory in the user's words; None for any other."""
    if isinstance(error, MemoryError):
        return FacemonError("there is not enough memory", _HINTS[errno.ENOMEM])
    if isinstance(error, OSError) and error.errno is not None:
        reason = error.strerror or os.strerror(error.errno)
        where = "a system call" if error.filename is None else os.fsdecode(error.filename)
        return FacemonError(f"{where} failed: {reason}", hint_for(error.errno))
    return None
