"""Whether object storage answers at all, asked once before a run begins."""

from collections.abc import Container, Sequence
from typing import NamedTuple

from facemon.object_storage.location import Location
from facemon.object_storage.object_store import ObjectStores
from facemon.object_storage.storage_error import StorageError, Trouble


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
    stores = ObjectStores()
    for location in locations:
        try:
            _ask(stores, location)
        except StorageError as error:
            if error.trouble not in allowed:
                return Unanswered(location, error.trouble, error.what, error.hint)
    return None


def _ask(stores: ObjectStores, location: Location) -> None:
    store = stores.of(location)
    if not location.is_prefix and store.entry(location.key) is not None:
        return
    if next(store.listed(location.key), None) is None:
        what = "there is no object with this prefix" if location.is_prefix else "there is no such object or prefix"
        raise StorageError(Trouble.MISSING, what, "correct the address; a prefix ends at a slash")
