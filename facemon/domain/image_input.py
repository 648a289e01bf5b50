"""One image to predict: where it comes from, when it was taken, and what is already known to be wrong with it."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from facemon.domain.prediction import ErrorCode
from facemon.local_path import url_fault

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of the upright image, inclusive; it may reach over the image's edge."""


_TARS = (".tar", ".tar.gz", ".tgz")
_LONGEST_SOURCE = 200
"""Characters of a source's name, as the API takes it."""


@dataclass(frozen=True, slots=True)
class ImageProblem:
    """Why an image cannot be predicted; the message is for people and does not repeat the image's name."""

    code: ErrorCode
    message: str


class FetchedImage(NamedTuple):
    """An image that was fetched over the network: its bytes, or why they cannot be had."""

    content: bytes = b""
    modified: datetime | None = None
    """When it was last changed; none unless that dates it."""
    problem: ImageProblem | None = None
    outage: str | None = None
    """What to do about trouble that is not the image's alone, such as a network that is down."""


class Fetch(Protocol):
    """Gets the bytes of an image that is not a file, in any thread."""

    def __call__(self, reserve: Callable[[int], None]) -> FetchedImage:
        """Return the image; `reserve` is called with the number of its bytes, before they are read, and may wait."""


class FileVersion(NamedTuple):
    """What tells whether a file is still the one that it was; mounts of object storage have no lasting inodes."""

    size: int
    modified_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> "FileVersion":
        """Return the version of an open file."""
        return cls(status.st_size, status.st_mtime_ns)


class FilePart(NamedTuple):
    """Some bytes of a file that holds other things too, such as an image in a tar archive."""

    start: int
    size: int
    version: FileVersion
    """Of the file in which they were found: in another one other bytes are at this place."""


class ImageInput(NamedTuple):  # a server makes several for each request, and a tuple takes a quarter of the time
    """One input of a run; `ordinal` is its place in it, and `path`, `content` or `fetch` leads to its bytes."""

    ordinal: int
    name: str
    """The image as it was given, in valid UTF-8: see `shown_name`."""
    path: Path | None = None
    root: Path | None = None
    """The folder that `path` must lie below, and begins in where it is relative; none = anywhere."""
    part: FilePart | None = None
    """Where in the file at `path` the image is; none = it is the whole file."""
    content: bytes | None = None
    fetch: Fetch | None = None
    """Gets its content, before it is predicted."""
    sha256: str | None = None
    """Of `content`, where it is known already."""
    observed_at: datetime | None = None
    """When it was taken; none = when it is predicted."""
    observed_from_exif: bool = False
    """Whether the time that the camera wrote into the image goes before `observed_at`."""
    source: str | None = None
    id: str | None = None
    """The image's identifier in other systems, from a manifest."""
    box: Box | None = None
    """Where its face is, from a manifest; only the finder `manifest` looks at it."""
    problem: ImageProblem | None = None
    """Trouble that was found before the image was opened, such as a directory that may not be listed."""


def too_large(size: int, limit: int) -> ImageProblem:
    """Return the problem of a file of more bytes than the limit, which is not read."""
    return ImageProblem(ErrorCode.TOO_LARGE, f"the file has {size} bytes; the limit is {limit}")


def tar_suffix(name: str) -> str | None:
    """Return by which suffix a name is that of a tar archive which predict reads; none for any other name."""
    return next((suffix for suffix in _TARS if name.lower().endswith(suffix)), None)


def url_problem(name: str) -> ImageProblem | None:
    """The problem of an image that is named by an address such as s3://bucket/a.jpg; none for any other name."""
    fault = url_fault(name)
    return ImageProblem(ErrorCode.UNREADABLE, str(fault)) if fault else None


def source_fault(source: str) -> str | None:
    """What keeps a text from being the name of a source, which is a label of metrics; none where nothing does."""
    if len(source) > _LONGEST_SOURCE:
        return f"has {len(source):,} characters; at most {_LONGEST_SOURCE} are kept"
    if any(character < " " or "\x7f" <= character < "\xa0" for character in source):
        return "holds a control character"
    return None


def shown_name(name: str) -> str:
    """A file's name with backslash escapes where it is not UTF-8, so that it can stand in the log."""
    try:
        return os.fsencode(name).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half of a surrogate pair, which no file's name holds but JSON can
        return name.encode("utf-8", "backslashreplace").decode()
