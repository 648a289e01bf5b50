"""The errors of table files that several formats, or several readers of tables, share."""

import os
from pathlib import Path

import pyarrow as pa

from facemon.error_hints import hint_of
from facemon.errors import FacemonError


def empty_table(path: Path) -> FacemonError:
    """The error for a file or a directory of files without rows."""
    held_by = "files in it hold" if path.is_dir() else "file holds"
    return FacemonError(f"{path}: the {held_by} no rows", "a comparison needs rows on both sides")


def unreadable_table(path: Path, error: Exception) -> FacemonError:
    """The error for a file that a library or the system refused, with the first line of the reason.

    Of a directory it names what in it was refused.
    """
    refused = getattr(error, "filename", None)
    # Arrow's OSErrors have no strerror, the system's own would repeat their number and the path.
    text = getattr(error, "strerror", None) or str(error)
    reason = text.splitlines()[0] if text else type(error).__name__
    where = path if refused is None else Path(os.fsdecode(refused))
    hint = hint_of(error) or "check that the file is whole and fits its suffix"
    return FacemonError(f"{where}: cannot be read: {reason}", hint)


def refuse_nested(where: Path | str, column: str, type_: pa.DataType, what: str, key: str) -> None:
    """FacemonError where the cells of a column hold lists or objects, and so are not `what`; `key` names another."""
    if pa.types.is_nested(type_):
        hint = f"name another column with {key}, or rename this one"
        raise FacemonError(f"{where}: the column {column} holds {type_}, not {what}", hint)
