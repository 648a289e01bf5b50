"""Files of rows that other people wrote: CSV, JSON, Parquet, or a directory of such files."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from facemon.errors import FacemonError
from facemon.regular_file import require_regular
from facemon.tables.column_types import fitted_column, joined
from facemon.tables.compressed_file import CSV, JSON_LINES, format_suffix, is_blank
from facemon.tables.csv_notation import CsvNotation
from facemon.tables.csv_table import read_csv
from facemon.tables.json_table import read_json
from facemon.tables.parquet_parts import ParquetParts, open_parts
from facemon.tables.part_files import PartFile, partition_columns, parts_below
from facemon.tables.table_faults import empty_table, unreadable_table

_BATCH_ROWS = 131_072
_BATCH_CELLS = 4 * _BATCH_ROWS
"""A batch of few columns has more rows, since each batch costs something by itself."""
_PARQUET = frozenset((".parquet", ".pq"))
_JSON = JSON_LINES | {".json"}
_SPREADSHEETS = frozenset((".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers"))
_SUFFIXES = ".csv, .tsv, .jsonl, .ndjson or .json, each also with .gz or .zst, .parquet, or a directory of such files"
_PLAIN = CsvNotation()


@dataclass(frozen=True, slots=True)
class TableFile:
    """An opened table; its rows are read batch by batch, only the columns asked for.

    A CSV or JSON file is held in memory, since its types are only known once it was read to its end; Parquet
    files stay on disk. Of rows that were never in a file, `path` is only what they are called.
    """

    path: Path
    schema: pa.Schema
    rows: int
    parquet: ParquetParts | None = None
    memory: pa.Table | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in the file's order."""
        return tuple(self.schema.names)

    @property
    def is_parquet(self) -> bool:
        """Whether the rows are those of Parquet files."""
        return self.parquet is not None

    def read(self) -> pa.Table:
        """The whole table, with plain columns."""
        if self.memory is not None:
            return _plain_table(self.memory)
        return pa.Table.from_batches(self.batches(self.names, encoded=False), self.schema)

    def batches(self, columns: Sequence[str], *, encoded: bool = True) -> Iterator[pa.RecordBatch]:
        """The rows in order, with the named columns only; FacemonError where the file is damaged.

        With `encoded` the text of Parquet files comes as dictionaries, which are cheaper to count.
        """
        rows = max(_BATCH_ROWS, _BATCH_CELLS // max(1, len(columns)))
        if self.memory is not None:
            yield from self.memory.select(list(columns)).to_batches(max_chunksize=rows)
        elif self.parquet is not None:
            yield from self.parquet.batches(columns, rows, encoded=encoded)


def open_table(path: Path, notation: CsvNotation = _PLAIN, *, text: Collection[str] = ()) -> TableFile:
    """Open a table by its suffix; `notation` tells how CSV files are written.

    Of CSV and JSON files the columns named in `text` keep their cells as they are written: 000001 is not a number, and
    2026-11-28 no date. Numbers of JSON stay numbers. FacemonError if the file is missing, unreadable, empty or of an
    unknown kind.
    """
    try:
        if path.is_dir():
            return _open_directory(path, notation, text)
        if not path.exists():
            raise FacemonError(f"{path}: no such file", "check the name; relative paths start at the working folder")
        require_regular(path)
    except OSError as error:
        raise unreadable_table(path, error) from error
    suffix = format_suffix(path)
    if path.suffix.lower() in _PARQUET:
        return _of_parquet(path, (PartFile(path),))
    if suffix in CSV | _JSON:
        return _held(path, _read(path, notation, text))
    if suffix in _SPREADSHEETS:
        raise FacemonError(f"{path}: spreadsheets are not read", "save the sheet as CSV (UTF-8) or as Parquet")
    raise FacemonError(f"{path}: the suffix says nothing about the format", f"use {_SUFFIXES}")


def table_of(rows: pa.Table, name: str) -> TableFile:
    """Rows in memory as an opened table; messages call it `name`. FacemonError as for a file's."""
    _held(Path(name), rows)  # from here on names are unique
    return _held(Path(name), _plain_table(rows))


def _open_directory(path: Path, notation: CsvNotation, text: Collection[str]) -> TableFile:
    """The Parquet files below; where there is none, the CSV and JSON files."""
    parts = parts_below(path)
    parquet = tuple(part for part in parts if part.path.suffix.lower() in _PARQUET)
    if parquet:
        return _of_parquet(path, parquet)
    texts = [part for part in parts if format_suffix(part.path) in CSV | _JSON]
    if not texts:
        raise FacemonError(f"{path}: the directory holds no .parquet file, and no CSV or JSON", f"give {_SUFFIXES}")
    read = [(part, _read(part.path, notation, text)) for part in texts]
    # Files without any column are parts without rows, and say nothing about the columns of the others.
    read = [(part, table) for part, table in read if table.num_rows or table.num_columns]
    if not read:
        raise empty_table(path)
    folders = partition_columns([part for part, _ in read])
    tables = []
    for part, rows in read:
        table = rows
        for name, value in part.values.items():
            if name not in table.column_names:
                table = table.append_column(name, pa.repeat(folders[name][value], table.num_rows))
        tables.append((str(part.path), table))
    # Lines of JSON leave out what is missing, lines of CSV cannot.
    return _held(path, joined(tables, same_columns=any(format_suffix(part.path) in CSV for part, _ in read)))


def _read(path: Path, notation: CsvNotation, text: Collection[str]) -> pa.Table:
    try:
        if is_blank(path):
            return pa.table({})
        return read_csv(path, notation, text) if format_suffix(path) in CSV else read_json(path, text)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise unreadable_table(path, error) from error


def _of_parquet(path: Path, files: Sequence[PartFile]) -> TableFile:
    parquet = open_parts(files)
    return _checked(TableFile(path, parquet.schema, parquet.rows, parquet))


def _held(path: Path, table: pa.Table) -> TableFile:
    return _checked(TableFile(path, table.schema, table.num_rows, memory=table))


def _checked(table: TableFile) -> TableFile:
    if table.rows == 0:
        raise empty_table(table.path)
    repeated = sorted({name for name in table.names if table.names.count(name) > 1})
    if repeated:
        raise FacemonError(f"{table.path}: several columns are called {repeated[0]!r}", "rename all but one")
    return table


def _plain_table(table: pa.Table) -> pa.Table:
    # Data frames hold wide and encoded text, and the log's columns are told by their types.
    return pa.table({name: fitted_column(table, name) for name in table.column_names})
