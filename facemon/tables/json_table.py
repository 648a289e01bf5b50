"""JSON as Arrow tables: lines of objects, an array of objects, and predictions as facemon writes them."""

import codecs
import json
import re
from collections.abc import Collection
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from facemon.config.model import LOG_COLUMNS
from facemon.errors import FacemonError
from facemon.tables.compressed_file import is_compressed, open_bytes
from facemon.tables.json_depth import refuse_deep, too_deep

_BLOCK, _LARGEST_BLOCK = 1 << 20, 1 << 30
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_SPACE = b" \t\r\n"


def read_json(path: Path, text: Collection[str] = ()) -> pa.Table:
    """Read JSON Lines or an array of objects whole; what looks like a time stays text in the columns of `text`.

    An array without objects has no columns. FacemonError where a row is not an object or text is not UTF-8,
    ArrowException where it is not JSON or a column changes its type.
    """
    with open_bytes(path) as file:
        beginning = file.read(4096).removeprefix(codecs.BOM_UTF8).lstrip(_SPACE)
    if beginning.startswith(b"["):
        lines = _lines_of_array(path)
        if not lines.getvalue():
            return pa.table({})
        return _checked(path, _flattened(_read(lines, text)), text)
    refuse_deep(path)
    source: Any = open_bytes(path) if is_compressed(path) else path
    table = _read(source, text, again=path)
    if table.num_rows == 1 and all(pa.types.is_nested(type_) for type_ in table.schema.types):
        raise FacemonError(
            f"{path}: the file is one object, not one for each row",
            "write JSON Lines or an array of objects; pandas does with to_json(orient='records')",
        )
    return _checked(path, _flattened(table), text)


def _read(source: Any, text: Collection[str], again: Path | None = None) -> pa.Table:
    """Read lines; objects that go over several lines and long ones need another attempt, from `again`."""
    from pyarrow import json as arrow_json

    block, has_newlines, schema = _BLOCK, False, None
    while True:
        try:
            table = arrow_json.read_json(
                source,
                read_options=arrow_json.ReadOptions(block_size=block),
                parse_options=arrow_json.ParseOptions(newlines_in_values=has_newlines, explicit_schema=schema),
            )
            dated = [name for name in text if name in table.column_names and pa.types.is_timestamp(table[name].type)]
            if not dated:
                return table
            schema = pa.schema([(name, pa.string()) for name in dated])
        except pa.ArrowInvalid:
            if block >= _LARGEST_BLOCK:
                raise
            block, has_newlines = (block * 32 if has_newlines else block), True
        if again is not None:
            source = open_bytes(again) if is_compressed(again) else again
        else:
            source.seek(0)


def _lines_of_array(path: Path) -> BytesIO:
    """The array's objects, one a line, so that they get the types that JSON Lines get."""
    try:
        with open_bytes(path) as file:
            rows = json.loads(file.read().removeprefix(codecs.BOM_UTF8))
    except UnicodeDecodeError as error:
        raise _not_utf8(path) from error
    except RecursionError as error:
        raise too_deep(path) from error
    except ValueError as error:
        raise FacemonError(f"{path}: cannot be read: {error}", "check that the file is a whole array") from error
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise FacemonError(f"{path}: item {number} of the array is not an object", "each row is an object")
    return BytesIO("\n".join(map(json.dumps, rows)).encode())


def _flattened(table: pa.Table) -> pa.Table:
    """The objects of facemon.prediction/1 become the columns of the log: attributes.age.label is `age`."""
    if "attributes" not in table.column_names or not pa.types.is_struct(table.schema.field("attributes").type):
        return table
    at = table.column_names.index("attributes")
    flat = table.select([at]).flatten().flatten()
    names = [name.split(".", 1)[1].removesuffix(".label").replace(".", "_") for name in flat.column_names]
    for name, column in zip(names, flat.columns, strict=True):
        table = table.append_column(name, column)
    return table.remove_column(at)


def _checked(path: Path, table: pa.Table, text: Collection[str]) -> pa.Table:
    """The table with its texts known to be UTF-8, and times with fractions or zones as times, as in CSV files."""
    for at, name in enumerate(table.column_names):
        column = table.column(at)
        if not pa.types.is_string(column.type):
            continue
        try:
            column.validate(full=True)
        except pa.ArrowInvalid as error:
            raise _not_utf8(path) from error
        if name not in (*LOG_COLUMNS, *text) and (times := _times(column)) is not None:
            table = table.set_column(at, name, times)
    return table


def _times(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    first = pc.index(pc.is_valid(column), True).as_py()
    if first < 0 or not _TIME.match(column[first].as_py()):
        return None
    for type_ in (pa.timestamp("us"), pa.timestamp("us", "UTC")):
        try:
            return column.cast(type_)
        except pa.ArrowInvalid:
            continue
    return None


def _not_utf8(path: Path) -> FacemonError:
    return FacemonError(
        f"{path}: the file holds text that is not UTF-8", "convert it, for example with iconv -f latin1 -t utf-8"
    )
