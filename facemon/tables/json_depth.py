"""Whether JSON is nested so deeply that pyarrow would run out of stack, which ends the process.

Most files are objects on a line each. That is seen at the speed of a search for bytes; the rest is measured.
"""

import re
from pathlib import Path

import numpy as np

from facemon.errors import FacemonError
from facemon.tables.compressed_file import open_bytes

_DEEPEST = 500
_LONG_LINE = 8192
"""Bytes; an object on a shorter line may be deeper than `_DEEPEST`, but not dangerously so: pyarrow bears 10,000."""
_CHUNK = 1 << 20
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_LINE_END, _RETURN = b"\n\r"
_OPENING, _CLOSING = (np.frombuffer(pair, np.uint8) for pair in (b"[{", b"]}"))


def refuse_deep(path: Path) -> None:
    """FacemonError for a file of JSON that is nested too deeply; OSError where it cannot be read."""
    if not _are_shallow_lines(path):
        with open_bytes(path) as file:
            _refuse(path, file.read())


def too_deep(path: Path) -> FacemonError:
    """The error for JSON that is nested too deeply."""
    return FacemonError(f"{path}: the file is nested more than {_DEEPEST} levels deep", "a row is an object of values")


def _are_shallow_lines(path: Path) -> bool:
    """Whether each line is an object, or no JSON: where a line ends between } and {, no bracket can be open.

    FacemonError for a long line that is too deep.
    """
    pieces: list[bytes] = []
    before = b"}"
    are_objects = True
    with open_bytes(path) as file:
        while chunk := file.read(_CHUNK):
            are_objects = are_objects and _end_between_objects(before, chunk)
            before = (before + chunk[-4:])[-4:]
            at = 0
            while True:
                while not pieces and (end := chunk.rfind(b"\n", at, at + _LONG_LINE)) >= 0:
                    at = end + 1
                end = chunk.find(b"\n", at)
                pieces.append(chunk[at : end if end >= 0 else None])
                if end < 0:
                    break
                _refuse_long(path, pieces)
                pieces, at = [], end + 1
    _refuse_long(path, pieces)
    return are_objects


def _end_between_objects(before: bytes, chunk: bytes) -> bool:
    """Whether each line of a chunk ends between } and {; one that ends with the chunk is judged with the next."""
    signs = np.frombuffer(before + chunk, np.uint8)
    ends = np.flatnonzero(signs[:-1] == _LINE_END)
    ends = ends[ends >= len(before) - 1]
    last = ends - 1 - (signs[ends - 1] == _RETURN)
    return bool((signs[ends + 1] == _OPENING[1]).all() and (signs[last] == _CLOSING[1]).all())


def _refuse_long(path: Path, pieces: list[bytes]) -> None:
    if sum(map(len, pieces)) > _LONG_LINE:
        _refuse(path, b"".join(pieces))


def _refuse(path: Path, text: bytes) -> None:
    signs = np.frombuffer(_STRING.sub(b"", text), np.uint8)
    steps = np.isin(signs, _OPENING).astype(np.int32) - np.isin(signs, _CLOSING)
    if int(np.cumsum(steps).max(initial=0)) > _DEEPEST:
        raise too_deep(path)
