"""What registering deliveries of shards and of nodes has in common: fetched segments, and their writer."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

from facemon.object_storage.object_folder import ObjectFolder
from facemon.object_storage.object_store import ObjectEntry
from facemon.store.ledger.protocol import Ledger
from facemon.store.process_lock import ProcessLock, writer_lock_path
from facemon.store.segment import NewSegment
from facemon.store.shared_log.commit import DeliveredSegment
from facemon.store.shared_log.fetched_segment import fetched, planned

REQUESTS = 16
"""Commits that are read at once."""
SHOWN = 12
"""Digits of a digest that people compare."""


@contextmanager
def collecting_writer(ledger: Ledger) -> Iterator[str]:
    """A writer of the store: what it leaves when it is killed is removed by the next one."""
    writer = f"collect-{secrets.token_hex(4)}"
    with ProcessLock.waiting(writer_lock_path(ledger.folder, writer)):
        yield writer


def batches(entries: Iterable[ObjectEntry]) -> Iterator[list[ObjectEntry]]:
    """Some entries at a time: a commit that is read is held until it is registered."""
    left = iter(entries)
    while batch := list(islice(left, REQUESTS)):
        yield batch


def fetched_segments(
    ledger: Ledger, objects: ObjectFolder, writer: str, segments: Sequence[DeliveredSegment], model: str
) -> list[NewSegment]:
    """Fetch segments into the store, below an intent; UnreadableDocument where one is not what was delivered."""
    names = [planned(segment) for segment in segments]
    if names:
        with ledger.writing():
            ledger.files.intend(writer, names)
    return [
        fetched(objects, ledger.folder, segment, name, path, model)
        for segment, (name, path) in zip(segments, names, strict=True)
    ]
