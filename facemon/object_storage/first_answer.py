"""Whether object storage answers at all, asked once before a run begins."""

from collections.abc import Container, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from facemon.object_storage.location import Location
from facemon.object_storage.object_store import ObjectStores
from facemon.object_storage.storage_error import StorageError, Trouble

_AT_ONCE = 32
"""Locations that are asked for at once: one after the other, a thousand would take minutes."""


class Unanswered(NamedTuple):
    """A location that cannot be read, and why."""

    location: Location
    trouble: Trouble
    what: str
    hint: str


def first_unanswered(locations: Sequence[Location], allowed: Container[Trouble]) -> Unanswered | None:
    """Return the first location that is neither an object nor a prefix with objects; None where all of them are.

    Trouble that is `allowed` is passed over. Of an object only the head is read, of a prefix the first page.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for location, error in zip(locations, pool.map(partial(_trouble, ObjectStores()), locations), strict=True):
            if error is not None and error.trouble not in allowed:
                pool.shutdown(cancel_futures=True)
                return Unanswered(location, error.trouble, error.what, error.hint)
    return None


def _trouble(stores: ObjectStores, location: Location) -> StorageError | None:
    try:
        store = stores.of(location)
        if not location.is_prefix and store.entry(location.key) is not None:
            return None
        if next(store.listed(location.key), None) is not None:
            return None
    except StorageError as error:
        return error
    what = "there is no object with this prefix" if location.is_prefix else "there is no such object or prefix"
    return StorageError(Trouble.MISSING, what, "correct the address; a prefix ends at a slash")
