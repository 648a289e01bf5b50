"""What an address such as s3://bucket/photos/a.jpg names: a storage, a bucket, and a key or a prefix of keys."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from facemon.config.web_address import has_secret
from facemon.errors import UsageError
from facemon.local_path import has_user, shown_url


class Storage(StrEnum):
    """The storages that are read, by the schemes of their addresses."""

    S3 = "s3"
    GOOGLE = "gs"
    AZURE = "az"


_ADDRESS = re.compile(r"(s3|gs|az)://([^/]*)(?:/(.*))?", re.IGNORECASE | re.DOTALL)
_BUCKET = re.compile(r"[A-Za-z0-9$][A-Za-z0-9._-]{0,221}")
"""Names of S3's buckets, old ones too, of Google's, which may be domains, and of Azure's containers, such as $web."""


class LocationError(UsageError):
    """An address that names nothing which can be read; neither message nor hint repeats a secret that it holds."""

    def __init__(self, url: str, what: str, hint: str) -> None:
        super().__init__(f"{shown_url(url)}: {what}", hint)
        self.what = what


@dataclass(frozen=True, slots=True)
class Location:
    """A bucket with a key in it. A key that is empty or ends with a slash is a prefix, all other text is literal."""

    storage: Storage
    bucket: str
    """Of Azure the container; the account comes from the environment."""
    key: str

    @property
    def url(self) -> str:
        """Its address."""
        return f"{self.storage}://{self.bucket}/{self.key}"

    @property
    def is_prefix(self) -> bool:
        """Whether it can only be the beginning of keys."""
        return not self.key or self.key.endswith("/")

    def at(self, key: str) -> "Location":
        """Return another key of the same bucket."""
        return replace(self, key=key)


def is_location(text: str) -> bool:
    """Whether a text is an address of object storage, right or wrong."""
    return _ADDRESS.fullmatch(text) is not None


def parse_location(text: str) -> Location:
    """Read an address; LocationError where it holds a secret or names nothing that can be asked for.

    A key is taken literally, as the storages' own commands do: %20 in it does not mean a space.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise LocationError(text, "is not an address of object storage", "write s3://bucket/prefix/, gs://… or az://…")
    scheme, bucket, key = match[1].lower(), match[2], match[3] or ""
    if has_user(text):
        raise LocationError(
            text, "holds a user or a password", "leave it out: credentials come from the environment alone"
        )
    if has_secret(text):
        raise LocationError(
            text, "holds a signature or another secret", "name the object alone: credentials come from the environment"
        )
    if not _BUCKET.fullmatch(bucket):
        what = "names no bucket" if not bucket else "names a bucket with characters that no bucket's name has"
        raise LocationError(text, what, f"write {scheme}://BUCKET/PREFIX/ or {scheme}://BUCKET/KEY")
    if fault := _key_fault(key):
        raise LocationError(text, f"its key {fault}", "rename the object, or copy it under another key")
    return Location(Storage(scheme), bucket, key)


def _key_fault(key: str) -> str | None:
    """What keeps a key from being asked for: obstore would ask for another key without a word, or for none."""
    parts = key.removesuffix("/").split("/") if key else []
    if any(part in ("", ".", "..") for part in parts):
        return "has a part between slashes that is empty, . or .., which cannot be asked for"
    if any(character < " " or character == "\x7f" or "\ud800" <= character <= "\udfff" for character in key):
        return "holds a control character, or bytes that are not UTF-8"
    return None
