"""Errors that no code of facemon's has met, in the user's words: of the system, of SQLite, of memory."""

import errno
import os

from facemon.error_hints import HINTS, MEMORY, hint_of
from facemon.errors import FacemonError

_UNMAPPED = "failed to map segment"
"""What the loader of shared libraries says where memory is short."""


def explained(error: Exception) -> FacemonError | None:
    """An error of the system, of SQLite or of memory in the user's words; None for any other."""
    if isinstance(error, MemoryError):
        return FacemonError("there is not enough memory", MEMORY)
    if isinstance(error, OSError) and error.errno is not None:
        reason = error.strerror or os.strerror(error.errno)
        where = "a system call" if error.filename is None else os.fsdecode(error.filename)
        return FacemonError(f"{where} failed: {reason}", hint_of(error))
    if getattr(error, "sqlite_errorname", ""):
        return FacemonError(f"the store's ledger failed: {error}", hint_of(error))
    if isinstance(error, RuntimeError) and str(error) == "can't start new thread":
        return FacemonError("no thread can be started", HINTS[errno.EAGAIN])
    if isinstance(error, ImportError):
        return _explained_import(error)
    return None


def _explained_import(error: ImportError) -> FacemonError | None:
    """A shared library that could not be loaded, although it is there."""
    said = str(error)
    known = {os.strerror(number): hint for number, hint in HINTS.items()} | {_UNMAPPED: MEMORY}
    for reason, hint in known.items():
        if reason in said:
            return FacemonError(f"a library cannot be loaded: {reason}", hint)
    return None
