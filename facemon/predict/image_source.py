"""Paths on the command line to a stream of images, in an order that the next run repeats."""

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from facemon.config.drift import TablesConfig
from facemon.config.web_address import logged_name
from facemon.confined_file import open_beneath
from facemon.domain.formats.registry import FORMATS
from facemon.domain.image_input import ImageInput, url_problem
from facemon.errors import UsageError
from facemon.object_storage.object_store import ObjectStores
from facemon.predict.folder_walk import FolderWalk
from facemon.predict.inputs.input_kind import Archive, Found, Given
from facemon.predict.inputs.path_list import LIST
from facemon.predict.inputs.registry import input_kind, kind_opened_first
from facemon.predict.manifest_cells import ManifestRow

_NO_ROW = ManifestRow("")


class ObservedFrom(StrEnum):
    """Where the time at which an image was taken is read from."""

    MTIME = "mtime"
    EXIF = "exif"


class ImageSource:
    """The images below some paths, one after the other; directories are read as the stream reaches them.

    A directory is walked as `FolderWalk` says. A table gives the images that it names, an archive, wherever it is
    named, those in it. Trouble with a path is an input with that problem, never a gap.
    """

    def __init__(
        self,
        paths: Sequence[str],
        *,
        observed_at: datetime | ObservedFrom | None = None,
        source: str | None = None,
        path_list: BinaryIO | None = None,
        null: bool = False,
        tables: TablesConfig | None = None,
        root: Path | None = None,
        formats: Sequence[str] = tuple(FORMATS),
        stores: ObjectStores | None = None,
        max_bytes: int = sys.maxsize,
        span: tuple[int, int] | None = None,
        opens: Callable[[Archive], bool] = lambda _: True,
        stop: threading.Event | None = None,
    ) -> None:
        """`path_list` is what `-` reads, with `null` as find -print0 writes; UsageError unless it can be read once.

        `tables` names the columns of manifests. What lists and manifests name must lie below `root`, where there is
        one, and is relative to it; else a manifest's images are relative to its own folder. FacemonError when a
        manifest cannot be read or names no images, or a tar archive cannot be read. Of directories and tar archives the
        files of `formats` are taken; of compressed archives those of up to `max_bytes` are read. Addresses of object
        storage are read from `stores`, up to as many bytes: such an input has to be fetched before it is predicted.
        Without `stores` they are inputs with a problem. Of a manifest the rows of `span` are taken, from its first
        place on up to its second. Archives that it does not open are found themselves. With `stop` set, images may end.
        """
        if paths.count(LIST) > (path_list is not None):
            raise UsageError(
                "- stands for the list on stdin, and can be given once", "join the lists: cat a.txt b.txt |"
            )
        self._paths = tuple(paths)
        self._observed_at = observed_at
        self._source = source
        self._root = root
        self._walk = FolderWalk(formats)
        self._given = Given(
            tables or TablesConfig(), self._walk, root, path_list, null, max_bytes, stores,
            is_dated=observed_at is ObservedFrom.MTIME, span=span, opens=opens, stop=stop or threading.Event(),
        )  # fmt: skip
        kinds = {path: kind for path in paths if (kind := kind_opened_first(path)) is not None}
        self._opened = {path: kind.open(path, self._given) for path, kind in kinds.items()}
        if root is not None:
            _refuse_root(root, names_images=any(kind.names_images for kind in kinds.values()))
        self.suffixes = self._walk.suffixes
        """What is taken from a directory, in any case; a file that is named itself may have any suffix."""
        self.skipped = self._walk.skipped
        """The other files of directories, known when the stream has passed them."""
        self.empty_directories = self._given.empty
        """The named directories in which no image was, known when the stream has passed them."""

    @property
    def notes(self) -> list[str]:
        """What is to be told of manifests, such as columns that nothing uses."""
        return self._given.notes

    def __iter__(self) -> Iterator[ImageInput]:
        """Yield the images with ordinals from 0; a list on stdin can be read only once."""
        for ordinal, found in enumerate(self.found()):
            yield self._input(ordinal, found)

    def found(self) -> Iterator[Found]:
        """Yield the same images as the inputs name them, with what a listing says of each."""
        for path in self._paths:
            opened = self._opened.get(path)
            yield from self._given.opened(input_kind(path).open(path, self._given) if opened is None else opened)

    def _input(self, ordinal: int, found: Found) -> ImageInput:
        root = self._root if found.is_listed else None
        path = found.path(root)
        observed_at = self._observed_at if isinstance(self._observed_at, datetime) else None
        if self._observed_at is ObservedFrom.MTIME:
            if path is not None and found.part is None and found.problem is None:
                observed_at = _modified_at(path, root)
            else:
                observed_at = found.modified_at
        is_unread = path is None and found.content is None and found.fetch is None
        row = found.row or _NO_ROW
        return ImageInput(
            ordinal=ordinal,
            name=logged_name(found.name),
            path=path,
            root=root,
            part=found.part,
            content=found.content,
            fetch=found.fetch,
            observed_at=row.observed_at or observed_at,
            observed_from_exif=self._observed_at is ObservedFrom.EXIF and row.observed_at is None,
            source=row.source or self._source,
            id=row.id,
            box=row.box,
            problem=found.problem or (url_problem(found.name) if is_unread else None),
        )


def _refuse_root(root: Path, *, names_images: bool) -> None:
    """UsageError for a root that confines nothing, or is not a folder."""
    if not names_images:
        raise UsageError("--root confines the images of a manifest or a list, and none was given", "leave it out")
    if not root.is_dir():
        raise UsageError(f"--root {root}: is not a directory", "name the folder below which all images are")


def _modified_at(path: Path, root: Path | None) -> datetime | None:
    try:
        if root is None:
            return datetime.fromtimestamp(path.stat().st_mtime, UTC)
        descriptor = open_beneath(root, path)
        try:
            return datetime.fromtimestamp(os.fstat(descriptor).st_mtime, UTC)
        finally:
            os.close(descriptor)
    except (OSError, ValueError, OverflowError):
        return None
