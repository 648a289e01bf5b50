"""Weights that an ONNX file keeps in other files beside it."""

import hashlib
from pathlib import Path

from facemon.model.onnx_format import external_locations


def external_weights(content: bytes, folder: Path) -> list[str]:
    """The sha256 of each file in `folder` that a model refers to, in the order of their names."""
    digests = []
    for path in external_files(content, folder):
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return digests


def external_files(content: bytes, folder: Path) -> list[Path]:
    """The files in `folder` that a model refers to, in the order of their names."""
    return sorted(path for name in external_locations(content) if (path := folder / name).is_file())
