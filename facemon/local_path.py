"""Local paths and nothing else: an address such as s3://bucket/photos is refused by name wherever a path is taken.

Path("s3://bucket/photos") is the relative path s3:/bucket/photos: a store would be made in a folder called `s3:`.
"""

import re
from os import PathLike, fspath
from typing import NamedTuple

_KNOWN = frozenset((
    "abfs", "abfss", "adl", "az", "azure", "dbfs", "file", "ftp", "ftps", "gcs", "gs", "hdfs", "hf", "http", "https",
    "oci", "oss", "r2", "s3", "s3a", "s3n", "scp", "sftp", "smb", "ssh", "swift", "wasb", "wasbs", "webdav", "webhdfs",
))  # fmt: skip
"""Schemes that are known without their second slash, which Path drops."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(//?)")
"""Of two letters at least (RFC 3986, 3.1): one is a drive of Windows."""


class UrlFault(NamedTuple):
    """Why a path is refused, to follow its name, and what to do about it."""

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}: {self.remedy}"


def url_fault(path: "str | PathLike[str]") -> UrlFault | None:
    """What is wrong with a path that is an address of the web or of a cloud's storage; None for any other path.

    A folder whose name looks like one is reached by its absolute path, or in text as ./s3:/x.
    """
    match = _SCHEME.match(fspath(path))
    if match is None or (match[2] == "/" and match[1].lower() not in _KNOWN):
        return None
    scheme = match[1].lower()
    if scheme == "file":
        return UrlFault("is a URL (file://), not a path", "write the path alone, such as /data/photos")
    return UrlFault(
        f"is a URL ({scheme}://), and facemon reads and writes local files only",
        "copy it to a local disk or mount it, and name the local path",
    )


def shown_url(path: "str | PathLike[str]") -> str:
    """Write an address with the slashes that Path dropped, without the password and the signature that it may hold."""
    scheme, _, rest = fspath(path).partition(":")
    place = re.split(r"[?#]", rest.lstrip("/"), maxsplit=1)[0]
    root = "/" if scheme.lower() == "file" else ""
    return f"{scheme}://{root}{re.sub(r'^[^/]*@', '', place)}"
