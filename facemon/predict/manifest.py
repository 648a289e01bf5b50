"""Manifests: tables that name images, and may say when and where each was taken and where its face is."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import islice
from pathlib import Path

from facemon.config.drift import TablesConfig
from facemon.domain.image_input import ImageProblem
from facemon.domain.prediction import ErrorCode
from facemon.error_hints import hint_of
from facemon.errors import FacemonError
from facemon.near_names import did_you_mean
from facemon.predict.folder_walk import is_folder
from facemon.predict.manifest_cells import ManifestRow, box_columns, columns_of, name_of, object_columns, row_of
from facemon.predict.manifest_columns import meant_cells, meant_columns, unused_note
from facemon.predict.manifest_lines import AS_BYTES, Cells, csv_rows, json_rows, text_lines
from facemon.predict.parquet_rows import column_names, parquet_rows, row_count
from facemon.regular_file import require_regular
from facemon.tables.compressed_file import CSV, JSON_LINES, format_suffix, open_bytes
from facemon.tables.csv_notation import CsvHead, CsvNotation, is_ascii_with_more, notation_of, read_head

_PATH = "path"
"""The column that names the image where the one of the configuration is not there."""
_SHOWN_COLUMNS = 20

_JSON_HEAD = CsvHead(",", "utf-8-sig")


class Manifest:
    """An opened manifest; its lines are read as they are asked for."""

    def __init__(self, path: str, tables: TablesConfig) -> None:
        """FacemonError when the file cannot be read or no column names an image."""
        self._file = Path(path)
        self._tables = tables
        self._other_encoding = line_encoding(tables)
        with _reading(self._file):
            require_regular(self._file)
            self._head = self._read_head() if format_suffix(self._file) in CSV else _JSON_HEAD
        given = self._columns()
        self._meant = meant_columns(given, self._known())
        columns = [self._meant.get(name, name) for name in given]
        self._path_column = self._checked(columns)
        used = sorted({self._path_column} | (self._known() - {tables.image, _PATH}))
        self.unused_note = unused_note(columns, used)
        """Which columns nothing uses; none where each one is used. Of JSON the first line says which there are."""
        self.may_have_boxes = self._is_json or not box_columns(tables).isdisjoint(columns)
        """Whether rows can say where a face is; of JSON each line has keys of its own."""

    def __iter__(self) -> Iterator[ManifestRow]:
        """Yield a row for each line, a broken line too; FacemonError where the file itself is damaged."""
        return self.rows(None)

    def rows(self, span: tuple[int, int] | None) -> Iterator[ManifestRow]:
        """Yield the rows from the first of two places on, counted from 0, up to the second; all without a span."""
        for number, cells in self._lines(span):
            name = f"{self._file}:{number}"
            try:
                found = meant_cells(_cells(cells), self._meant) if self._meant else _cells(cells)
                name = name_of(found.get(self._path_column), self._path_column)
                yield row_of(name, found, self._tables)
            except ValueError as error:
                yield ManifestRow(name, problem=ImageProblem(ErrorCode.UNREADABLE, f"line {number}: {error}"))

    def count(self) -> int:
        """Return the number of rows, for which lines of text have to be read; FacemonError as for iteration."""
        if self._is_parquet:
            with _reading(self._file):
                return row_count(self._file)
        return sum(1 for _ in self._lines())

    def _read_head(self) -> CsvHead:
        notation = notation_of(self._tables.csv)
        if self._other_encoding is not None:
            # Lines are UTF-8 first, and their delimiters are ASCII in both encodings.
            notation = CsvNotation(notation.delimiter, notation.decimal)
        return read_head(self._file, notation, errors=AS_BYTES)

    def _columns(self) -> Sequence[str]:
        with _reading(self._file):
            if self._is_parquet:
                return column_names(self._file)
            if self._is_json:
                first = next(self._lines(), (0, ""))[1]
                return [] if isinstance(first, str) else list(first)
            with self._opened() as file:
                header = next(self._csv_rows(file), (0, []))[1]
            if isinstance(header, str):
                raise ValueError(f"the header line {header}")  # noqa: TRY004 - the file's fault
            return header

    def _checked(self, columns: Sequence[str]) -> str:
        """The column that names the images."""
        wanted = (self._tables.image, _PATH)
        found = next((name for name in wanted if name in columns), None)
        if found is None and columns:
            # A column that says something else of an image is not the one that names it.
            others = {name.casefold() for name in self._known()} - {name.casefold() for name in wanted}
            free = [name for name in columns if name.strip().casefold() not in others]
            near = did_you_mean(wanted[0], free) or did_you_mean(_PATH, free)
            meant = f" ({near})" if near else ""
            neither = " nor ".join(dict.fromkeys(wanted))
            more = ", …" if len(columns) > _SHOWN_COLUMNS else ""
            raise FacemonError(
                f"{self._file}: no column names the images: there is neither {neither}{meant}",
                f"its columns are {', '.join(map(str, columns[:_SHOWN_COLUMNS]))}{more}; "
                "name the right one with tables.image",
            )
        repeated = next((name for name, count in Counter(columns).items() if count > 1), None)
        if repeated is not None:
            raise FacemonError(f"{self._file}: several columns are called {repeated!r}", "rename all but one")
        return found or wanted[0]

    def _known(self) -> frozenset[str]:
        """The names of columns that mean something."""
        return frozenset((self._tables.image, _PATH)) | columns_of(self._tables) | object_columns(self._tables)

    @property
    def _is_parquet(self) -> bool:
        return self._file.suffix.lower() == ".parquet"

    @property
    def _is_json(self) -> bool:
        return format_suffix(self._file) in JSON_LINES

    def _lines(self, span: tuple[int, int] | None = None) -> Iterator[tuple[int, Cells | str]]:
        """Each line's number with its cells, or with what is wrong with it."""
        with _reading(self._file):
            if self._is_parquet:
                yield from parquet_rows(self._file, self._known() | self._meant.keys(), span)
                return
            with self._opened() as file:
                lines: Iterator[tuple[int, Cells | str]]
                lines = json_rows(text_lines(file, self._other_encoding)) if self._is_json else self._csv_cells(file)
                yield from lines if span is None else islice(lines, *span)

    def _csv_cells(self, file: TextIOWrapper) -> Iterator[tuple[int, Cells | str]]:
        rows = self._csv_rows(file)
        header = next(rows, (0, ""))[1]
        for number, row in rows:
            if isinstance(row, str):
                yield number, row
            elif len(row) == len(header):
                yield number, dict(zip(header, row, strict=True))
            elif row:
                yield number, f"has {len(row)} cells under {len(header)} columns"

    def _csv_rows(self, file: TextIOWrapper) -> Iterator[tuple[int, list[str] | str]]:
        lines = islice(text_lines(file, self._other_encoding), self._head.skipped, None)
        return csv_rows(lines, self._head.delimiter)

    def _opened(self) -> TextIOWrapper:
        return TextIOWrapper(open_bytes(self._file), self._head.encoding, errors=AS_BYTES, newline="")


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    """Say of trouble with a manifest which file it is."""
    try:
        yield
    except (OSError, ValueError, csv.Error) as error:  # Arrow's errors are one of the first two
        reason = getattr(error, "strerror", None) or (str(error).splitlines() or [""])[0]
        hint = hint_of(error) or "check that the file is whole and fits its suffix"
        raise FacemonError(f"{file}: the manifest cannot be read: {reason}", hint) from error


def _cells(line: Cells | str) -> Cells:
    if isinstance(line, str):
        raise ValueError(line)  # noqa: TRY004 - the line's fault
    return line


def line_encoding(tables: TablesConfig) -> str | None:
    """The encoding of lines that are not UTF-8; none where it is not configured, or is the one of the whole file."""
    encoding = tables.csv.encoding
    return encoding if encoding is not None and is_ascii_with_more(encoding) else None


def is_manifest(path: str) -> bool:
    """Whether a path on the command line stands for the images that it lists."""
    file = Path(path)
    is_table = format_suffix(file) in CSV | JSON_LINES or file.suffix.lower() == ".parquet"
    return is_table and not is_folder(path)
