"""Files of rows that other people wrote: CSV, JSON Lines, Parquet, or a directory of Parquet files."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from facemon.errors import FacemonError

BATCH_ROWS = 131_072
_BATCH_CELLS = 4 * BATCH_ROWS
"""A batch of few columns has more rows, since each batch costs something by itself."""
_SUFFIXES = ".csv, .csv.gz, .jsonl, .ndjson, .parquet or a directory of .parquet files"


@dataclass(frozen=True, slots=True)
class TableFile:
    """An opened table; its rows are read batch by batch, only the columns asked for.

    A CSV or JSON file is held in memory, since its types are only known once it was read to its end; a Parquet
    file stays on disk. Of rows that were never in a file, `path` is only what they are called.
    """

    path: Path
    schema: pa.Schema
    rows: int
    parts: tuple[Path, ...] = ()
    memory: pa.Table | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in the file's order."""
        return tuple(self.schema.names)

    def read(self) -> pa.Table:
        """The whole table, with plain columns."""
        if self.memory is not None:
            return pa.table({name: _plain(self.memory.column(name)) for name in self.names})
        return pa.Table.from_batches(self.batches(self.names, encoded=False), self.schema)

    def batches(self, columns: Sequence[str], *, encoded: bool = True) -> Iterator[pa.RecordBatch]:
        """The rows in order, with the named columns only; FacemonError where the file is damaged.

        With `encoded` the text of Parquet files comes as dictionaries, which are cheaper to count.
        """
        rows = max(BATCH_ROWS, _BATCH_CELLS // max(1, len(columns)))
        if self.memory is not None:
            yield from self.memory.select(list(columns)).to_batches(max_chunksize=rows)
            return
        from pyarrow import parquet

        texts = [name for name in columns if encoded and _is_text(self.schema.field(name).type)]
        for part in self.parts:
            try:
                with parquet.ParquetFile(part, read_dictionary=texts) as file:
                    yield from file.iter_batches(rows, columns=list(columns))
            except (pa.ArrowException, OSError) as error:
                raise _unreadable(part, error) from error


def open_table(path: Path, text: Collection[str] = ()) -> TableFile:
    """Open a table by its suffix; FacemonError if it is missing, unreadable, empty or of an unknown kind.

    Of CSV and JSON files the columns named in `text` keep their cells as they are written: 000001 is no number, and
    2026-11-28 no date. Numbers of JSON stay numbers.
    """
    if path.is_dir():
        return _open_parquet(path, tuple(sorted(path.rglob("*.parquet"))))
    if not path.exists():
        raise FacemonError(
            f"{path}: there is no such file", "check the name; relative paths start at the working folder"
        )
    suffix = "".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix
    try:
        match suffix.lower():
            case ".parquet" | ".pq":
                return _open_parquet(path, (path,))
            case ".csv" | ".csv.gz":
                return _held(path, _read_csv(path, text))
            case ".jsonl" | ".ndjson" | ".json" | ".jsonl.gz":
                return _held(path, _read_json_lines(path, text))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error
    raise FacemonError(f"{path}: the suffix says nothing about the format", f"use {_SUFFIXES}")


def table_of(rows: pa.Table, name: str) -> TableFile:
    """Rows in memory as an opened table; messages call it `name`. FacemonError as for a file's."""
    columns = [_plain(column) for column in rows.columns]
    return _held(Path(name), pa.Table.from_arrays(columns, names=rows.column_names))


def _open_parquet(path: Path, parts: tuple[Path, ...]) -> TableFile:
    from pyarrow import parquet

    if not parts:
        raise FacemonError(f"{path}: the directory holds no .parquet file", f"give {_SUFFIXES}")
    schema, rows = None, 0
    for part in parts:
        try:
            with parquet.ParquetFile(part) as file:
                own = file.schema_arrow.remove_metadata()
                rows += file.metadata.num_rows
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(part, error) from error
        if schema is not None and own != schema:
            raise FacemonError(
                f"{part}: its columns differ from those of {parts[0]}", "all parts must share one schema"
            )
        schema = own
    return _checked(TableFile(path, schema, rows, parts))


def _read_csv(path: Path, text: Collection[str]) -> pa.Table:
    from pyarrow import csv

    if path.stat().st_size == 0:
        raise _empty(path)
    convert = csv.ConvertOptions(
        strings_can_be_null=True,
        auto_dict_encode=True,
        auto_dict_max_cardinality=10_000,
        column_types=dict.fromkeys(text, pa.string()),
    )
    return csv.read_csv(path, convert_options=convert)


def _read_json_lines(path: Path, text: Collection[str]) -> pa.Table:
    from pyarrow import json

    if path.stat().st_size == 0:
        raise _empty(path)
    table = json.read_json(path)
    if dated := [name for name in text if name in table.column_names and pa.types.is_timestamp(table[name].type)]:
        written = pa.schema([(name, pa.string()) for name in dated])
        table = json.read_json(path, parse_options=json.ParseOptions(explicit_schema=written))
    if "attributes" not in table.column_names or not pa.types.is_struct(table.schema.field("attributes").type):
        return table
    # The objects of facemon.prediction/1 become the columns of the log: attributes.age.label is `age`.
    at = table.column_names.index("attributes")
    flat = table.select([at]).flatten().flatten()
    names = [name.split(".", 1)[1].removesuffix(".label").replace(".", "_") for name in flat.column_names]
    for name, column in zip(names, flat.columns, strict=True):
        table = table.append_column(name, column)
    return table.remove_column(at)


def _held(path: Path, table: pa.Table) -> TableFile:
    return _checked(TableFile(path, table.schema, table.num_rows, memory=table))


def _checked(table: TableFile) -> TableFile:
    if table.rows == 0:
        raise _empty(table.path)
    repeated = sorted({name for name in table.names if table.names.count(name) > 1})
    if repeated:
        raise FacemonError(f"{table.path}: several columns are called {repeated[0]!r}", "rename all but one")
    return table


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    # Data frames hold such text, and the log's columns are told by their types.
    is_wide = pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type)
    return column.cast(pa.string()) if is_wide else column


def _is_text(type_: Any) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))


def _empty(path: Path) -> FacemonError:
    return FacemonError(f"{path}: the file holds no rows", "a comparison needs rows on both sides")


def _unreadable(path: Path, error: Exception) -> FacemonError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return FacemonError(f"{path}: cannot be read: {reason}", "check that the file is whole and fits its suffix")
