"""Inputs as they are now: the name of each image, with the size, the ETag and the date that storage gives for it."""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from facemon.domain.image_input import shown_name, tar_suffix
from facemon.errors import FacemonError
from facemon.local_path import file_of, url_scheme
from facemon.object_storage.location import is_location, parse_location
from facemon.object_storage.object_store import ObjectEntry, ObjectStores
from facemon.object_storage.storage_error import StorageError
from facemon.predict.inputs.input_kind import Found

_REQUESTS = 32
"""Objects of a list that are asked for at once: a listing has said nothing of them."""


@dataclass(frozen=True, slots=True)
class FrozenRow:
    """One image, or one archive, of a manifest."""

    image: bytes
    """Its address, or the absolute path of a local file, which may hold bytes that are not UTF-8."""
    size: int | None = None
    """Bytes; None where the image is not there or cannot be looked at."""
    etag: str | None = None
    """Of an object; a local file has none."""
    modified: datetime | None = None

    @property
    def is_archive(self) -> bool:
        """Whether it is a tar archive, of which the images are not listed."""
        return tar_suffix(os.fsdecode(self.image)) is not None


def frozen_rows(found: Iterable[Found], stores: ObjectStores) -> Iterator[FrozenRow]:
    """Yield a row for each image, in their order.

    FacemonError for a folder or a prefix that cannot be listed, for an archive that is not there, for an entry of a
    list that names nothing, and where storage cannot be asked for an object: a manifest lacks no image without a word.
    """
    waiting: deque[Future[FrozenRow] | FrozenRow] = deque()
    with ThreadPoolExecutor(_REQUESTS, "look") as pool:
        for each in found:
            is_unlisted = is_location(each.name) and each.entry is None and each.problem is None
            waiting.append(pool.submit(_asked, each.name, stores) if is_unlisted else _row(each))
            while len(waiting) >= _REQUESTS or (waiting and isinstance(waiting[0], FrozenRow)):
                yield _done(waiting.popleft())
        while waiting:
            yield _done(waiting.popleft())


def _done(waited: Future[FrozenRow] | FrozenRow) -> FrozenRow:
    row = waited if isinstance(waited, FrozenRow) else waited.result()
    if row.is_archive and row.size is None:
        # It would end the run that reads this manifest.
        raise FacemonError(
            f"{shown_name(os.fsdecode(row.image))}: the archive is not there or cannot be looked at",
            "correct the list; no manifest was written",
        )
    return row


def _row(found: Found) -> FrozenRow:
    # An object that is too large has a problem and an entry: predict says of it what it says without a manifest.
    if found.entry is not None:
        return _of_object(found.name, found.entry)
    if found.problem is not None:
        raise FacemonError(f"{shown_name(found.name)}: {found.problem.message}", "no manifest was written")
    is_address = url_scheme(found.name) is not None
    path = file_of(found.name) if is_address else str(Path(found.name).absolute())
    # Nodes read the same file by a mount, whatever their working folders are.
    image = os.fsencode(found.name if is_address else path)
    try:
        status = os.stat(path)  # noqa: PTH116 - called for every file there is
    except (OSError, ValueError):
        return FrozenRow(image)
    return FrozenRow(image, status.st_size, modified=_modified(status.st_mtime))


def _modified(seconds: float) -> datetime | None:
    """A file's time; None beyond the year 9999, which file systems can hold and Python cannot."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OSError, ValueError, OverflowError):
        return None


def _asked(url: str, stores: ObjectStores) -> FrozenRow:
    location = parse_location(url)
    try:
        entry = stores.of(location).entry(location.key)
    except StorageError as error:
        raise FacemonError(f"{location.url}: {error.what}", error.hint) from error
    return FrozenRow(os.fsencode(url)) if entry is None else _of_object(url, entry)


def _of_object(url: str, entry: ObjectEntry) -> FrozenRow:
    return FrozenRow(os.fsencode(url), entry.size, entry.etag, entry.modified)
