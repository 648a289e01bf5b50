"""Weights that an ONNX file keeps in other files beside it."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

# A StringStringEntryProto of onnx.proto whose key (field 1) is "location"; the length of its value (field 2) and
# the value follow, in protobuf's wire format. onnxruntime, which has checked the files by then, tells nobody
# their names, and the package onnx would be one more to install for this alone.
_LOCATION = re.compile(rb"\x0a\x08location\x12([\x80-\xff]*[\x00-\x7f])")


def external_weights(content: bytes, folder: Path) -> list[str]:
    """The sha256 of each file in `folder` that a model refers to, in the order of their names."""
    digests = []
    for path in external_files(content, folder):
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return digests


def external_files(content: bytes, folder: Path) -> list[Path]:
    """The files in `folder` that a model refers to, in the order of their names."""
    names = {content[start : start + length].decode("utf-8", "replace") for start, length in _values(content)}
    return sorted(path for name in names if (path := folder / name).is_file())


def _values(content: bytes) -> Iterator[tuple[int, int]]:
    for match in _LOCATION.finditer(content):
        length = sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(match[1]))
        yield match.end(), length
