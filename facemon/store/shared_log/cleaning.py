"""Removes what attempts left that were never delivered: segments without a commit, once no attempt can need them."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from facemon.errors import LockedError
from facemon.object_storage.object_folder import ObjectFolder
from facemon.object_storage.object_store import ObjectEntry
from facemon.object_storage.probe import PROBES, storage_time
from facemon.store.shared_log.layout import CLEANING, DELIVERIES, SEGMENTS, Attempt, attempt_of, delivery_key, shard_of

_GRACE = timedelta(hours=24)
"""Twice as long as an attempt may take."""
_LOCK_AGE = timedelta(hours=1)
"""A lock of this age is that of a process which ended without removing it."""


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
    """Old segments by their attempts, without those of shards whose commit names the attempt."""
    committed = {place for entry in objects.listed(DELIVERIES) if (place := shard_of(entry.key)) is not None}
    kept: dict[tuple[str, int], str | None] = {}
    found: dict[Attempt, list[ObjectEntry]] = {}
    for entry in objects.listed(SEGMENTS):
        if entry.modified >= before or (attempt := attempt_of(entry.key)) is None:
            continue
        shard = attempt.name, attempt.shard
        if shard in committed:
            if shard not in kept:
                kept[shard] = _committed_run(objects, attempt)
            # A commit that cannot be read may name any attempt.
            if kept[shard] in (None, attempt.run):
                continue
        found.setdefault(attempt, []).append(entry)
    return found


def _may_be_committed(objects: ObjectFolder, attempt: Attempt) -> bool:
    if objects.entry(delivery_key(attempt.name, attempt.shard)) is None:
        return False
    return _committed_run(objects, attempt) in (None, attempt.run)


def _committed_run(objects: ObjectFolder, attempt: Attempt) -> str | None:
    """The run that a shard's commit names; None where that cannot be read, as of a newer facemon."""
    content = objects.read(delivery_key(attempt.name, attempt.shard))
    try:
        document = json.loads(content or b"")
    except ValueError:
        return None
    is_known = isinstance(document, dict) and document.get("format") == "facemon.delivery/1"
    return document["run"] if is_known and isinstance(document.get("run"), str) else None


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
