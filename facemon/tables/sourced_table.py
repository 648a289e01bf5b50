"""Tables whose rows are compared by source: a source is named as it is written, as in a manifest of predict."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from facemon.config.drift import TablesConfig
from facemon.tables.compressed_file import CSV, format_suffix
from facemon.tables.csv_notation import notation_of
from facemon.tables.table_file import TableFile, open_table

_WHOLE_FLOAT = r"^-?(0|[1-9][0-9]*)\.0$"


def open_with_sources(path: Path, tables: TablesConfig) -> TableFile:
    """Open a table as `open_table` does, with the text of its sources: 01 of a CSV file is the log's 01, and not 1."""
    name = tables.source
    file = open_table(path, notation_of(tables.csv), text=(name,))
    if file.memory is None or name not in file.names or not pa.types.is_string(file.schema.field(name).type):
        return file
    texts = file.memory.column(name)
    # pandas writes 7.0 for 7 where another row has no source.
    if (format_suffix(path) in CSV or path.is_dir()) and _are_whole_floats(texts):
        texts = pc.replace_substring_regex(texts, r"\.0$", "")
    memory = file.memory.set_column(file.names.index(name), name, texts.dictionary_encode())
    return replace(file, memory=memory, schema=memory.schema)


def _are_whole_floats(texts: pa.ChunkedArray) -> bool:
    """Whether all cells that are not missing are numbers such as 7.0."""
    known = pc.unique(texts.drop_null())
    return bool(len(known)) and bool(pc.all(pc.match_substring_regex(known, _WHOLE_FLOAT)).as_py())
