"""A file that takes its place when it is whole; what a killed process left of one is removed by the next."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4


@contextmanager
def drafted(target: Path) -> Iterator[BinaryIO]:
    """Write a file that has `target`'s name when the block ends well, and is gone when it raises.

    OSError when the file cannot be made. The block flushes and syncs what it writes.
    """
    _remove_abandoned(target)
    draft, stream = _created(target)
    try:
        yield stream
        draft.replace(target)
    finally:
        # After a failed write the rest is still in the buffer, and closing fails on it once more.
        with suppress(OSError):
            stream.close()
        draft.unlink(missing_ok=True)


def _created(target: Path) -> tuple[Path, BinaryIO]:
    while True:
        draft = target.with_name(f".{target.name}.{uuid4().hex[:8]}.part")
        stream = draft.open("xb")
        with suppress(OSError):  # a file system without locks: what is abandoned stays
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Another process may have taken it for abandoned before it was locked.
        if draft.exists():
            return draft, stream
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
