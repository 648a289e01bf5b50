"""Paths on the command line to a stream of images, in an order that the next run repeats."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from facemon.config.drift import TablesConfig
from facemon.confined_file import open_beneath
from facemon.domain.formats.registry import FORMATS
from facemon.domain.image_input import ImageInput, ImageProblem, shown_name, url_problem
from facemon.domain.prediction import ErrorCode
from facemon.errors import UsageError
from facemon.predict.folder_walk import FolderWalk
from facemon.predict.manifest import Manifest, ManifestRow, is_manifest, line_encoding
from facemon.predict.path_list import listed_paths

LIST = "-"
"""The path that stands for a list of paths on stdin, one a line."""


_NO_ROW = ManifestRow("")


class ObservedFrom(StrEnum):
    """Where the time at which an image was taken is read from."""

    MTIME = "mtime"
    EXIF = "exif"


@dataclass(frozen=True, slots=True)
class _Found:
    name: str
    """As it was given."""
    problem: ImageProblem | None = None
    row: ManifestRow | None = None
    folder: Path | None = None
    """What a relative name is relative to; none = the working folder."""
    is_listed: bool = False
    """Whether a list or a manifest named it, rather than the command line."""


class ImageSource:
    """The images below some paths, one after the other; directories are read as the stream reaches them.

    A directory is walked as `FolderWalk` says. A table stands for the images that it names. Trouble with a path is an
    input with that problem, never a gap.
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
    ) -> None:
        """`path_list` is what `-` reads, with `null` as find -print0 writes; UsageError when it is asked for twice or
        not there.

        `tables` names the columns of manifests. What lists and manifests name must lie below `root`, where there is
        one, and is relative to it; else a manifest's images are relative to its own folder. FacemonError when a
        manifest cannot be read or names no images. Of directories the files of `formats` are taken.
        """
        if paths.count(LIST) > (path_list is not None):
            raise UsageError("- stands for the list on stdin, and can be given once")
        self._paths = tuple(paths)
        self._observed_at = observed_at
        self._source = source
        self._path_list = path_list
        self._null = null
        self._root = root
        self._tables = tables or TablesConfig()
        self._manifests = {path: Manifest(path, self._tables) for path in paths if is_manifest(path)}
        if root is not None and not self._manifests and LIST not in paths:
            raise UsageError("--root confines the images of a manifest or a list, and none was given")
        if root is not None and not root.is_dir():
            raise UsageError(f"--root {root}: is not a directory")
        self._walk = FolderWalk(formats)
        self.suffixes = self._walk.suffixes
        """What is taken from a directory, in any case; a file that is named itself may have any suffix."""
        self.skipped = self._walk.skipped
        """The other files of directories, known when the stream has passed them."""
        self.empty_directories: list[str] = []
        """The named directories in which no image was, known when the stream has passed them."""

    def __iter__(self) -> Iterator[ImageInput]:
        """Yield the images with ordinals from 0; a list on stdin can be read only once."""
        for ordinal, found in enumerate(self._found()):
            yield self._input(ordinal, found)

    def _found(self) -> Iterator[_Found]:
        for path in self._paths:
            if path == LIST and self._path_list is not None:
                yield from self._of_list(self._path_list)
            elif path in self._manifests:
                yield from self._of_manifest(path)
            else:
                yield from self._below(path)

    def _of_list(self, path_list: BinaryIO) -> Iterator[_Found]:
        encoding = line_encoding(self._tables)
        for number, name, fault in listed_paths(path_list, self._root, encoding, null=self._null):
            if fault is not None:
                kind = "entry" if self._null else "line"
                yield _Found(f"{LIST}:{number}", ImageProblem(ErrorCode.UNREADABLE, f"{kind} {number}: {fault}"))
            elif self._root is None:
                yield from self._below(name)
            else:
                yield _Found(name, folder=self._root, is_listed=True)

    def _of_manifest(self, path: str) -> Iterator[_Found]:
        is_empty, folder = True, self._root or Path(path).parent
        for row in self._manifests[path]:
            is_empty = False
            yield _Found(row.name, row.problem, row, folder, is_listed=True)
        if is_empty:
            self.empty_directories.append(shown_name(path))

    def _below(self, path: str) -> Iterator[_Found]:
        if not _is_directory(path):
            yield _Found(path)
            return
        is_empty = True
        for name, problem in self._walk.below(path):
            is_empty = False
            yield _Found(name, problem)
        if is_empty:
            self.empty_directories.append(shown_name(path))

    def _input(self, ordinal: int, found: _Found) -> ImageInput:
        root = self._root if found.is_listed else None
        path = Path(found.name) if root or found.folder is None else found.folder / found.name
        observed_at = self._observed_at if isinstance(self._observed_at, datetime) else None
        if self._observed_at is ObservedFrom.MTIME and found.problem is None:
            observed_at = _modified_at(path, root)
        row = found.row or _NO_ROW
        return ImageInput(
            ordinal=ordinal,
            name=shown_name(found.name),
            path=path,
            root=root,
            observed_at=row.observed_at or observed_at,
            observed_from_exif=self._observed_at is ObservedFrom.EXIF and row.observed_at is None,
            source=row.source or self._source,
            id=row.id,
            box=row.box,
            problem=found.problem or url_problem(found.name),
        )


def _is_directory(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)  # noqa: PTH116 - called for every path of a list
    except (OSError, ValueError):
        return False  # whoever opens it says what is wrong with it


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
