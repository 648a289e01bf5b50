"""Tar archives, wherever an input names one: on the command line, in a list, in a manifest, in a folder or a prefix.

An archive that cannot be read ends the run: it may hold thousands of images, and a row with an error would hide that.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, cast

from facemon.domain.image_input import ImageProblem, shown_name, tar_suffix
from facemon.domain.prediction import ErrorCode
from facemon.error_hints import hint_of
from facemon.errors import FacemonError
from facemon.object_storage.location import Location
from facemon.object_storage.object_store import ObjectEntry, ObjectStores
from facemon.object_storage.storage_error import StorageError
from facemon.predict.inputs.input_kind import Found, Given
from facemon.predict.manifest_cells import ManifestRow
from facemon.predict.object_image import NOTHING, Expected, changed_since

if TYPE_CHECKING:
    from pathlib import Path

    from facemon.predict.tar_samples import ArchiveFile

_GZIP = b"\x1f\x8b"
_PLAIN = ".tar"


@dataclass(frozen=True, slots=True)
class LocalArchive:
    """A file: of one that is not compressed the images are read later, from where they lie in it."""

    is_compressed: bool

    @property
    def is_counted(self) -> bool:
        """Whether its images can be counted without reading them."""
        return not self.is_compressed

    def images(self, found: Found, given: Given) -> Iterator[Found]:
        """Yield its images; FacemonError where it cannot be read."""
        from facemon.confined_file import OutsideError
        from facemon.domain.image_input import FileVersion
        from facemon.predict.tar_samples import ArchiveFile

        root = given.root if found.is_listed else None
        path, shown = _path_of(found, root), shown_name(found.name)
        try:
            file = _opened(path, root)
        except IsADirectoryError:
            yield replace(found, archive=None)
            return
        except OutsideError:
            yield replace(found, archive=None, problem=ImageProblem(ErrorCode.DENIED, f"lies outside --root {root}"))
            return
        except (OSError, ValueError) as error:
            raise _unreadable(shown, error) from error
        with file:
            stream, source = _unpacked(file, shown, is_compressed=self.is_compressed), None
            if not self.is_compressed:
                source = ArchiveFile(path, FileVersion.of(os.fstat(file.fileno())), found.is_listed)
            yield from _images(stream, found, given, source)

    def require(self, path: "Path", shown: str) -> None:
        """FacemonError where the file cannot be read, or does not begin as such an archive does."""
        from facemon.predict.tar_walk import TarWalk

        try:
            file = _opened(path, None)
        except (OSError, ValueError) as error:
            raise _unreadable(shown, error) from error
        with file:
            TarWalk(_unpacked(file, shown, is_compressed=self.is_compressed), shown).require_tar()


@dataclass(frozen=True, slots=True)
class RemoteArchive:
    """An object, which is read in blocks from its beginning to its end."""

    location: Location
    is_compressed: bool
    expected: Expected = NOTHING

    @property
    def is_counted(self) -> bool:
        """Whether its images can be counted without reading them."""
        return False

    def images(self, found: Found, given: Given) -> Iterator[Found]:
        """Yield its images, which end early once the run is to stop.

        FacemonError where it cannot be read, or is not the object that was expected.
        """
        from facemon.predict.object_blocks import StoppedError

        try:
            with self._stream(found.entry, given.stores, given.stop) as stream:
                yield from _images(stream, found, given, None)
        except StoppedError:
            return

    def require(self) -> None:
        """FacemonError where there is such an object, and it does not begin as such an archive does."""
        from facemon.predict.tar_walk import TarWalk

        with suppress(_AbsentError), self._stream(None, ObjectStores(), threading.Event()) as stream:
            TarWalk(stream, self.location.url).require_tar()

    @contextmanager
    def _stream(
        self, entry: ObjectEntry | None, stores: ObjectStores | None, stop: threading.Event
    ) -> Iterator[BinaryIO]:
        from facemon.predict.object_blocks import ObjectBlocks, asked

        url = self.location.url
        try:
            if stores is None:
                raise ValueError("an address was given, and nothing to read it with")
            store = stores.of(self.location)
            known = entry or asked(partial(store.entry, self.location.key), stop)
            if known is None:
                raise _AbsentError(f"{url}: there is no such object", "correct the address")
            if (fault := changed_since(self.expected, known)) is not None:
                raise FacemonError(f"{url}: {fault}", "freeze the inputs again, into a manifest of another name")
            with closing(ObjectBlocks(store, known, stop)) as blocks:
                yield _unpacked(cast("BinaryIO", blocks), url, is_compressed=self.is_compressed)
        except StorageError as error:
            raise FacemonError(f"{url}: {error.what}", error.hint) from error


class _AbsentError(FacemonError):
    """There is no such object."""


def local_archive(name: str) -> LocalArchive | None:
    """Return how a file of this name is read as an archive; None where it is not one by its name."""
    return None if (suffix := tar_suffix(name)) is None else LocalArchive(suffix != _PLAIN)


def remote_archive(location: Location, expected: Expected = NOTHING) -> RemoteArchive | None:
    """Return how an object of this name is read as an archive; None where it is not one by its name."""
    suffix = tar_suffix(location.key)
    return None if suffix is None else RemoteArchive(location, suffix != _PLAIN, expected)


def _images(stream: BinaryIO, found: Found, given: Given, source: "ArchiveFile | None") -> Iterator[Found]:
    from facemon.predict.tar_samples import TarSamples
    from facemon.predict.tar_walk import TarWalk

    shown, row = shown_name(found.name), found.row
    if row is not None and (row.id is not None or row.box is not None):
        column = given.tables.id if row.id is not None else given.tables.box
        raise FacemonError(
            f"{shown}: its row gives {column}, and an archive holds many images",
            f"leave the cell empty, and give each image its {column} in a .json beside it in the archive",
        )
    for image in TarSamples(TarWalk(stream, shown), found.name, given, source):
        yield image if row is None else replace(image, row=_completed(image.row, row))


def _completed(own: ManifestRow | None, shared: ManifestRow) -> ManifestRow:
    """What is said of an image: by its own JSON file first, then by the row of its archive."""
    if own is None:
        return shared
    return replace(own, observed_at=own.observed_at or shared.observed_at, source=own.source or shared.source)


def _path_of(found: Found, root: "Path | None") -> "Path":
    if (path := found.path(root)) is None:
        raise ValueError(f"{found.name!r} is not a file")
    return path


def _opened(path: "Path", root: "Path | None") -> BinaryIO:
    from facemon.confined_file import open_beneath
    from facemon.regular_file import open_regular, regular_of

    return open_regular(path) if root is None else regular_of(open_beneath(root, path))


def _unreadable(shown: str, error: OSError | ValueError) -> FacemonError:
    reason = (getattr(error, "strerror", None) or str(error)).lower()
    hint = hint_of(error) or "put a whole copy in its place and run again"
    return FacemonError(f"{shown}: the archive cannot be read: {reason}", hint)


def _unpacked(file: BinaryIO, shown: str, *, is_compressed: bool) -> BinaryIO:
    """The tar itself; FacemonError where it is compressed otherwise than its name says."""
    is_gzip = file.read(len(_GZIP)) == _GZIP
    file.seek(0)
    if is_gzip == is_compressed:
        if not is_compressed:
            return file
        import gzip

        return cast("BinaryIO", gzip.GzipFile(fileobj=file))
    if is_gzip:
        raise FacemonError(f"{shown}: is compressed with gzip", "give it a name that ends in .tar.gz")
    raise FacemonError(f"{shown}: is not compressed with gzip", "give a plain tar a name that ends in .tar")
