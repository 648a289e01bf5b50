"""What a storage is asked before anything is delivered to it: whether it keeps a condition, and what its clock says."""

import secrets
from datetime import datetime

from facemon.object_storage.object_folder import ObjectFolder
from facemon.object_storage.storage_error import StorageError, Trouble, unconditional

PROBES = "probes/"
"""Below which probes lie; each is removed by the process that made it."""


def require_conditional_writes(folder: ObjectFolder) -> datetime:
    """Return the storage's own time; StorageError where it cannot be written, or ignores If-None-Match.

    Two machines that deliver the same shard at once would both believe that their delivery is the one that counts.
    """
    name = _name()
    folder.create(name, b"first")
    try:
        if folder.create(name, b"second"):
            raise unconditional("it ignores If-None-Match, and wrote over an object that was there")
        return _modified(folder, name)
    finally:
        folder.remove([name])


def storage_time(folder: ObjectFolder) -> datetime:
    """Return the storage's own time, from an object that is written for it: clocks of machines differ."""
    name = _name()
    folder.write(name, b"")
    try:
        return _modified(folder, name)
    finally:
        folder.remove([name])


def _name() -> str:
    return f"{PROBES}{secrets.token_hex(8)}"


def _modified(folder: ObjectFolder, name: str) -> datetime:
    if (entry := folder.entry(name)) is None:
        raise StorageError(
            Trouble.OTHER,
            "an object that was just written is not there",
            "use a storage that is consistent after a write",
        )
    return entry.modified
