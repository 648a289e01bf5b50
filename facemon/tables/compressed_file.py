"""Files of rows that may be compressed: which format lies below `.gz` or `.zst`, and the bytes inside."""

import codecs
from pathlib import Path
from typing import BinaryIO, cast

from facemon.regular_file import open_regular, require_regular

CSV, JSON_LINES = frozenset((".csv", ".tsv")), frozenset((".jsonl", ".ndjson"))
"""Suffixes of the formats that hold one row on a line."""
_PART_BYTES = 1 << 16
_CODECS = {".gz": "gzip", ".zst": "zstd"}


def is_compressed(path: Path) -> bool:
    """Whether the suffix says that the file is compressed."""
    return path.suffix.lower() in _CODECS


def format_suffix(path: Path) -> str:
    """The suffix of the format in lower case, without that of the compression: `.csv` for `rows.CSV.gz`."""
    return (path.with_suffix("") if is_compressed(path) else path).suffix.lower()


def without_format_suffix(path: Path) -> str:
    """The name of a file without the suffixes of its format and of its compression: `rows` for `rows.csv.gz`."""
    return (path.with_suffix("") if is_compressed(path) else path).stem


def is_blank(path: Path) -> bool:
    """Whether there is nothing but white space inside; as CSV, pandas writes a frame without columns as a line end."""
    with open_bytes(path) as file:
        part = file.read(_PART_BYTES).removeprefix(codecs.BOM_UTF8)
        while not part.strip():
            if not (part := file.read(_PART_BYTES)):
                return True
    return False


def open_bytes(path: Path) -> BinaryIO:
    """The decompressed bytes as a stream; OSError where the file is missing, damaged or not a regular one."""
    if not is_compressed(path):
        return open_regular(path)
    require_regular(path)
    import pyarrow as pa

    return cast("BinaryIO", pa.input_stream(str(path), compression=_CODECS[path.suffix.lower()]))
