"""Tables of true labels: the columns that name the images and their faces, and what each row says of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from facemon.config.drift import TablesConfig
from facemon.config.model import AttributeConfig
from facemon.domain.profile import MISSING_LABEL
from facemon.errors import FacemonError
from facemon.evaluation.truth import Truth, read_truth
from facemon.near_names import nearest_names
from facemon.tables.attribute_cells import text_of, values_of
from facemon.tables.csv_notation import notation_of
from facemon.tables.table_faults import refuse_nested
from facemon.tables.table_file import TableFile, open_table

IMAGE, IMAGE_ID, HASH, FACE = "image", "image_id", "image_sha256", "face"
"""Columns of the log, which those of a table are compared with."""
ANY_FACE = -1
_SHA256 = r"^[0-9a-f]{64}$"
_SAMPLE = 1_000
"""Rows of other columns that are kept, to tell which one might name the images."""


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """A column that says which image each row is about."""

    name: str
    logged: str
    """The column of the log that holds the same: IMAGE, IMAGE_ID or HASH."""
    texts: tuple[str, ...]
    """One for each row; empty where the cell is."""


@dataclass(frozen=True, slots=True)
class TrueLabels:
    """The rows of a table of labels."""

    keys: tuple[KeyColumn, ...]
    """At least one; of equals the first is the surest."""
    faces: NDArray[np.intp]
    """For each row the number of the face that it is about, or ANY_FACE."""
    truths: Mapping[str, Truth]
    unlabelled: tuple[str, ...]
    """Attributes of the model for which the table has no column."""
    others: Mapping[str, tuple[str, ...]]
    """The first cells of the columns that hold neither."""


def read_true_labels(
    table: Path | TableFile, attributes: Sequence[AttributeConfig], tables: TablesConfig
) -> TrueLabels:
    """Read a CSV, JSON Lines or Parquet file, or an opened table, its columns mapped by `tables`.

    FacemonError where the file cannot be read, has no column for the images or for any attribute, or a face without
    a number.
    """
    file = _opened(table, tables, (tables.image, tables.id, HASH))
    columns = {attribute.name: tables.columns.get(attribute.name, attribute.name) for attribute in attributes}
    named = _key_columns(file, tables, columns.values())
    present = [attribute for attribute in attributes if columns[attribute.name] in file.names]
    if not present:
        wanted = ", ".join(columns.values())
        near = _near(columns.values(), file, (*named.values(), FACE, tables.source, tables.observed_at))
        message = f"{file.path}: no column holds labels of an attribute ({wanted})"
        raise FacemonError(message, f"name it under tables.columns; {near}")
    for name in columns.values():
        if name in file.names:
            refuse_nested(file.path, name, file.schema.field(name).type, "labels", "tables.columns")
    rows = file.read()
    used = {*named.values(), *(columns[attribute.name] for attribute in present)}
    has_faces = FACE in file.names and FACE not in used
    others = [name for name in file.names if name not in used and not (has_faces and name == FACE)]
    return TrueLabels(
        tuple(_key_column(name, logged, rows.column(name)) for logged, name in named.items()),
        _faces(file.path, rows.column(FACE)) if has_faces else np.full(rows.num_rows, ANY_FACE, np.intp),
        {each.name: read_truth(each, rows.column(columns[each.name]), tables) for each in present},
        tuple(attribute.name for attribute in attributes if attribute not in present),
        _first_cells(table, tables, others) if others else {},
    )


def _opened(table: Path | TableFile, tables: TablesConfig, text: Sequence[str]) -> TableFile:
    """The table; the columns named in `text` keep their cells as a file has them."""
    return table if isinstance(table, TableFile) else open_table(table, notation_of(tables.csv), text=text)


def _first_cells(table: Path | TableFile, tables: TablesConfig, names: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    # Opened again, because which columns might hold names is known only now, and names are not numbers.
    file = _opened(table, tables, names)
    for batch in file.batches(names, encoded=False):
        head = pa.table(batch.slice(0, _SAMPLE))
        return {name: _texts(head.column(name)) for name in names}
    return {}


def _key_columns(file: TableFile, tables: TablesConfig, of_attributes: Iterable[str]) -> dict[str, str]:
    """The log's column to the table's, for each that is there."""
    wanted = {HASH: HASH, IMAGE: tables.image, IMAGE_ID: tables.id}
    found = {logged: name for logged, name in wanted.items() if name in file.names}
    if named := {key: name for key, name in found.items() if not pa.types.is_nested(file.schema.field(name).type)}:
        return named
    for name in found.values():
        refuse_nested(file.path, name, file.schema.field(name).type, "names of images", "tables.image or tables.id")
    near = _near(wanted.values(), file, (*of_attributes, FACE, tables.source, tables.observed_at))
    raise FacemonError(
        f"{file.path}: no column names the images: there is neither {tables.image} nor {tables.id} nor {HASH}",
        f"name it with tables.image; {near}",
    )


def _near(wanted: Iterable[str], file: TableFile, taken: Iterable[str]) -> str:
    """Say which columns are near to those that are `wanted`, or which there are.

    A column that is `taken` for something else is not the one that is missing, however alike the names are.
    """
    others = {name.casefold() for name in taken}
    free = [name for name in file.names if name.casefold() not in others]
    near = dict.fromkeys(near for name in wanted for near in nearest_names(name, free))
    return f"near is {', '.join(near)}" if near else f"its columns are {', '.join(file.names)}"


def _key_column(name: str, logged: str, column: pa.ChunkedArray) -> KeyColumn:
    texts = _texts(column)
    if logged == IMAGE and pc.all(pc.match_substring_regex(pa.array(texts, pa.string()), _SHA256)).as_py():
        logged = HASH
    return KeyColumn(name, logged, texts)


def _texts(column: pa.ChunkedArray) -> tuple[str, ...]:
    # A whole number is its decimal text: a table that lost the zeros of 000001 does not get them back by a guess.
    return tuple("" if (text := text_of(cell)) == MISSING_LABEL else text for cell in values_of(column))


def _faces(path: Path, column: pa.ChunkedArray) -> NDArray[np.intp]:
    texts = _texts(column)
    for row, text in enumerate(texts):
        if text and not (text.isascii() and text.isdigit() and len(text) < 10):
            raise FacemonError(
                f"{path}: row {row + 1}: {FACE} is {text!r}, not the number of a face",
                "give the number that the log has, counted from 0; or rename a column that holds something else",
            )
    return np.array([int(text) if text else ANY_FACE for text in texts], np.intp)
