"""What the cells of a manifest's row mean; a ValueError says what is wrong with one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from math import isnan
from typing import Any

from facemon.config.drift import TablesConfig
from facemon.domain.image_input import Box, ImageProblem, source_fault
from facemon.domain.times import parse_time
from facemon.object_storage.location import is_location
from facemon.object_storage.object_store import plain_etag
from facemon.predict.object_image import NOTHING, Expected

_BOX_SIDES = ("left", "top", "right", "bottom")
LONGEST_NAME = 4096
"""Characters of a path: no longer one can be opened (PATH_MAX of Linux)."""
_LONGEST_ID = 1000
_SHOWN = 60
_LAST_WHOLE = 2**53
"""Whole numbers up to it are whole as floats, too: pandas makes 12.0 of 12 where another row has an empty cell."""
_FIRST_LOW, _LAST_LOW = 0xDC80, 0xDCFF
"""What a byte that is not UTF-8 becomes (PEP 383)."""


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One row of a manifest; what it leaves out is none."""

    name: str
    observed_at: datetime | None = None
    source: str | None = None
    id: str | None = None
    box: Box | None = None
    expected: Expected = NOTHING
    """Of an object in storage."""
    problem: ImageProblem | None = None
    """What is wrong with the row itself."""


def row_of(name: str, cells: Mapping[str, Any], tables: TablesConfig) -> ManifestRow:
    """Return what a row's cells say of an image; ValueError where one is not what its column holds."""
    return ManifestRow(
        name,
        _time_of(cells.get(tables.observed_at), tables.observed_at),
        _source_of(cells.get(tables.source), tables.source),
        _id_of(cells.get(tables.id), tables.id),
        _box_of(cells.get(tables.box), (cells.get(side) for side in _side_columns(tables)), tables.box),
        _expected(cells, tables) if is_location(name) else NOTHING,
    )


def columns_of(tables: TablesConfig) -> frozenset[str]:
    """Return the columns that say something of an image besides its name."""
    return box_columns(tables) | {tables.observed_at, tables.source, tables.id}


def object_columns(tables: TablesConfig) -> frozenset[str]:
    """Return the columns that say which object in storage is meant."""
    return frozenset((tables.etag, tables.size))


def box_columns(tables: TablesConfig) -> frozenset[str]:
    """Return the columns that may hold a face's box, as one cell or as four."""
    return frozenset((tables.box, *_side_columns(tables)))


def _side_columns(tables: TablesConfig) -> tuple[str, ...]:
    return tuple(f"{tables.box}_{side}" for side in _BOX_SIDES)


def name_of(cell: Any, column: str) -> str:
    """The image's name; it may hold bytes that are not UTF-8, as surrogateescape keeps them."""
    if not isinstance(cell, str) or not cell:
        raise ValueError(f"{column} names no image")
    if len(cell) > LONGEST_NAME:
        raise ValueError(f"{column} has {len(cell):,} characters; a path has at most {LONGEST_NAME:,}")
    if _has_half_pair(cell):
        raise ValueError(f"{column} holds half of a surrogate pair, so no such file can exist")
    return cell


def _time_of(cell: Any, column: str) -> datetime | None:
    """A time in UTC, none for an empty cell."""
    if _is_empty(cell):
        return None
    try:
        if isinstance(cell, datetime):
            return cell.replace(tzinfo=UTC) if cell.tzinfo is None else cell.astimezone(UTC)
        # A column of dates, as Parquet has them: midnight in UTC, as for a date that is text.
        return datetime.combine(cell, time(), UTC) if isinstance(cell, date) else parse_time(cell)
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise ValueError(f"{column} is {_shown(cell)}, not a time such as 2026-11-23T02:00:00Z") from None


def _source_of(cell: Any, column: str) -> str | None:
    """A source's name, none for an empty cell; it becomes a label of metrics."""
    source = _text_of(cell, column)
    if source is not None and (fault := source_fault(source)):
        raise ValueError(f"{column} {fault}")
    return source


def _id_of(cell: Any, column: str) -> str | None:
    """The image's identifier in other systems, none for an empty cell."""
    found = _text_of(cell, column)
    if found is not None and len(found) > _LONGEST_ID:
        raise ValueError(f"{column} has {len(found):,} characters; at most {_LONGEST_ID:,} are kept")
    return found


def _expected(cells: Mapping[str, Any], tables: TablesConfig) -> Expected:
    return Expected(_etag_of(cells.get(tables.etag), tables.etag), _size_of(cells.get(tables.size), tables.size))


def _etag_of(cell: Any, column: str) -> str | None:
    """An object's ETag without quotation marks, none for an empty cell."""
    return plain_etag(_text_of(cell, column)) or None


def _size_of(cell: Any, column: str) -> int | None:
    """An object's bytes, none for an empty cell."""
    if _is_empty(cell):
        return None
    try:
        size = int(cell.removesuffix(".0")) if isinstance(cell, str) else int(cell)
    except (TypeError, ValueError, OverflowError):
        size = -1
    if size < 0 or (size != cell and not isinstance(cell, str)) or isinstance(cell, bool):
        raise ValueError(f"{column} is {_shown(cell)}, not a number of bytes; tables.size names another column")
    return size


def _box_of(whole: Any, parts: Iterable[Any], column: str) -> Box | None:
    """The face's box, from one cell or from four, none where all are empty."""
    parts = list(parts)
    if _is_empty(whole) and all(map(_is_empty, parts)):
        return None
    if _is_empty(whole):
        return _box(parts, column)
    return _box(whole.strip("[]() ").replace(",", " ").split() if isinstance(whole, str) else whole, column)


def _text_of(cell: Any, column: str) -> str | None:
    if _is_empty(cell):
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) <= _LAST_WHOLE:
        cell = int(cell)
    if isinstance(cell, bool) or not isinstance(cell, str | int):
        raise ValueError(f"{column} is {_shown(cell)}, neither text nor a whole number")  # noqa: TRY004 - of a cell
    text = str(cell)
    if _has_half_pair(text):
        raise ValueError(f"{column} holds half of a surrogate pair, which is not text")
    if not text.isascii() and any(_FIRST_LOW <= ord(character) <= _LAST_LOW for character in text):
        raise ValueError(f"{column} is not UTF-8; tables.csv.encoding names another encoding")
    return text


def _is_empty(cell: Any) -> bool:
    """Whether a row leaves a cell out: pandas writes NaN for an empty cell."""
    return cell is None or cell == "" or (isinstance(cell, float) and isnan(cell))


def _has_half_pair(text: str) -> bool:
    """Whether text holds a surrogate that keeps no byte: JSON can write it, UTF-8 and file systems cannot."""
    return not text.isascii() and any(
        "\ud800" <= character <= "\udfff" and not _FIRST_LOW <= ord(character) <= _LAST_LOW for character in text
    )


def _shown(cell: Any) -> str:
    """A cell for a message: short, and without walking through what is nested."""
    match cell:
        case str():
            return repr(cell if len(cell) <= _SHOWN else cell[: _SHOWN - 1] + "…")
        case list() | dict():
            return "a list" if isinstance(cell, list) else "an object"
        case bytes():
            return "binary data"
        case bool():
            return str(cell).lower()
        case int() if abs(cell) >= 10**_SHOWN:
            return "a number of too many digits"
    return str(cell)[:_SHOWN]  # not what Python would write in a program: dates, decimal numbers


def _box(parts: Any, column: str) -> Box:
    try:
        numbers = [float(part) for part in parts]
        left, top, right, bottom = (round(number) for number in numbers)
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"{column} is not a list of four numbers: {', '.join(_BOX_SIDES)}") from None
    if max(map(abs, (left, top, right, bottom))) > 2**31 - 1:
        raise ValueError(f"{column} lies outside every image")
    if right < left or bottom < top:
        raise ValueError(f"{column} is empty: it ends at {right}, {bottom} before it begins at {left}, {top}")
    return left, top, right, bottom
