"""A list of paths as stdin brings it: one a line, or each ended by NUL."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from facemon.predict.manifest_cells import LONGEST_NAME

_PIECE_BYTES = 1 << 16
_TOO_LONG = "is longer than any path"
_HOLDS_NUL = "holds the character NUL, which no path can: for a list of find -print0 add -0 (--null)"


class ListedPath(NamedTuple):
    """An entry of a list: its number from 1 on, and its path or what is wrong with it."""

    number: int
    path: str
    fault: str | None = None


def listed_paths(
    stream: BinaryIO, folder: Path | None, other_encoding: str | None, *, null: bool = False
) -> Iterator[ListedPath]:
    """Yield the entries of a list that are not empty, each as soon as it is there.

    With `null` an entry ends with NUL and may hold line ends, else it is a line. A path is bytes. One that is not
    UTF-8 and names no file in `folder` is read in `other_encoding`, where there is one: a list that was saved on
    another system.
    """
    entries = _null_entries(stream) if null else _lines(stream)
    for number, (entry, is_whole) in enumerate(entries, 1):
        if not is_whole:
            yield ListedPath(number, "", _HOLDS_NUL if b"\0" in entry else _TOO_LONG)
        elif b"\0" in entry:
            yield ListedPath(number, "", _HOLDS_NUL)
        elif entry:
            yield ListedPath(number, _path(entry, folder or Path(), other_encoding))


def _lines(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Each line without its end, and whether it is whole: of one that is longer than any path only the beginning."""
    while line := stream.readline(LONGEST_NAME + 2):
        rest = b"" if line.endswith(b"\n") or len(line) < LONGEST_NAME + 2 else b"x"
        while rest and not rest.endswith(b"\n"):
            rest = stream.readline(_PIECE_BYTES)
        name = line.rstrip(b"\r\n")
        yield name, len(name) <= LONGEST_NAME


def _null_entries(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Do as `_lines` for entries that end with NUL; the last one may lack its end."""
    # A pipe gives what there is, and does not wait for the rest.
    read = getattr(stream, "read1", stream.read)
    held = b""
    while piece := read(_PIECE_BYTES):
        *entries, rest = piece.split(b"\0")
        for entry in entries:
            whole, held = held + entry, b""
            yield whole, len(whole) <= LONGEST_NAME
        held = (held + rest)[: LONGEST_NAME + 1]
    yield held, len(held) <= LONGEST_NAME


def _path(name: bytes, folder: Path, other_encoding: str | None) -> str:
    path = os.fsdecode(name)
    if other_encoding is not None and not _is_utf8(name) and not os.path.lexists(folder / path):
        try:
            return name.decode(other_encoding)
        except UnicodeError:
            pass  # the error that no such file exists shows its bytes
    return path


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
