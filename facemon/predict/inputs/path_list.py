"""A list of images and folders on stdin, one on each line or each ended by NUL."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from facemon.config.drift import TablesConfig
from facemon.domain.image_input import ImageProblem
from facemon.domain.prediction import ErrorCode
from facemon.predict.awaited_list import ListStoppedError, awaited_list
from facemon.predict.inputs.input_kind import Found, Given, InputKind
from facemon.predict.inputs.listed_image import listed_image, listed_images
from facemon.predict.manifest import line_encoding
from facemon.predict.path_list import ListedPath, listed_paths

LIST = "-"
"""The path of a list on stdin."""


class PathList(InputKind):
    """A list on stdin."""

    names_images = True
    is_opened_first = True
    is_read_once = True

    def takes(self, path: str) -> bool:
        """Whether the path is that of stdin."""
        return path == LIST

    def on_disk(self, path: str) -> None:
        """Return None."""
        del path

    def open(self, path: str, given: Given) -> "_Listed":
        """Return its images; a second reading of stdin finds none."""
        del path
        return _Listed(given)

    def without_boxes(self, path: str, shown: str, tables: TablesConfig) -> str | None:
        """Return the reason: a list has no boxes."""
        del path, shown, tables
        return "a list on stdin brings no boxes of faces"


@dataclass(frozen=True, slots=True)
class _Listed:
    given: Given

    def __iter__(self) -> Iterator[Found]:
        given = self.given
        if given.path_list is None:
            raise ValueError("a list was asked for, and stdin was not given")
        stream, encoding = awaited_list(given.path_list, given.stop), line_encoding(given.tables)
        with suppress(ListStoppedError):
            for entry in listed_paths(stream, given.root, encoding, null=given.null):
                yield from self._images(entry)

    def _images(self, entry: ListedPath) -> Iterator[Found]:
        number, name, fault = entry
        given = self.given
        if fault is not None:
            kind = "entry" if given.null else "line"
            yield Found(f"{LIST}:{number}", ImageProblem(ErrorCode.UNREADABLE, f"{kind} {number}: {fault}"))
        elif given.root is not None:
            yield replace(listed_image(name, given), folder=given.root)
        else:
            yield from listed_images(name, given)
