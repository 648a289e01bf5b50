"""Removes what attempts left that were never delivered: segments without a commit, once no attempt can need them."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from facemon.errors import LockedError
from facemon.object_storage.object_folder import ObjectFolder
from facemon.object_storage.object_store import ObjectEntry
from facemon.object_storage.probe import PROBES, storage_time
from facemon.store.shared_log.layout import (
    CLEANING,
    DELIVERIES,
    NODE_DELIVERIES,
    NODE_SEGMENTS,
    SEGMENTS,
    Attempt,
    attempt_of,
)

_GRACE = timedelta(hours=24)
"""Twice as long as an attempt may take."""
_LOCK_AGE = timedelta(hours=1)
"""A lock of this age is that of a process which ended without removing it."""


_NAMED_BY = {"facemon.delivery/1": "run", "facemon.node-delivery/1": "attempt"}
"""By the format of a commit, where it names its attempt."""


@dataclass
class Cleaning:
    """What was removed."""

    objects: int = 0
    bytes: int = 0


def clean(objects: ObjectFolder) -> Cleaning:
    """Remove segments that are older than 24 hours by the storage's clock, and whose attempt has no commit.

    LockedError while another process does it. Nothing else is removed, but probes of that age.
    """
    now = storage_time(objects)
    with _lock(objects, now):
        done = Cleaning()
        for attempt, entries in _abandoned(objects, now - _GRACE).items():
            # Again, right before: what was listed may be committed by now.
            if not _may_be_committed(objects, attempt):
                _remove(objects, entries, done)
        _remove(objects, [entry for entry in objects.listed(PROBES) if entry.modified < now - _GRACE], done)
    return done


def _abandoned(objects: ObjectFolder, before: datetime) -> dict[Attempt, list[ObjectEntry]]:
    """Old segments by their attempts, without those that a commit names."""
    committed = {entry.key for prefix in (DELIVERIES, NODE_DELIVERIES) for entry in objects.listed(prefix)}
    kept: dict[str, str | None] = {}
    found: dict[Attempt, list[ObjectEntry]] = {}
    for entry in chain(objects.listed(SEGMENTS), objects.listed(NODE_SEGMENTS)):
        if entry.modified >= before or (attempt := attempt_of(entry.key)) is None:
            continue
        if attempt.commit in committed:
            if attempt.commit not in kept:
                kept[attempt.commit] = _committed_attempt(objects, attempt.commit)
            # A commit that cannot be read may name any attempt.
            if kept[attempt.commit] in (None, attempt.name):
                continue
        found.setdefault(attempt, []).append(entry)
    return found


def _may_be_committed(objects: ObjectFolder, attempt: Attempt) -> bool:
    if objects.entry(attempt.commit) is None:
        return False
    return _committed_attempt(objects, attempt.commit) in (None, attempt.name)


def _committed_attempt(objects: ObjectFolder, key: str) -> str | None:
    """The attempt that a commit names; None where that cannot be read, as of a newer facemon."""
    content = objects.read(key)
    try:
        document = json.loads(content or b"")
    except ValueError:
        return None
    named = _NAMED_BY.get(str(document.get("format"))) if isinstance(document, dict) else None
    attempt = None if named is None else document.get(named)
    return attempt if isinstance(attempt, str) else None


def _remove(objects: ObjectFolder, entries: list[ObjectEntry], done: Cleaning) -> None:
    objects.remove([entry.key for entry in entries])
    done.objects += len(entries)
    done.bytes += sum(entry.size for entry in entries)


@contextmanager
def _lock(objects: ObjectFolder, now: datetime) -> Iterator[None]:
    """Hold the lock object; one that is an hour old is taken over by the process that replaces that very object."""
    own = secrets.token_hex(8).encode()
    if not objects.create(CLEANING, own) and not _take_over(objects, own, now):
        raise LockedError(
            f"{objects.url}: another facemon store collect --clean is at work",
            f"wait for it to end; {objects.url}{CLEANING} is taken over when it is an hour old",
        )
    try:
        yield
    finally:
        if objects.read(CLEANING) == own:
            objects.remove([CLEANING])


def _take_over(objects: ObjectFolder, own: bytes, now: datetime) -> bool:
    entry = objects.entry(CLEANING)
    if entry is None:
        return objects.create(CLEANING, own)
    if entry.etag is None or now - entry.modified < _LOCK_AGE:
        return False
    return objects.replace(CLEANING, own, entry.etag)
