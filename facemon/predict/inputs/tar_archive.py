"""A tar archive, such as a shard of a WebDataset: the images in it, which are not unpacked."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from facemon.config.drift import TablesConfig
from facemon.domain.image_input import FileVersion, shown_name, tar_suffix
from facemon.errors import FacemonError
from facemon.predict.inputs.input_kind import Found, Given, InputKind
from facemon.regular_file import open_regular

_GZIP = b"\x1f\x8b"


class TarArchive(InputKind):
    """A tar that is not compressed: images are read from where they lie in it, by the processes that predict them."""

    is_opened_first = True

    def takes(self, path: str) -> bool:
        """Whether it has the suffix .tar and is not a folder."""
        return tar_suffix(path) == ".tar" and not Path(path).is_dir()

    def open(self, path: str, given: Given) -> "_Images":
        """Return its images; FacemonError where it is not a tar or cannot be read."""
        return _images(path, given, is_compressed=False)

    def without_boxes(self, path: str, shown: str, tables: TablesConfig) -> None:
        """Return None: JSON files in it may give boxes."""


class CompressedTar(TarArchive):
    """A tar compressed with gzip, which is read from its beginning to its end."""

    is_read_once = True

    def takes(self, path: str) -> bool:
        """Whether it has one of the suffixes .tar.gz and .tgz and is not a folder."""
        return tar_suffix(path) in (".tar.gz", ".tgz") and not Path(path).is_dir()

    def open(self, path: str, given: Given) -> "_Images":
        """Return its images; FacemonError where it is not such a tar or cannot be read."""
        return _images(path, given, is_compressed=True)


@dataclass(frozen=True, slots=True)
class _Images:
    path: str
    given: Given
    is_compressed: bool

    def __iter__(self) -> Iterator[Found]:
        from facemon.predict.tar_samples import TarSamples
        from facemon.predict.tar_walk import TarWalk

        with _opened(self.path, is_compressed=self.is_compressed) as (stream, version):
            samples = TarSamples(TarWalk(stream, shown_name(self.path)), self.path, self.given, version)
            yield from self.given.entered_if_empty(self.path, samples)


def _images(path: str, given: Given, *, is_compressed: bool) -> _Images:
    from facemon.predict.tar_walk import TarWalk

    with _opened(path, is_compressed=is_compressed) as (stream, _):
        TarWalk(stream, shown_name(path)).require_tar()
    return _Images(path, given, is_compressed)


@contextmanager
def _opened(path: str, *, is_compressed: bool) -> Iterator[tuple[BinaryIO, FileVersion | None]]:
    """Open a tar: its bytes, and the version of its file unless that is compressed."""
    shown = shown_name(path)
    try:
        file = open_regular(Path(path))
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise FacemonError(f"{shown}: the archive cannot be read: {reason}") from error
    with file:
        is_gzip = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        if is_gzip and not is_compressed:
            raise FacemonError(f"{shown}: is compressed with gzip", "give it a name that ends in .tar.gz")
        if not is_compressed:
            yield file, FileVersion.of(os.fstat(file.fileno()))
            return
        if not is_gzip:
            raise FacemonError(f"{shown}: is not compressed with gzip", "give a plain tar a name that ends in .tar")
        import gzip

        with gzip.GzipFile(fileobj=file) as stream:
            yield cast("BinaryIO", stream), None
