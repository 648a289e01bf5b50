"""A tar archive of this machine, such as a shard of a WebDataset: the images in it, which are not unpacked."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from facemon.config.drift import TablesConfig
from facemon.domain.image_input import shown_name
from facemon.local_path import file_of, url_scheme
from facemon.predict.archive_images import LocalArchive, local_archive
from facemon.predict.folder_walk import is_folder
from facemon.predict.inputs.input_kind import Found, Given, InputKind


class TarArchive(InputKind):
    """A tar that is not compressed: images are read from where they lie in it, by the processes that predict them."""

    is_opened_first = True
    archive = LocalArchive(is_compressed=False)

    def takes(self, path: str) -> bool:
        """Whether it has the suffix of such an archive and is not a folder."""
        file = _file_of(path)
        return file is not None and local_archive(file) == self.archive and not is_folder(file)

    def on_disk(self, path: str) -> str | None:
        """Return the path of the archive."""
        return _file_of(path)

    def open(self, path: str, given: Given) -> "_Images":
        """Return its images; FacemonError where it is not a tar or cannot be read."""
        file = Path(_file_of(path) or path)
        if given.opens(self.archive):
            self.archive.require(file, shown_name(path))
        return _Images(Found(path, file=file, archive=self.archive), given)

    def without_boxes(self, path: str, shown: str, tables: TablesConfig) -> None:
        """Return None: JSON files in it may give boxes."""


class CompressedTar(TarArchive):
    """A tar compressed with gzip, which is read from its beginning to its end."""

    is_read_once = True
    archive = LocalArchive(is_compressed=True)


@dataclass(frozen=True, slots=True)
class _Images:
    found: Found
    given: Given

    def __iter__(self) -> Iterator[Found]:
        return self.given.entered_if_empty(self.found.name, (self.found,))


def _file_of(path: str) -> str | None:
    """The path of this machine that a path or an address names; None where it names none."""
    scheme = url_scheme(path)
    if scheme is None:
        return path
    try:
        return file_of(path) if scheme == "file" else None
    except ValueError:
        return None
