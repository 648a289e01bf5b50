"""What each kind of input says of itself."""

import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, ClassVar, Protocol

from facemon.config.drift import TablesConfig
from facemon.domain.image_input import Fetch, FilePart, ImageProblem, shown_name
from facemon.local_path import url_scheme
from facemon.object_storage.location import Location
from facemon.object_storage.object_store import ObjectEntry, ObjectStores
from facemon.predict.folder_walk import FolderWalk
from facemon.predict.manifest_cells import ManifestRow


class Archive(Protocol):
    """How a file or an object is read that holds images."""

    @property
    def is_counted(self) -> bool:
        """Whether its images can be counted without reading them."""
        ...

    def images(self, found: "Found", given: "Given") -> "Iterator[Found]":
        """Yield the images of the archive that was found; FacemonError where it cannot be read whole."""
        ...


@dataclass(frozen=True, slots=True)
class Given:
    """What the inputs of one stream share."""

    tables: TablesConfig
    walk: FolderWalk
    """Which files of folders are taken."""
    root: Path | None = None
    """The folder that all must lie below which an input names, and that relative names begin in."""
    path_list: BinaryIO | None = None
    """What a list on stdin is read from."""
    null: bool = False
    """Whether its entries end with NUL."""
    max_bytes: int = sys.maxsize
    """Images of more bytes are not read."""
    stores: ObjectStores | None = None
    """Where objects are fetched; none = addresses are refused."""
    is_dated: bool = False
    """Whether an object's time of change dates its image."""
    span: tuple[int, int] | None = None
    """Which rows of a manifest are taken: from the first place on, up to the second; none = all."""
    opens: Callable[[Archive], bool] = lambda _: True
    """Which archives give their images; of others the archive itself is found."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Once it is set, what has not arrived is no longer waited for."""
    empty: list[str] = field(default_factory=list)
    """The inputs without images, entered as the stream passes them."""
    notes: list[str] = field(default_factory=list)
    """What is to be told of the inputs, entered as they are opened."""

    def entered_if_empty(self, path: str, images: "Iterable[Found]") -> "Iterator[Found]":
        """Yield the images of an input; enter its path in `empty` at the end where there were none."""
        is_empty = True
        for image in self.opened(images):
            is_empty = False
            yield image
        if is_empty:
            self.empty.append(shown_name(path))

    def opened(self, images: "Iterable[Found]") -> "Iterator[Found]":
        """Yield the images with those of archives in the archives' places."""
        for image in images:
            if image.archive is None or not self.opens(image.archive):
                yield image
            else:
                yield from image.archive.images(image, self)


@dataclass(frozen=True, slots=True)
class Found:
    """One image of an input, or what is wrong in its place."""

    name: str
    """As it was given."""
    problem: ImageProblem | None = None
    row: ManifestRow | None = None
    folder: Path | None = None
    """What a relative name is relative to; none = the working folder."""
    is_listed: bool = False
    """Whether an input named it, rather than the command line."""
    content: bytes | None = None
    """Its bytes, where it is not a file of its own."""
    file: Path | None = None
    """The file that has it, where that is not the one of its name."""
    part: FilePart | None = None
    """Where it is in that file; none = it is the whole file."""
    modified_at: datetime | None = None
    """When it was changed last, where the input says so."""
    fetch: Fetch | None = None
    """Gets its bytes, where they are an object in storage."""
    entry: ObjectEntry | None = None
    """What the listing says of that object; none where it was named by itself in a manifest or a list."""
    archive: Archive | None = None
    """How it is read, where it is not an image but holds images."""

    def path(self, root: Path | None) -> Path | None:
        """Return the file that it is, or is in; relative to `root` where there is one. None where it is not a file."""
        if self.file is not None:
            return self.file
        if self.content is not None or url_scheme(self.name) is not None:
            return None
        return Path(self.name) if root or self.folder is None else self.folder / self.name


class InputKind(ABC):
    """One kind of input, which is known by its path alone."""

    names_images: ClassVar[bool] = False
    """Whether it names images, which `--root` confines."""
    is_opened_first: ClassVar[bool] = False
    """Whether it is opened before the first image is read, so that one which cannot be read ends the command there."""
    is_read_once: ClassVar[bool] = False
    """Whether its images are not counted before they are predicted."""

    @abstractmethod
    def takes(self, path: str) -> bool:
        """Return whether a path of the command line is of this kind; the first kind that takes it has it."""

    @abstractmethod
    def open(self, path: str, given: Given) -> Iterable[Found]:
        """Return the images, which may be asked for again; FacemonError where it `is_opened_first` and cannot be read.

        Where its own file turns out to be damaged later, iteration ends with a FacemonError too. Trouble with a single
        image is a `Found` with that problem, never a gap.
        """

    def on_disk(self, path: str) -> str | None:
        """Return the file or folder that a path of this kind stands for; None where it is none."""
        return path

    def locations(self, path: str, tables: TablesConfig) -> Iterable[Location]:
        """Return what it reads first of each object storage, to be asked for before the run begins."""
        del path, tables
        return ()

    def without_boxes(self, path: str, shown: str, tables: TablesConfig) -> str | None:
        """Return why no image of it has a box of its face; none where some may have one."""
        del path, tables
        return f"{shown} is not a manifest, so it brings no boxes of faces"
