"""Tar archives for tests, written by Python's tarfile and by GNU tar."""

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from PIL import Image


def image_bytes(colour: tuple[int, int, int], size: tuple[int, int] = (8, 8)) -> bytes:
    """A PNG of one colour."""
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, "PNG")
    return stream.getvalue()


RED, GREEN, BLUE = image_bytes((255, 0, 0)), image_bytes((0, 255, 0)), image_bytes((0, 0, 255))


def member(name: str, size: int = 0, *, mtime: float = 0, type_: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    """The header of a member."""
    header = tarfile.TarInfo(name)
    header.size, header.mtime, header.type = size, mtime, type_
    return header


def tar_bytes(members: Mapping[str, bytes] | list[tuple[str, bytes]], format_: int = tarfile.PAX_FORMAT) -> bytes:
    """An archive of files, in the order given."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=format_) as archive:
        for name, content in members.items() if isinstance(members, Mapping) else members:
            archive.addfile(member(name, len(content)), io.BytesIO(content))
    return stream.getvalue()


def write_tar(path: Path, members: Mapping[str, bytes] | list[tuple[str, bytes]]) -> Path:
    """Write an archive of files, compressed where the name ends so."""
    content = tar_bytes(members)
    path.write_bytes(content if path.suffix == ".tar" else gzip.compress(content))
    return path
