"""The one module that knows obstore: buckets are listed and objects are read, with limits on time and on what is asked.

Credentials come from the environment and the machine, as obstore looks for them.
"""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from facemon.object_storage.location import Location, Storage
from facemon.object_storage.storage_error import VARIABLES, StorageError, Trouble, storage_error

if TYPE_CHECKING:
    from obstore.store import ObjectStore as AnyStore

HINT = "pip install 'facemon[object-storage]'"
"""The command that installs what reads object storage."""
_PAGE = 1000
"""Entries that are held of a listing: as many as S3 sends at once."""
_MOST_BUCKETS = 64
"""Buckets whose connections are kept open."""
_TIMES = {"CONNECT_TIMEOUT": "10s", "READ_TIMEOUT": "10s", "TIMEOUT": "5m"}
"""How long a connection, the next byte and a whole answer may take; variables such as AWS_READ_TIMEOUT go before."""
_RETRIES: Any = {
    "max_retries": 3,
    "retry_timeout": timedelta(seconds=20),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=2), "base": 2},
}
"""A request is made four times at most, and not again once 20 seconds have passed."""
_processes: set[int] = set()
"""This process, once it has asked a storage, and what it was forked from."""
_IN_HEADERS = re.compile(
    r"AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|(SESSION_)?TOKEN|(DEFAULT_)?REGION)|"
    r"AZURE_STORAGE_(ACCOUNT_NAME|ACCOUNT_KEY|SAS_TOKEN|TOKEN)"
)
"""Variables that become parts of headers. Others, such as paths of key files and Google's JSON, may hold anything."""
_ENDPOINTS = re.compile(r"AWS_ENDPOINT(_URL(_S3)?)?|AZURE_(STORAGE_|IDENTITY_|MSI_)?ENDPOINT")
"""Variables that are addresses; AWS_STS_REGIONAL_ENDPOINTS and AWS_USE_FIPS_ENDPOINT, for example, are not."""
_ENDPOINT = re.compile(r"https?://[^\s/]+(/\S*)?")


@dataclass(frozen=True, slots=True)
class ObjectEntry:
    """What a storage says of an object."""

    key: str
    size: int
    """Bytes."""
    etag: str | None
    """Without quotation marks."""
    modified: datetime


class OpenedObject:
    """An object whose answer has begun: what the storage says of it, and then its bytes."""

    def __init__(self, result: Any, location: Location) -> None:
        self._result = result
        self._location = location
        self.entry = entry_of(result.meta)

    def read(self) -> bytes:
        """Return its bytes; StorageError where they do not arrive. What is not read is not sent on."""
        with translated(self._location):
            return bytes(self._result.bytes())


class ObjectStore:
    """One bucket; several threads may use it at once. Each method raises StorageError."""

    def __init__(self, location: Location) -> None:
        self._bucket = location.at("")
        self._store = opened_bucket(location)

    def listed(self, prefix: str) -> Iterator[ObjectEntry]:
        """Yield the objects below a prefix, in the storage's order, a page at a time.

        A prefix ends at a slash: photos and photos/ hold photos/a.jpg, and not photos2.jpg.
        """
        pages = iter(self._store.list(prefix or None, chunk_size=_PAGE))
        while True:
            with translated(self._bucket.at(prefix)):
                page = next(pages, None)
            if page is None:
                return
            for meta in page:
                yield entry_of(meta)

    def opened(self, key: str) -> OpenedObject:
        """Ask for an object, and return once its answer has begun."""
        location = self._bucket.at(key)
        with translated(location):
            return OpenedObject(self._store.get(key), location)

    def part(self, entry: ObjectEntry, start: int, end: int) -> bytes:
        """Return the bytes of an object from one place on up to another; StorageError where it has changed since."""
        from obstore.exceptions import PreconditionError

        options: Any = {"range": (start, end), **({} if entry.etag is None else {"if_match": f'"{entry.etag}"'})}
        with translated(self._bucket.at(entry.key)):
            try:
                result = self._store.get(entry.key, options=options)
                found, content = entry_of(result.meta), bytes(result.bytes())
            except PreconditionError:
                raise _changed() from None
        # Some storages do not keep the condition, and some answer with another range than they are asked for.
        if (found.etag, found.size) != (entry.etag, entry.size):
            raise _changed()
        if len(content) != end - start:
            raise StorageError(Trouble.CUT_OFF, "the storage returned another byte range than requested", "run again")
        return content

    def entry(self, key: str) -> ObjectEntry | None:
        """Return what the storage says of an object; None where it has none of this key."""
        try:
            with translated(self._bucket.at(key)):
                return entry_of(self._store.head(key))
        except StorageError as error:
            if error.trouble is Trouble.MISSING:
                return None
            if error.trouble is Trouble.UNREACHABLE:
                raise
        # Another answer to a question for the head alone has no body that would say what is wrong.
        return self.opened(key).entry


class ObjectStores:
    """The buckets that a run reads, opened when they are first needed."""

    def __init__(self) -> None:
        self._opened: dict[tuple[Storage, str], ObjectStore] = {}
        self._lock = threading.Lock()

    def of(self, location: Location) -> ObjectStore:
        """Return the bucket of a location; StorageError where the environment does not let it be opened."""
        with self._lock:
            name = location.storage, location.bucket
            if name not in self._opened:
                if len(self._opened) >= _MOST_BUCKETS:
                    self._opened.clear()
                self._opened[name] = ObjectStore(location)
            return self._opened[name]


def _changed() -> StorageError:
    return StorageError(Trouble.OTHER, "the object was changed while it was read", "run again with --resume")


def enter_use() -> None:
    """Note that obstore is used in this process from here on."""
    _processes.add(os.getpid())


def is_in_use() -> bool:
    """Whether this process has asked a storage: obstore has threads then, and does not work in a fork."""
    return os.getpid() in _processes


def is_installed() -> bool:
    """Whether object storage can be read here; nothing is loaded."""
    return find_spec("obstore") is not None


def opened_bucket(location: Location) -> "AnyStore":
    """Return obstore's own bucket of a location; StorageError where the environment does not let it be opened."""
    if not is_installed():
        raise StorageError(Trouble.SETTINGS, "reading it needs the package obstore", HINT)
    from obstore.store import AzureStore, GCSStore, S3Store

    enter_use()
    _refuse_settings(location.storage)
    prefix = VARIABLES[location.storage]
    times: Any = {name.lower(): time for name, time in _TIMES.items() if f"{prefix}{name}" not in os.environ}
    kinds: dict[Storage, Any] = {Storage.S3: S3Store, Storage.GOOGLE: GCSStore, Storage.AZURE: AzureStore}
    with translated(location, is_opening=True):
        return kinds[location.storage](location.bucket, config=times, retry_config=_RETRIES)


def _refuse_settings(storage: Storage) -> None:
    """Refuse variables that obstore would end on: a line end in a key, an endpoint that is not an address."""
    for name, value in sorted(os.environ.items()):
        if not name.startswith(VARIABLES[storage]):
            continue
        if _IN_HEADERS.fullmatch(name) and not (value.isprintable() and value.isascii()):
            raise StorageError(
                Trouble.SETTINGS, f"the variable {name} holds a line end or another character that no header can hold",
                f"set it again: export {name}=\"$(cat FILE)\"",
            )  # fmt: skip
        if _ENDPOINTS.fullmatch(name) and value and not (_ENDPOINT.fullmatch(value) and value.isascii()):
            raise StorageError(
                Trouble.SETTINGS, f"the variable {name} is not an address", f"write {name}=https://HOST, or unset it"
            )


@contextmanager
def translated(location: Location, *, is_opening: bool = False, is_writing: bool = False) -> Iterator[None]:
    """Raise StorageError for what obstore raises, and for what its Rust ends with, which is not an Exception."""
    from obstore.exceptions import BaseError

    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        raise storage_error(error, location, is_opening=is_opening, is_writing=is_writing) from error
    except BaseException as error:
        if type(error).__module__ != "pyo3_runtime":
            raise
        raise storage_error(error, location, is_opening=True) from error


def entry_of(meta: Any) -> ObjectEntry:
    """Return what obstore says of an object."""
    return ObjectEntry(meta["path"], meta["size"], plain_etag(meta["e_tag"]), meta["last_modified"])


def plain_etag(tag: str | None) -> str | None:
    """Return an ETag without what HTTP puts around it (RFC 9110, 8.8.3)."""
    return None if tag is None else tag.strip().removeprefix("W/").strip('"')
