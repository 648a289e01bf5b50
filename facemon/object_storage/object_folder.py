"""Objects below one address, read and written: what machines that share a log keep there.

Folders of a mounted file system are written by the same library as buckets, so that there is one protocol.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from facemon.object_storage.folder_address import FolderAddress
from facemon.object_storage.location import Location
from facemon.object_storage.object_store import (
    HINT,
    ObjectEntry,
    enter_use,
    entry_of,
    is_installed,
    opened_bucket,
    plain_etag,
    translated,
)
from facemon.object_storage.storage_error import StorageError, Trouble, of_files

if TYPE_CHECKING:
    from obstore.store import ObjectStore as AnyStore

_PAGE = 1000
_TRIES = 5
_Translating = Callable[[str, bool], AbstractContextManager[None]]
"""Given a name, and whether it is written: raises StorageError for what the library raises in the block."""


class ObjectFolder:
    """All below an address; names are relative to it. Several threads may use it; each method raises StorageError."""

    def __init__(self, url: str, store: "AnyStore", prefix: str, translating: _Translating) -> None:
        self.url = url
        self._store = store
        self._prefix = prefix
        self._translating = translating

    def create(self, name: str, content: bytes) -> bool:
        """Write an object only if there is none of its name; False, and nothing is changed, where there is another one.

        A request whose answer is lost is made again by the library, and then finds its own object: that counts as
        created, which the content decides. So content that must have one author names it.
        """
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        for _ in range(_TRIES):
            with self._translating(name, True):
                try:
                    self._store.put(self._prefix + name, content, mode="create", use_multipart=False)
                except (AlreadyExistsError, PreconditionError):
                    pass
                else:
                    return True
            if (found := self.read(name)) is not None:
                return found == content
            # S3 refuses both of two writes that meet (409), and another machine may have removed its own.
        raise StorageError(Trouble.UNREACHABLE, f"{name} does not exist and cannot be created", "run again")

    def write(self, name: str, content: bytes) -> None:
        """Write an object, whole or not at all; one that is there is replaced."""
        with self._translating(name, True):
            self._store.put(self._prefix + name, content, use_multipart=False)

    def replace(self, name: str, content: bytes, etag: str) -> bool:
        """Write an object where it still has an ETag; False, and nothing is changed, where it has another one."""
        from obstore.exceptions import NotFoundError, PreconditionError

        path = self._prefix + name
        with self._translating(name, True):
            try:
                known = self._store.head(path)
                if plain_etag(known["e_tag"]) != etag:
                    return False
                # Google goes by the version, the others by the ETag.
                mode: Any = {part: known[part] for part in ("e_tag", "version") if known[part] is not None}
                self._store.put(path, content, mode=mode, use_multipart=False)
            except (PreconditionError, NotFoundError, FileNotFoundError):
                return False
            except NotImplementedError:
                pass  # a file system
            else:
                return True
        # Not in one step: two processes may both take a name over that is left.
        if (found := self.entry(name)) is None or found.etag != etag:
            return False
        self.remove([name])
        return self.create(name, content)

    def read(self, name: str) -> bytes | None:
        """Return the bytes of an object; None where there is none."""
        return self._unless_missing(name, lambda: bytes(self._store.get(self._prefix + name).bytes()))

    def entry(self, name: str) -> ObjectEntry | None:
        """Return what the storage says of an object, with its name; None where there is none."""
        found: ObjectEntry | None = self._unless_missing(
            name, lambda: self._named(self._store.head(self._prefix + name))
        )
        return found

    def listed(self, prefix: str) -> Iterator[ObjectEntry]:
        """Yield what is below a prefix, which ends at a slash, a page at a time."""
        pages = iter(self._store.list(self._prefix + prefix, chunk_size=_PAGE))
        while True:
            with self._translating(prefix, False):
                page = next(pages, None)
            if page is None:
                return
            yield from map(self._named, page)

    def remove(self, names: Sequence[str]) -> None:
        """Remove objects; those that are gone are passed over."""
        for start in range(0, len(names), _PAGE):
            part = names[start : start + _PAGE]
            try:
                with self._translating(part[0], True):
                    paths = [self._prefix + name for name in part]
                    self._store.delete(paths if len(paths) > 1 else paths[0])
            except StorageError as error:
                if error.trouble is not Trouble.MISSING:
                    raise
                # Of several files the rest is still there.
                for name in part if len(part) > 1 else ():
                    self.remove([name])

    def _unless_missing(self, name: str, ask: Callable[[], Any]) -> Any:
        try:
            with self._translating(name, False):
                return ask()
        except StorageError as error:
            if error.trouble is not Trouble.MISSING:
                raise
            return None

    def _named(self, meta: Any) -> ObjectEntry:
        entry = entry_of(meta)
        return ObjectEntry(entry.key.removeprefix(self._prefix), entry.size, entry.etag, entry.modified)


def open_folder(address: FolderAddress, *, create: bool) -> ObjectFolder:
    """Open a folder; StorageError where that cannot be done. Of a file system it is made with `create`."""
    if address.location is not None:
        location = address.location
        store = opened_bucket(location)
        return ObjectFolder(address.url, store, location.key, partial(_in_bucket, location))
    if not is_installed():
        raise StorageError(Trouble.SETTINGS, "reading it needs the package obstore", HINT)
    from obstore.store import LocalStore

    if not create and address.path is not None and not address.path.is_dir():
        raise StorageError(Trouble.MISSING, "there is no such folder", "correct the address, or mount it here")
    enter_use()
    with _in_files("", True):
        store = LocalStore(str(address.path), mkdir=create)
    return ObjectFolder(address.url, store, "", _in_files)


@contextmanager
def _in_bucket(location: Location, name: str, is_writing: bool) -> Iterator[None]:
    with translated(location.at(location.key + name), is_writing=is_writing):
        yield


@contextmanager
def _in_files(name: str, is_writing: bool) -> Iterator[None]:
    from obstore.exceptions import BaseError

    del name
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        raise of_files(error, is_writing=is_writing) from error
