"""Tables of true labels: which images they name, and what they say of each attribute."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from facemon.config.drift import TablesConfig
from facemon.config.model import AttributeConfig
from facemon.errors import FacemonError
from facemon.tables.attribute_cells import AttributeCells, text_of
from facemon.tables.csv_notation import notation_of
from facemon.tables.table_file import TableFile, open_table
from facemon.values.profile import MISSING_LABEL

HASH = "image_sha256"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of one attribute, for each image of the table."""

    codes: NDArray[np.intp]
    """Labels as indices into the attribute's classes; -1 where nothing is said, -2 where it is no label."""
    numbers: NDArray[np.float64]
    """What was given as a number; NaN elsewhere."""
    unknown: tuple[str, ...]
    """Examples of cells that are neither."""


@dataclass(frozen=True, slots=True)
class TrueLabels:
    """The labels of a table, one row for each image."""

    keys: tuple[str, ...]
    """Names of images, or their sha256."""
    by_hash: bool
    truths: Mapping[str, Truth]
    unlabelled: tuple[str, ...]
    """Attributes of the model for which the table has no column."""
    contradicted: tuple[str, ...]
    """Images that are there several times with different labels; they are left out of `keys`."""


def read_true_labels(path: Path, attributes: Sequence[AttributeConfig], tables: TablesConfig) -> TrueLabels:
    """Read a CSV, JSON Lines or Parquet table, its columns mapped by `tables`.

    FacemonError where the file cannot be read, or has no column for the images or for any attribute.
    """
    file = open_table(path, notation_of(tables.csv))
    keys, by_hash = _keys(file, tables)
    columns = {attribute.name: tables.columns.get(attribute.name, attribute.name) for attribute in attributes}
    present = [attribute for attribute in attributes if columns[attribute.name] in file.names]
    if not present:
        wanted = ", ".join(columns.values())
        near = sorted({near for name in columns.values() for near in get_close_matches(name, file.names, n=1)})
        raise FacemonError(
            f"{path}: no column holds labels of an attribute ({wanted})",
            f"name it under tables.columns; {'near is' if near else 'its columns are'} {', '.join(near or file.names)}",
        )
    table = file.read()
    truths = {each.name: _truth(each, table.column(columns[each.name]), tables) for each in present}
    return _one_row_an_image(keys, by_hash, truths, tuple(a.name for a in attributes if a not in present))


def _keys(file: TableFile, tables: TablesConfig) -> tuple[list[str], bool]:
    name = next((name for name in (HASH, tables.image) if name in file.names), None)
    if name is None:
        near = get_close_matches(tables.image, file.names, n=1)
        raise FacemonError(
            f"{file.path}: no column names the images: there is neither {tables.image} nor {HASH}",
            f"name it with tables.image; {'near is' if near else 'its columns are'} {', '.join(near or file.names)}",
        )
    cells = file.read().column(name).to_pylist()
    keys = ["" if cell is None else str(cell) for cell in cells]
    return keys, name == HASH or all(_SHA256.fullmatch(key) for key in keys)


def _truth(attribute: AttributeConfig, column: pa.ChunkedArray, tables: TablesConfig) -> Truth:
    encoded = pc.dictionary_encode(column.combine_chunks())
    values = [*encoded.dictionary.to_pylist(), None]
    cells = AttributeCells(attribute, tables)
    places = {label: index for index, label in enumerate(attribute.classes)}
    codes, numbers, unknown = [], [], list[str]()
    for value in values:
        label, number = cells.label_of(value), _number(value)
        if label not in places and np.isfinite(number):
            label = cells.label_of(number)  # a number in a column of text still lies in a band
        is_nothing = label == MISSING_LABEL
        is_known = number == number if attribute.kind == "number" else label in places  # noqa: PLR0124 - no NaN
        codes.append(places.get(label, 0 if is_known else -1 if is_nothing else -2))
        numbers.append(number)
        if not is_nothing and not is_known:
            unknown.append(text_of(value))
    indices = pc.fill_null(encoded.indices, len(values) - 1).to_numpy(zero_copy_only=False)
    return Truth(np.array(codes, np.intp)[indices], np.array(numbers)[indices], tuple(unknown[:_EXAMPLES]))


def _number(value: object) -> float:
    if isinstance(value, bool) or value is None:
        return float("nan")
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")
    return number if np.isfinite(number) else float("nan")


def _one_row_an_image(
    keys: Sequence[str], by_hash: bool, truths: Mapping[str, Truth], unlabelled: tuple[str, ...]
) -> TrueLabels:
    """Keep the first row of each image; an image whose rows differ is left out."""
    first: dict[str, int] = {}
    owners = np.array([first.setdefault(key, index) for index, key in enumerate(keys)], np.intp)
    differs = np.zeros(len(keys), bool)
    for truth in truths.values():
        same = (truth.codes == truth.codes[owners]) & (
            (truth.numbers == truth.numbers[owners]) | (np.isnan(truth.numbers) & np.isnan(truth.numbers[owners]))
        )
        differs |= ~same
    contradicted = {keys[owner] for owner in owners[differs]}
    kept = np.array([index for key, index in first.items() if key not in contradicted], np.intp)
    return TrueLabels(
        tuple(keys[index] for index in kept),
        by_hash,
        {name: Truth(truth.codes[kept], truth.numbers[kept], truth.unknown) for name, truth in truths.items()},
        unlabelled,
        tuple(sorted(contradicted)),
    )
