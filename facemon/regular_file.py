"""Regular files and nothing else: opening one never waits for a writer, and reading one ends.

A named pipe, a device or a socket in the place of a file is an OSError whose strerror says so.
"""

import errno
import os
import re
import stat
from pathlib import Path
from typing import BinaryIO

_OWN_DESCRIPTOR = re.compile(r"/dev/(stdin|fd/\d+)|/proc/self/fd/\d+")
_KINDS = {
    stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip


def open_regular(path: Path, *, or_descriptor: bool = False) -> BinaryIO:
    """Open a regular file for reading; OSError for anything else.

    With `or_descriptor` a descriptor that this process was started with will do too: what a shell makes of `<(…)`.
    """
    if or_descriptor and _OWN_DESCRIPTOR.fullmatch(str(path)):
        return path.open("rb")
    # Not blocking, or opening a named pipe would wait for a writer forever.
    return regular_of(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK))


def regular_of(descriptor: int) -> BinaryIO:
    """Return the regular file of a descriptor, which it then owns; OSError for anything else, and it is closed."""
    try:
        _refuse_others(os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, most_bytes: int, *, or_descriptor: bool = False) -> bytes:
    """Read a regular file of at most `most_bytes`; OSError for a larger one, else as `open_regular`."""
    with open_regular(path, or_descriptor=or_descriptor) as file:
        # A file of a terabyte is refused before memory is filled; what the size does not tell is read no further.
        content = b"" if os.fstat(file.fileno()).st_size > most_bytes else file.read(most_bytes + 1)
        if len(content) > most_bytes or os.fstat(file.fileno()).st_size > most_bytes:
            raise OSError(errno.EFBIG, f"is larger than {most_bytes:,} bytes")
    return content


def require_regular(path: Path) -> None:
    """Refuse what is not a regular file, for libraries that open a path themselves; OSError as `open_regular`."""
    _refuse_others(path.stat().st_mode)


def _refuse_others(mode: int) -> None:
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFDIR:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if kind != stat.S_IFREG:
        raise OSError(errno.EINVAL, f"is {_KINDS.get(kind, 'something else')}, not a regular file")
