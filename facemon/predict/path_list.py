"""A list of paths, one a line, as stdin brings it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from facemon.predict.manifest_cells import LONGEST_NAME


def listed_names(
    stream: BinaryIO, folder: Path | None, other_encoding: str | None
) -> Iterator[tuple[int, str] | tuple[int, None]]:
    """Number and path of each line that is not empty; no path where the line is longer than any path.

    A path is bytes. One that is not UTF-8 and names no file in `folder` is read in `other_encoding`, where there is
    one: a list that was saved on another system.
    """
    number = 0
    while line := stream.readline(LONGEST_NAME + 2):
        number += 1
        is_whole = line.endswith(b"\n") or len(line) < LONGEST_NAME + 2
        while not is_whole:
            rest = stream.readline(1 << 16)
            is_whole = rest.endswith(b"\n") or not rest
        if len(name := line.rstrip(b"\r\n")) > LONGEST_NAME:
            yield number, None
        elif name:
            yield number, _path(name, folder or Path(), other_encoding)


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
