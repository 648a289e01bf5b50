"""The files below a directory that are one table, and the columns that Hive's folders `name=value` make."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa

_NULL = "__HIVE_DEFAULT_PARTITION__"
_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,17})")
"""Without zeros in front: 01 is a name."""
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class PartFile:
    """A file of a table, and what its folders say of all of its rows."""

    path: Path
    values: Mapping[str, str | None] = field(default_factory=dict)
    """The column that a folder names to its value; none is missing."""


def parts_below(folder: Path) -> tuple[PartFile, ...]:
    """All files below, in the order of their names.

    What begins with `_` or `.`, be it a folder or a file, is left out: Spark and Hadoop keep there what is not yet
    or no longer data, notebooks and macOS their copies. OSError where a folder cannot be listed.
    """
    found = []
    for path in sorted(_files_below(folder)):
        inside = path.relative_to(folder).parts
        found.append(PartFile(path, dict(_value(name) for name in inside[:-1] if "=" in name[1:])))
    return tuple(found)


def _files_below(folder: Path) -> Iterator[Path]:
    # Not rglob, which leaves out what it may not list.
    for place, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if not _is_no_data(name)]
        paths = (Path(place, name) for name in files if not _is_no_data(name))
        yield from (path for path in paths if path.is_file())


def _is_no_data(name: str) -> bool:
    return name.startswith(("_", "."))


def _raise(error: OSError) -> None:
    raise error


def partition_columns(parts: Sequence[PartFile]) -> dict[str, dict[str | None, pa.Scalar]]:
    """For each column of the folders what its values are: whole numbers, numbers and dates where all are, else text."""
    texts: dict[str, dict[str | None, None]] = {}
    for part in parts:
        for name, value in part.values.items():
            texts.setdefault(name, {})[value] = None
    return {name: _scalars(values) for name, values in texts.items()}


def _value(folder: str) -> tuple[str, str | None]:
    name, value = folder.split("=", 1)
    return unquote(name), None if value in (_NULL, "") else unquote(value)


def _scalars(values: Iterable[str | None]) -> dict[str | None, pa.Scalar]:
    given = [value for value in values if value is not None]
    if all(_INTEGER.fullmatch(value) for value in given):
        return {value: pa.scalar(None if value is None else int(value), pa.int64()) for value in values}
    if all(_NUMBER.fullmatch(value) for value in given):
        return {value: pa.scalar(None if value is None else float(value), pa.float64()) for value in values}
    try:
        return {value: pa.scalar(None if value is None else date.fromisoformat(value), pa.date32()) for value in values}
    except ValueError:
        return {value: pa.scalar(value, pa.string()) for value in values}
