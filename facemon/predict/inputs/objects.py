"""Images in object storage: one object, or all below a prefix, in the order of the storage's listing."""

from collections.abc import Iterable, Iterator

from facemon.config.drift import TablesConfig
from facemon.domain.image_input import tar_suffix, too_large
from facemon.errors import FacemonError
from facemon.object_storage.location import Location, is_location, parse_location
from facemon.object_storage.object_store import ObjectEntry
from facemon.object_storage.storage_error import StorageError, Trouble
from facemon.predict.archive_images import remote_archive
from facemon.predict.folder_walk import is_left_out, suffix_of
from facemon.predict.inputs.input_kind import Found, Given, InputKind
from facemon.predict.object_image import NOTHING, Expected, ObjectImage, problem_of

_ROWS = (Trouble.DENIED, Trouble.MISSING, Trouble.NO_BUCKET)
"""Trouble with one prefix of many: all other ends the run, which would lack images without a word."""


class Objects(InputKind):
    """An address such as s3://bucket/photos/."""

    is_read_once = True  # counting would list it once more

    def takes(self, path: str) -> bool:
        """Whether it is an address of object storage."""
        return is_location(path)

    def on_disk(self, path: str) -> None:
        """Return None."""
        del path

    def locations(self, path: str, tables: TablesConfig) -> Iterable[Location]:
        """Return its own location."""
        del tables
        return (parse_location(path),)

    def without_boxes(self, path: str, shown: str, tables: TablesConfig) -> str | None:
        """Return why no image of it has a box; None of an archive, in which JSON files may give boxes."""
        is_archive = remote_archive(parse_location(path)) is not None
        return None if is_archive else super().without_boxes(path, shown, tables)

    def open(self, path: str, given: Given) -> Iterator[Found]:
        """Yield its images; FacemonError where a listing ends before it is whole."""
        return given.entered_if_empty(path, _images(path, given))


def _images(path: str, given: Given) -> Iterator[Found]:
    location = parse_location(path)
    if given.stores is None:
        raise ValueError("an address was given, and nothing to read it with")
    is_first = True
    try:
        store = given.stores.of(location)
        if not location.is_prefix and (entry := store.entry(location.key)) is not None:
            yield _found(location, entry, given)
            return
        for entry in store.listed(location.key):
            is_first = False
            if _is_taken(entry, location.key, given):
                yield _found(location.at(entry.key), entry, given)
    except StorageError as error:
        if not is_first or error.trouble not in _ROWS:
            raise FacemonError(f"{location.url}: {error.what}", error.hint) from error
        yield Found(path, problem=problem_of(error))


def _found(location: Location, entry: ObjectEntry, given: Given) -> Found:
    if (archive := remote_archive(location)) is not None:
        return Found(location.url, entry=entry, archive=archive)
    if entry.size > given.max_bytes:
        return Found(location.url, problem=too_large(entry.size, given.max_bytes), entry=entry)
    return Found(location.url, fetch=object_image(location, given), entry=entry)


def object_image(location: Location, given: Given, expected: Expected = NOTHING) -> ObjectImage:
    """Return what fetches an object, which may be expected to have a size and an ETag."""
    if given.stores is None:
        raise ValueError("an address was given, and nothing to read it with")
    return ObjectImage(given.stores, location, given.max_bytes, given.is_dated, expected)


def _is_taken(entry: ObjectEntry, prefix: str, given: Given) -> bool:
    """Whether an object below a prefix is taken, as files below a folder are; others are counted."""
    parts = entry.key.removeprefix(prefix).strip("/").split("/")
    if any(is_left_out(part) for part in parts):
        return False
    suffix = suffix_of(parts[-1])
    if suffix in given.walk.suffixes or tar_suffix(parts[-1]):
        return True
    if entry.size or suffix:  # what consoles make for a folder is empty
        given.walk.skipped.add(suffix)
    return False
