"""Parquet files that are one table: their common columns, and their rows batch by batch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from facemon.tables.column_types import common_schema, fitted, plain_type
from facemon.tables.part_files import PartFile, partition_columns
from facemon.tables.table_faults import unreadable_table


@dataclass(frozen=True, slots=True)
class ParquetPart:
    """One file; `constants` are the columns that its folders make."""

    path: Path
    schema: pa.Schema
    constants: Mapping[str, pa.Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ParquetParts:
    """The files, the columns that they have in common, in plain types, and how many rows they hold."""

    parts: tuple[ParquetPart, ...]
    schema: pa.Schema
    rows: int

    def batches(self, columns: Sequence[str], rows: int, *, encoded: bool) -> Iterator[pa.RecordBatch]:
        """At most `rows` rows at once, with the named columns; text as dictionaries where `encoded` is asked for.

        FacemonError where a file is damaged.
        """
        for part in self.parts:
            try:
                yield from self._batches(part, columns, rows, encoded=encoded)
            except (pa.ArrowException, OSError) as error:
                raise unreadable_table(part.path, error) from error

    def _batches(
        self, part: ParquetPart, columns: Sequence[str], rows: int, *, encoded: bool
    ) -> Iterator[pa.RecordBatch]:
        from pyarrow import parquet

        own = [name for name in columns if name not in part.constants]
        texts = [name for name in own if encoded and _is_text(part.schema.field(name).type)]
        with parquet.ParquetFile(part.path, read_dictionary=texts) as file:
            if not own:
                left = file.metadata.num_rows
                while left > 0:
                    yield self._fitted(part, {}, columns, min(rows, left), encoded=encoded)
                    left -= rows
                return
            for batch in file.iter_batches(rows, columns=own):
                found = dict(zip(batch.schema.names, batch.columns, strict=True))
                yield self._fitted(part, found, columns, batch.num_rows, encoded=encoded)

    def _fitted(
        self, part: ParquetPart, found: Mapping[str, pa.Array], columns: Sequence[str], rows: int, *, encoded: bool
    ) -> pa.RecordBatch:
        cells = []
        for name in columns:
            wanted = self.schema.field(name).type
            if name in found:
                type_ = found[name].type
                is_ready = encoded and pa.types.is_dictionary(type_) and plain_type(type_) == wanted
                cells.append(found[name] if is_ready else fitted(found[name], wanted))
            elif encoded and pa.types.is_string(wanted):
                value = pa.array([part.constants[name].as_py()], wanted)
                cells.append(pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), value))
            else:
                cells.append(pa.repeat(part.constants[name].cast(wanted), rows))
        return pa.RecordBatch.from_arrays(cells, list(columns))


def open_parts(files: Sequence[PartFile]) -> ParquetParts:
    """Read the footers of at least one file.

    FacemonError where one is damaged, or its columns do not fit those of the others; it names the column and both.
    """
    from pyarrow import parquet

    folders = partition_columns(files)
    parts: list[ParquetPart] = []
    rows = 0
    for each in files:
        try:
            with parquet.ParquetFile(each.path) as file:
                schema = file.schema_arrow.remove_metadata()
                rows += file.metadata.num_rows
                if not file.metadata.num_rows and not schema.names:
                    continue  # a data frame without columns: it says nothing about those of the others
        except (pa.ArrowException, OSError) as error:
            raise unreadable_table(each.path, error) from error
        # Thousands of equal schemas are one object, and are compared once.
        if parts and parts[-1].schema.equals(schema):
            schema = parts[-1].schema
        # Some writers keep the folders' column in the file too.
        constants = {name: folders[name][text] for name, text in each.values.items() if name not in schema.names}
        parts.append(ParquetPart(each.path, schema, constants))
    if len(parts) == 1 and not parts[0].constants:
        plain_fields = [(field.name, plain_type(field.type)) for field in parts[0].schema]
        return ParquetParts(tuple(parts), pa.schema(plain_fields), rows)
    return ParquetParts(tuple(parts), common_schema(_distinct(parts)), rows)


def _distinct(parts: Sequence[ParquetPart]) -> list[tuple[str, pa.Schema]]:
    """The schemas of parts that differ from the one before, with the columns of their folders."""
    found: list[tuple[str, pa.Schema]] = []
    last: tuple[pa.Schema, dict[str, pa.DataType]] | None = None
    for part in parts:
        types = {name: scalar.type for name, scalar in part.constants.items()}
        if last is None or last[0] is not part.schema or last[1] != types:
            whole = part.schema
            for name, type_ in types.items():
                whole = whole.append(pa.field(name, type_))
            found.append((str(part.path), whole))
            last = (part.schema, types)
    return found


def _is_text(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))
