"""Manifests: tables that name images, and may say when and where each was taken and where its face is."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from facemon.config.drift import TablesConfig
from facemon.errors import FacemonError
from facemon.tables.compressed_file import format_suffix, open_bytes
from facemon.tables.csv_notation import CsvHead, notation_of, read_head
from facemon.values.image_input import Box, ImageProblem
from facemon.values.prediction import ErrorCode
from facemon.values.times import parse_time

_CSV, _JSON = frozenset((".csv", ".tsv")), frozenset((".jsonl", ".ndjson"))
BOX_SIDES = ("left", "top", "right", "bottom")
_PATH = "path"
"""The column that names the image where the one of the configuration is not there."""
_AS_BYTES = "surrogateescape"
_ROWS_A_BATCH = 4096

_JSON_HEAD = CsvHead(",", "utf-8-sig")

Cells = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One line of a manifest; what it leaves out is none."""

    name: str
    observed_at: datetime | None = None
    source: str | None = None
    id: str | None = None
    box: Box | None = None
    problem: ImageProblem | None = None
    """What is wrong with the line itself."""


class Manifest:
    """An opened manifest; its lines are read as they are asked for."""

    def __init__(self, path: str, tables: TablesConfig) -> None:
        """FacemonError when the file cannot be read or no column names an image."""
        self._file = Path(path)
        self._tables = tables
        with _reading(self._file):
            is_csv = format_suffix(self._file) in _CSV
            # Names of files need not be UTF-8; they pass through as the system's own functions take them.
            self._head = read_head(self._file, notation_of(tables.csv), errors=_AS_BYTES) if is_csv else _JSON_HEAD
        self._path_column = self._checked(self._columns())

    def __iter__(self) -> Iterator[ManifestRow]:
        """Yield a row for each line, a broken line too; FacemonError where the file itself is damaged."""
        for number, cells in self._lines():
            where = f"{self._file}:{number}"
            if isinstance(cells, str):
                yield ManifestRow(where, problem=ImageProblem(ErrorCode.UNREADABLE, f"line {number}: {cells}"))
            else:
                yield self._row(where, number, cells)

    def _row(self, where: str, number: int, cells: Cells) -> ManifestRow:
        name = cells.get(self._path_column)
        if not isinstance(name, str) or not name:
            problem = ImageProblem(ErrorCode.UNREADABLE, f"line {number}: {self._path_column} names no image")
            return ManifestRow(where, problem=problem)
        try:
            return ManifestRow(
                name,
                _time(cells.get(self._tables.observed_at), self._tables.observed_at),
                _text(cells.get(self._tables.source), self._tables.source),
                _text(cells.get(self._tables.id), self._tables.id),
                self._box(cells),
            )
        except ValueError as error:
            return ManifestRow(name, problem=ImageProblem(ErrorCode.UNREADABLE, f"line {number}: {error}"))

    def _box(self, cells: Cells) -> Box | None:
        name = self._tables.box
        whole = cells.get(name)
        parts = [cells.get(f"{name}_{side}") for side in BOX_SIDES]
        if whole in (None, "") and all(part in (None, "") for part in parts):
            return None
        if whole in (None, ""):
            return _box(parts, name)
        return _box(whole.strip("[]() ").replace(",", " ").split() if isinstance(whole, str) else whole, name)

    def _columns(self) -> Sequence[str]:
        first = next(self._lines(), None) if self._is_json else None
        if self._is_json:
            return list(first[1]) if first and not isinstance(first[1], str) else []
        with _reading(self._file):
            if self._file.suffix.lower() == ".parquet":
                from pyarrow import parquet

                return list(parquet.read_schema(self._file).names)
            with self._opened() as file:
                return next(self._csv_reader(file), [])

    def _checked(self, columns: Sequence[str]) -> str:
        """The column that names the images."""
        wanted = (self._tables.image, _PATH)
        found = next((name for name in wanted if name in columns), None)
        if found is None and columns:
            near = get_close_matches(wanted[0], columns, n=1) or get_close_matches(_PATH, columns, n=1)
            meant = f" (did you mean {near[0]}?)" if near else ""
            neither = " nor ".join(dict.fromkeys(wanted))
            raise FacemonError(
                f"{self._file}: no column names the images: there is neither {neither}{meant}",
                f"its columns are {', '.join(map(str, columns))}; name the right one with tables.image",
            )
        repeated = next((name for name in columns if list(columns).count(name) > 1), None)
        if repeated is not None:
            raise FacemonError(f"{self._file}: several columns are called {repeated!r}", "rename all but one")
        return found or wanted[0]

    @property
    def _is_json(self) -> bool:
        return format_suffix(self._file) in _JSON

    def _lines(self) -> Iterator[tuple[int, Cells | str]]:
        """Each line's number with its cells, or with what is wrong with it."""
        with _reading(self._file):
            if self._file.suffix.lower() == ".parquet":
                yield from self._parquet_rows()
            elif self._is_json:
                with self._opened() as file:
                    for number, line in enumerate(file, 1):
                        if line.strip():
                            yield number, _json_cells(line)
            else:
                with self._opened() as file:
                    yield from _csv_cells(self._csv_reader(file))

    def _parquet_rows(self) -> Iterator[tuple[int, Cells]]:
        from pyarrow import parquet

        with parquet.ParquetFile(self._file) as file:
            tables = self._tables
            known = {tables.image, _PATH, tables.observed_at, tables.source, tables.id, tables.box}
            known |= {f"{tables.box}_{side}" for side in BOX_SIDES}
            columns = [name for name in file.schema_arrow.names if name in known]
            number = 0
            for batch in file.iter_batches(_ROWS_A_BATCH, columns=columns):
                for cells in batch.to_pylist():
                    number += 1
                    yield number, cells

    def _opened(self) -> TextIOWrapper:
        return TextIOWrapper(open_bytes(self._file), self._head.encoding, errors=_AS_BYTES, newline="")

    def _csv_reader(self, file: TextIOWrapper) -> Any:
        for _ in range(self._head.skipped):
            file.readline()
        return csv.reader(file, delimiter=self._head.delimiter)


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    """Say of trouble with a manifest which file it is."""
    try:
        yield
    except (OSError, ValueError, csv.Error) as error:  # Arrow's errors are one of the first two
        reason = getattr(error, "strerror", None) or (str(error).splitlines() or [""])[0]
        raise FacemonError(
            f"{file}: the manifest cannot be read: {reason}", "check that the file is whole and fits its suffix"
        ) from error


def is_manifest(path: str) -> bool:
    """Whether a path on the command line stands for the images that it lists."""
    file = Path(path)
    is_table = format_suffix(file) in _CSV | _JSON or file.suffix.lower() == ".parquet"
    return is_table and not file.is_dir()


def _csv_cells(reader: Any) -> Iterator[tuple[int, Cells | str]]:
    header: list[str] = next(reader, [])
    for cells in reader:
        if len(cells) == len(header):
            yield reader.line_num, dict(zip(header, cells, strict=True))
        elif cells:
            yield reader.line_num, f"has {len(cells)} cells under {len(header)} columns"


def _json_cells(line: str) -> Cells | str:
    try:
        cells = json.loads(line)
    except ValueError:
        return "is not JSON"
    return cells if isinstance(cells, dict) else "is no JSON object"


def _time(cell: Any, column: str) -> datetime | None:
    if cell is None or cell == "":
        return None
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=UTC) if cell.tzinfo is None else cell.astimezone(UTC)
    try:
        return parse_time(cell)
    except (ValueError, TypeError, AttributeError):
        raise ValueError(f"{column} is {cell!r}, no time such as 2026-11-23T02:00:00Z") from None


def _text(cell: Any, column: str) -> str | None:
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool) or not isinstance(cell, str | int):
        raise ValueError(f"{column} is {cell!r}, neither text nor a whole number")  # noqa: TRY004 - the cell's fault
    return str(cell)


def _box(parts: Any, column: str) -> Box:
    try:
        numbers = [float(part) for part in parts]
        left, top, right, bottom = (round(number) for number in numbers)
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"{column} is no list of four numbers: {', '.join(BOX_SIDES)}") from None
    if right < left or bottom < top:
        raise ValueError(f"{column} is empty: it ends at {right}, {bottom} before it begins at {left}, {top}")
    if max(map(abs, (left, top, right, bottom))) > 2**31 - 1:
        raise ValueError(f"{column} lies outside every image")
    return left, top, right, bottom
