"""CSV files as Arrow tables: text as dictionaries, all else by what the cells show."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pyarrow as pa

from facemon.tables.column_types import plain_type
from facemon.tables.compressed_file import is_compressed, open_bytes
from facemon.tables.csv_notation import CsvHead, CsvNotation, encoding_fault, read_head

_MOST_LABELS = 10_000
"""Text with more distinct values is not kept as a dictionary."""
_BLOCK, _LARGEST_BLOCK = 1 << 20, 1 << 30
_STRADDLES = "straddl"


def read_csv(path: Path, notation: CsvNotation, text: Collection[str] = ()) -> pa.Table:
    """Read a file whole; its types are known only once it was read to its end, but those of the columns in `text`.

    FacemonError where delimiter or encoding are not plain, ArrowException where the rows do not fit the header.
    """
    head = read_head(path, notation)
    try:
        table = _read(path, head, notation.decimal, text)
    except UnicodeError as error:
        raise encoding_fault(path, notation, error) from error
    # Of text that is not UTF-8 pyarrow makes bytes.
    if any(pa.types.is_binary(plain_type(field.type)) for field in table.schema):
        raise encoding_fault(path, notation)
    return table


def _read(path: Path, head: CsvHead, decimal: str, text: Collection[str]) -> pa.Table:
    """Read with ever more patience.

    pyarrow cuts a file into blocks at line ends, and says so where one lay inside a cell. To look for quotation
    marks before costs a fifth of the time, so that is done for files that need it only.
    """
    try:
        return _parsed(path, head, decimal, text, _BLOCK, quoted_newlines=False)
    except pa.ArrowInvalid:
        block = _BLOCK
        while True:
            try:
                return _parsed(path, head, decimal, text, block, quoted_newlines=True)
            except pa.ArrowInvalid as error:
                if _STRADDLES not in str(error) or block >= _LARGEST_BLOCK:
                    raise
                block *= 32


def _parsed(
    path: Path, head: CsvHead, decimal: str, text: Collection[str], block: int, *, quoted_newlines: bool
) -> pa.Table:
    from pyarrow import csv

    # pyarrow itself skips the byte order mark, and its own reader of UTF-8 is faster than Python's.
    encoding = "utf8" if head.encoding == "utf-8-sig" else head.encoding
    source: Any = open_bytes(path) if is_compressed(path) else path
    return csv.read_csv(
        source,
        read_options=csv.ReadOptions(encoding=encoding, skip_rows=head.skipped, block_size=block),
        parse_options=csv.ParseOptions(delimiter=head.delimiter, newlines_in_values=quoted_newlines),
        convert_options=csv.ConvertOptions(
            strings_can_be_null=True,
            auto_dict_encode=True,
            auto_dict_max_cardinality=_MOST_LABELS,
            decimal_point=decimal,
            column_types=dict.fromkeys(text, pa.string()),
        ),
    )
