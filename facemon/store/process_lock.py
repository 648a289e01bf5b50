"""Locks that live exactly as long as the process that holds them, whatever ends it."""

import fcntl
import os
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Self

from facemon.errors import FacemonError, LockedError
from facemon.store.permissions import GIVE_BACK, Permissions, permissions_near

_NO_WRITERS = {"upgrade.lock", "create.lock"}
_PATIENCE_SECONDS = 10.0
_RECOVERY_SECONDS = 1.0
"""How long a command waits for its lock: recovery may have it for a moment, to clear away after a dead one."""


class ProcessLock:
    """An exclusive `flock` on a file that names the holder's process id.

    The system lets go of it when the process ends, so it can never be left behind. The file is removed on
    release; a process that gets the lock on a file that was removed meanwhile takes the new one instead.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def try_acquire(cls, path: Path, host: str = "") -> Self | None:
        """Take the lock, or answer None at once when another process has it; `host` tells where this one runs."""
        while True:
            try:
                descriptor = _opened(path)
            except OSError as error:
                hint = GIVE_BACK if isinstance(error, PermissionError) else None
                raise FacemonError(f"the lock {path} cannot be taken: {error.strerror}", hint) from error
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return None
            except OSError as error:
                os.close(descriptor)
                raise FacemonError(f"the lock {path} cannot be taken: {error.strerror}") from error
            if _is_still_at(path, descriptor):
                # The number is for people; on a full disk the lock holds without it.
                with suppress(OSError):
                    os.ftruncate(descriptor, 0)
                    os.write(descriptor, f"{os.getpid()}{f' on {host}' if host else ''}\n".encode())
                return cls(path, descriptor)
            os.close(descriptor)

    @classmethod
    def waiting(cls, path: Path, patience: float | None = None, host: str = "") -> Self:
        """Take the lock, waiting a few seconds for who has it; LockedError after that."""
        deadline = time.monotonic() + (_PATIENCE_SECONDS if patience is None else patience)
        while (lock := cls.try_acquire(path, host)) is None:
            if time.monotonic() > deadline:
                raise LockedError(f"{path} is held by process {holder_of(path)}", "run again when it has ended")
            time.sleep(0.01)
        return lock

    @classmethod
    def for_command(cls, folder: Path, command: str) -> Self:
        """Take a command's own lock in a store; LockedError (exit 75) when another run has it."""
        path = writer_lock_path(folder, command)
        try:
            return cls.waiting(path, _RECOVERY_SECONDS)
        except LockedError as error:
            raise LockedError(
                f"another facemon {command} is running on {folder} (process {holder_of(path)})",
                "wait for it to end; the lock goes with its process",
            ) from error

    def release(self) -> None:
        """Let go; the file goes first, while no other process can have it."""
        self.path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def writer_lock_path(folder: Path, writer: str) -> Path:
    """The lock file that a writer (a run or a command) holds while it lives."""
    return folder / "locks" / f"{writer}.lock"


def holder_of(path: Path) -> str:
    """The process id that a lock file names."""
    try:
        return path.read_text().strip() or "unknown"
    except OSError:
        return "unknown"


def _opened(path: Path) -> int:
    """A descriptor of a lock file, which is made with the store's permissions: its user's next command opens it too."""
    while True:
        with suppress(FileNotFoundError):
            try:
                return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            except PermissionError:
                # Left by a process of another user: the lock can be had without writing to its file.
                return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with suppress(FileExistsError):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with suppress(FileNotFoundError):  # a file that another process has just removed
                (permissions_near(path) or Permissions.own()).give(path)
            return descriptor


def _is_still_at(path: Path, descriptor: int) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    ours = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def living_writers(folder: Path, without: Collection[str] = _NO_WRITERS) -> list[str]:
    """Who holds a lock of the store: a run, or a command; but those of the names `without`."""
    held = []
    for path in sorted((folder / "locks").glob("*.lock")):
        if path.name in without:
            continue
        if lock := ProcessLock.try_acquire(path):
            lock.release()
        else:
            held.append(f"{path.stem}: process {holder_of(path)}")
    return held
