"""Files that appear whole or not at all; what a killed process left of one is removed by the next."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4


@dataclass(frozen=True, slots=True)
class Draft:
    """An open file beside the one that it is to replace."""

    target: Path
    path: Path
    stream: BinaryIO

    def put(self, mode: int | None = None, *, is_lasting: bool = True) -> None:
        """Give it `target`'s name, once its bytes are on the disk; OSError, and what was there stays.

        A link that has that name goes, not what it leads to. Without `mode` it has the one that the umask left.
        What can be made again need not outlast a power cut: without `is_lasting` the disk is not waited for.
        """
        self.stream.flush()
        if mode is not None:
            os.fchmod(self.stream.fileno(), mode)
        if is_lasting:
            os.fsync(self.stream.fileno())
        self.path.replace(self.target)
        if not is_lasting:
            return
        with suppress(OSError):  # a file system that cannot sync folders
            sync_folder(self.target.parent)


@contextmanager
def drafted(target: Path) -> Iterator[Draft]:
    """A draft of a file, which is gone after the block unless it was put in its place; OSError if it cannot be made."""
    _remove_abandoned(target)
    draft = _created(target)
    try:
        yield draft
    finally:
        # After a failed write the rest is still in the buffer, and closing fails on it once more.
        with suppress(OSError):
            draft.stream.close()
        draft.path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk before this returns; OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _created(target: Path) -> Draft:
    while True:
        path = target.with_name(f".{target.name}.{uuid4().hex[:8]}.part")
        stream = path.open("xb")
        with suppress(OSError):  # a file system without locks: what is abandoned stays
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Another process may have taken it for abandoned before it was locked.
        if path.exists():
            return Draft(target, path, stream)
        stream.close()


def _remove_abandoned(target: Path) -> None:
    """Remove drafts of the same file that no process has locked: those who wrote them were killed."""
    for draft in target.parent.glob(f".{escape(target.name)}.{'[0-9a-f]' * 8}.part"):
        with suppress(OSError):
            descriptor = os.open(draft, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                draft.unlink()
            finally:
                os.close(descriptor)
