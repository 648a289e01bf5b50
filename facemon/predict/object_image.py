"""One image in object storage: how its bytes are got, and which trouble becomes which error of its row."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from facemon.domain.image_input import FetchedImage, ImageProblem, too_large
from facemon.domain.prediction import ErrorCode
from facemon.object_storage.location import Location
from facemon.object_storage.object_store import ObjectEntry, ObjectStores, OpenedObject
from facemon.object_storage.storage_error import StorageError, Trouble

_OUTAGES = (Trouble.CREDENTIALS, Trouble.SETTINGS, Trouble.UNREACHABLE)
"""Trouble that the next object would have, too."""
_LONGEST_WAIT_S = 60.0
"""An answer that waits for room longer than this is asked for again: storages and obstore give it up after a while."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a manifest says of an object; what it leaves out is none."""

    etag: str | None = None
    """Without quotation marks."""
    size: int | None = None


NOTHING = Expected()


@dataclass(frozen=True, slots=True)
class ObjectImage:
    """Fetches one object."""

    stores: ObjectStores
    location: Location
    max_bytes: int
    is_dated: bool
    expected: Expected = NOTHING

    def __call__(self, reserve: Callable[[int], None]) -> FetchedImage:
        """Return the object's bytes or its problem; one that is too large or has changed is not read."""
        try:
            opened = self._opened()
            if (problem := self._misfit(opened.entry)) is not None:
                return FetchedImage(problem=problem)
            began = time.monotonic()
            reserve(opened.entry.size)
            if time.monotonic() - began > _LONGEST_WAIT_S:
                opened = self._opened()
                if (problem := self._misfit(opened.entry)) is not None:
                    return FetchedImage(problem=problem)
            return FetchedImage(opened.read(), opened.entry.modified if self.is_dated else None)
        except StorageError as error:
            return FetchedImage(problem=problem_of(error), outage=error.hint if error.trouble in _OUTAGES else None)

    def _opened(self) -> OpenedObject:
        return self.stores.of(self.location).opened(self.location.key)

    def _misfit(self, entry: ObjectEntry) -> ImageProblem | None:
        if (fault := changed_since(self.expected, entry)) is not None:
            return ImageProblem(ErrorCode.CHANGED, fault)
        return too_large(entry.size, self.max_bytes) if entry.size > self.max_bytes else None


def changed_since(expected: Expected, entry: ObjectEntry) -> str | None:
    """Return in what an object differs from what a manifest says of it; None where it does not."""
    if expected.etag is not None and entry.etag != expected.etag:
        return f"the object has the ETag {entry.etag}, the manifest says {expected.etag}"
    if expected.size is not None and entry.size != expected.size:
        return f"the object has {entry.size} bytes, the manifest says {expected.size}"
    return None


def problem_of(error: StorageError) -> ImageProblem:
    """Return what the row of an image says of trouble with its object."""
    is_denied = error.trouble in (Trouble.DENIED, Trouble.CREDENTIALS)
    return ImageProblem(ErrorCode.DENIED if is_denied else ErrorCode.UNREADABLE, error.what)
