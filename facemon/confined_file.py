"""Files below a folder: a path is walked from the folder's descriptor, so that no exchange of links leads out of it.

Links are followed as long as they stay inside. The kernel gets one name at a time and never follows a link itself: what
a name is may change at any time, but a descriptor stays what it is.
"""

import errno
import os
from collections import deque
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

_MOST_LINKS = 40
"""As Linux follows in one path."""
_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class OutsideError(OSError):
    """The path leads out of the folder."""


def open_beneath(root: Path, path: Path) -> int:
    """Open a file for reading and return its descriptor; a relative `path` begins in `root`.

    OutsideError where it leaves `root`, whether or not such a file exists; else OSError as `os.open`. It does not wait
    for a pipe's writer; the caller looks at what was opened.
    """
    folder = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    return _Walk(folder).open(path)


class _Walk:
    """The way from a folder to a file; `folders` are the descriptors of all folders on it, the root first."""

    def __init__(self, root: int) -> None:
        self._folders = [root]
        self._left: deque[str] = deque()
        self._links = 0

    def open(self, path: Path) -> int:
        try:
            self._go(str(path))
            while self._left:
                name = self._left.popleft()
                if name == "..":
                    self._leave()
                elif (found := self._enter(name)) is not None:
                    return found
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        finally:
            for folder in self._folders:
                os.close(folder)

    def _go(self, path: str) -> None:
        """Put a path before what is left of the way; an absolute one begins at the root."""
        parts: Sequence[str] = [part for part in path.split("/") if part not in ("", ".")]
        if path.startswith("/"):
            parts = self._below_root(PurePosixPath(path))
            while len(self._folders) > 1:
                self._leave()
        self._left.extendleft(reversed(parts))

    def _below_root(self, path: PurePosixPath) -> Sequence[str]:
        """The rest of an absolute path after the folder that is the root, by whatever name it goes there."""
        root = os.fstat(self._folders[0])
        for parent in (path, *path.parents):
            try:
                status = os.stat(parent)  # noqa: PTH116 - of a pure path, which nothing is opened by
            except OSError:
                continue
            if (status.st_dev, status.st_ino) == (root.st_dev, root.st_ino):
                return path.relative_to(parent).parts
        raise OutsideError(errno.EXDEV, "lies outside")

    def _leave(self) -> None:
        if len(self._folders) == 1:
            raise OutsideError(errno.EXDEV, "lies outside")
        os.close(self._folders.pop())

    def _enter(self, name: str) -> int | None:
        """Follow a name; the descriptor if it was the last and is a file."""
        is_last = not self._left
        try:
            found = os.open(name, _FILE if is_last else _FOLDER, dir_fd=self._folders[-1])
        except OSError as error:
            # The system gives these for a link, and for a file where a folder is wanted.
            if error.errno not in (errno.ELOOP, errno.ENOTDIR) or (target := self._target(name)) is None:
                raise
            self._links += 1
            if self._links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
            self._go(target)
            return None
        if is_last:
            return found
        self._folders.append(found)
        return None

    def _target(self, name: str) -> str | None:
        try:
            return os.readlink(name, dir_fd=self._folders[-1])
        except OSError:
            return None
