"""Local paths and nothing else: an address such as s3://bucket/photos is refused by name wherever a path is taken.

Path("s3://bucket/photos") is the relative path s3:/bucket/photos: a store would be made in a folder called `s3:`.
Likewise ~/photos, where no shell has replaced the ~: `rm -r ~` would be the way to be rid of that folder.
Only the images of `facemon predict` may be named by addresses: see `facemon/object_storage` and `file_of`.
"""

import os
import re
from os import PathLike, fspath
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

_KNOWN = frozenset((
    "abfs", "abfss", "adl", "az", "azure", "dbfs", "file", "ftp", "ftps", "gcs", "gs", "hdfs", "hf", "http", "https",
    "oci", "oss", "r2", "s3", "s3a", "s3n", "scp", "sftp", "smb", "ssh", "swift", "wasb", "wasbs", "webdav", "webhdfs",
))  # fmt: skip
"""Schemes that are known without their second slash, which Path drops."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(//?)")
"""Of two letters at least (RFC 3986, 3.1): one is a drive of Windows."""
_USER = re.compile(r"[^/?#]*@|[^/?#[]*:(?!\d*(?:[/?#]|$))")
"""What ends with an @, or has a colon that no port follows: passwords may hold slashes."""
_FILE = re.compile(r"file://(?:localhost)?(/.*)", re.IGNORECASE | re.DOTALL)


_HOME = re.compile(r"(~|\$HOME|\$\{HOME\})(?:/|$)")


class UrlFault(NamedTuple):
    """Why a path is refused, to follow its name, and what to do about it."""

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}: {self.remedy}"


def url_scheme(path: "str | PathLike[str]") -> str | None:
    """Return the scheme, in lower case, of an address of the web or of a cloud's storage; None for any other path.

    A folder whose name looks like one is reached by its absolute path, or in text as ./s3:/x.
    """
    match = _SCHEME.match(fspath(path))
    if match is None or (match[2] == "/" and match[1].lower() not in _KNOWN):
        return None
    return match[1].lower()


def url_fault(path: "str | PathLike[str]") -> UrlFault | None:
    """What is wrong with a path that is an address, where only a path will do; None for any other path."""
    scheme = url_scheme(path)
    if scheme is None:
        return None
    if scheme == "file":
        return UrlFault("is a URL (file://), not a path", "write the path alone, such as /data/photos")
    return UrlFault(
        f"is a URL ({scheme}://), and only a local path can be given here",
        "copy it to a local disk or mount it, and name the local path",
    )


def home_fault(path: "str | PathLike[str]") -> UrlFault | None:
    """What is wrong with a path below the home folder in the notation of a shell; None for any other path.

    A folder that is called ~ is reached by its absolute path.
    """
    match = _HOME.match(fspath(path))
    if match is None:
        return None
    return UrlFault(f"begins with {match[1]}, which only a shell replaces", "write the absolute path")


def shown_url(path: "str | PathLike[str]") -> str:
    """Write an address with the slashes that Path dropped, without the password and the signature that it may hold."""
    scheme, _, rest = fspath(path).partition(":")
    place = re.split(r"[?#]", rest.lstrip("/"), maxsplit=1)[0]
    has_host = scheme.lower() != "file" or re.match("//[^/]", rest) is not None
    if has_host and _USER.match(place):
        place = place.rpartition("@")[2] if "@" in place else "…"
    return f"{scheme}://{place}" if has_host else f"{scheme}:///{place}"


def has_user(url: str) -> bool:
    """Whether an address begins with a user, and perhaps a password, in place of its host or bucket."""
    return _USER.match(url.partition("://")[2]) is not None


def file_of(url: str) -> str:
    """Return the path that a file:// address names (RFC 8089); ValueError where it names none of this machine."""
    match = _FILE.fullmatch(url)
    if match is None:
        raise ValueError("names no path of this machine")
    path = os.fsdecode(unquote_to_bytes(match[1].encode("utf-8", "surrogateescape")))
    if "\0" in path:
        raise ValueError("holds a null character (%00), so no such file can exist")
    return path


def file_url(path: str) -> str:
    """Return the file:// address of an absolute path."""
    return f"file://{quote(os.fsencode(path))}"
