"""Predictions that another program made, as rows of the log: checked column by column, and completed."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from facemon.config.model import AttributeConfig
from facemon.domain.attribute import Measure
from facemon.domain.image_input import source_fault
from facemon.domain.prediction import IMAGE_FEATURES, ErrorCode, log_schema
from facemon.errors import FacemonError
from facemon.monitor.data_frames import arrow_table
from facemon.monitor.logged_times import times_of
from facemon.near_names import did_you_mean
from facemon.tables.attribute_cells import text_of
from facemon.tables.column_types import fitted_column, joined

ROWS_AT_ONCE = 65_536
_YEARS = (datetime.min, datetime.max)  # noqa: DTZ901 - made aware below
_TAKEN = "give a table (pandas, Polars, DuckDB, Arrow), an iterable of tables, or an iterable of mappings"
_OWN = ("run", "ordinal", "predicted_at", "model", "origin")
"""Columns of the log that facemon fills by itself."""


def tables_of(rows: Any, known: Collection[str] | None = None) -> Iterator[pa.Table]:
    """A table, an iterable of tables, or an iterable of mappings, as Arrow tables.

    The rows of an iterable of mappings come in pieces that never part the rows of one image. Where only `known`
    columns may be, a pandas index of another name is none.
    """
    if (table := arrow_table(rows, known)) is not None:
        yield table
        return
    held: list[Mapping[str, Any]] = []
    for item in _iterated(rows):
        if (table := arrow_table(item, known)) is not None:
            yield table
            continue
        if not isinstance(item, Mapping):
            raise FacemonError(f"a row is a {type(item).__name__}, neither a mapping nor a table", _TAKEN)
        if len(held) >= ROWS_AT_ONCE and item.get("image") != held[-1].get("image"):
            yield _from_mappings(held)
            held = []
        held.append(item)
    if held:
        yield _from_mappings(held)


def one_table(rows: Any) -> pa.Table:
    """All of the rows at once, in the union of their columns; FacemonError where there are none."""
    parts = [(f"table {number}", table) for number, table in enumerate(tables_of(rows))]
    if not any(part.num_rows for _, part in parts):
        raise FacemonError("there are no rows", "a comparison needs rows on both sides")
    return joined(parts, same_columns=False)


def log_rows(
    table: pa.Table,
    attributes: Sequence[AttributeConfig],
    *,
    first_ordinal: int,
    constants: Mapping[str, Any],
    source: str | None,
    observed_at: datetime,
) -> tuple[pa.RecordBatch, int]:
    """Rows in the log's schema, and the ordinal after their last.

    Where there is no column `face`, rows of the same image that follow each other are its faces. FacemonError names
    the first row, counted from 0, whose cell cannot be.
    """
    schema = log_schema(attributes)
    _check_columns(table, schema.names)
    columns = {name: _cast(table, name, schema.field(name).type) for name in table.column_names}
    if "source" in columns:  # an empty cell, as in a manifest
        columns["source"] = pc.if_else(pc.equal(columns["source"], ""), pa.scalar(None, pa.string()), columns["source"])
    _check_cells(columns, attributes)
    errors = columns.get("error", pa.nulls(table.num_rows, pa.string()))
    ordinals, faces = _images_and_faces(columns, errors)
    columns |= {"ordinal": pa.array(ordinals + first_ordinal), "face": faces}
    for attribute in attributes:
        if attribute.reach:
            columns[attribute.name] = _banded(attribute, columns, table.num_rows)
    for name, default in (("source", source), ("observed_at", observed_at)):
        missing = pa.scalar(default, schema.field(name).type)
        columns[name] = pc.fill_null(columns[name], missing) if name in columns else pa.repeat(missing, table.num_rows)
    columns |= {name: pa.repeat(pa.scalar(value), table.num_rows) for name, value in constants.items()}
    arrays = [columns.get(field.name, pa.nulls(table.num_rows)).cast(field.type) for field in schema]
    end = first_ordinal + (int(ordinals[-1]) + 1 if len(ordinals) else 0)
    return pa.RecordBatch.from_arrays(arrays, schema=schema), end


def _iterated(rows: Any) -> Iterator[Any]:
    if isinstance(rows, Mapping):
        raise FacemonError("the rows are one mapping", _TAKEN)
    if not isinstance(rows, Iterable):
        hint = "call collect() on it first" if hasattr(rows, "collect") else _TAKEN
        raise FacemonError(f"the rows are a {type(rows).__name__}, neither a table nor an iterable of rows", hint)
    return iter(rows)


def _from_mappings(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    listed = [dict(row) for row in rows]
    names = dict.fromkeys(name for row in listed for name in row)
    if (odd := next((name for name in names if not isinstance(name, str)), None)) is not None:
        raise FacemonError(
            f"a column is called {odd!r}, which is not text", "the keys of a row name columns of the log"
        )
    columns = {}
    for name in names:
        try:
            columns[name] = pa.array([row.get(name) for row in listed])
        except pa.ArrowException as error:
            raise FacemonError(f"the column {name} holds values of several kinds: {error}") from error
        except (UnicodeEncodeError, OverflowError) as error:
            what = "text that is not Unicode" if isinstance(error, UnicodeError) else "a number that is too large"
            raise FacemonError(f"the column {name} holds {what}") from error
    return pa.table(columns)


def _check_columns(table: pa.Table, known: Sequence[str]) -> None:
    settable = [name for name in known if name not in _OWN]
    repeated = next((name for name in table.column_names if table.column_names.count(name) > 1), None)
    if repeated is not None:
        raise FacemonError(f"several columns are called {repeated!r}", "rename all but one")
    for name in table.column_names:
        if name not in settable:
            hint = did_you_mean(name, settable, f"known: {', '.join(settable)}")
            raise FacemonError(f"the log has no column {name!r} that could be set", hint)
    if "image" not in table.column_names:
        raise FacemonError("the rows have no column image", "each row names the image that it is about")


def _cast(table: pa.Table, name: str, wanted: pa.DataType) -> pa.Array:
    column = fitted_column(table, name).combine_chunks()
    if pa.types.is_decimal(column.type) and pa.types.is_string(wanted):
        return pa.array([None if cell is None else text_of(cell) for cell in column.to_pylist()], wanted)
    try:
        return times_of(column, name, wanted) if pa.types.is_timestamp(wanted) else column.cast(wanted)
    except pa.ArrowException as error:
        raise FacemonError(f"the column {name} cannot become {wanted}: {str(error).splitlines()[0]}") from error


def _check_cells(columns: Mapping[str, pa.Array], attributes: Sequence[AttributeConfig]) -> None:
    _check_image(columns)
    if "observed_at" in columns:
        first, last = (pa.scalar(time.replace(tzinfo=UTC), columns["observed_at"].type) for time in _YEARS)
        beyond = pc.or_(pc.less(columns["observed_at"], first), pc.greater(columns["observed_at"], last))
        _refuse(beyond, "observed_at", "lies outside the years 1 to 9999 in UTC")
    if "error" in columns:
        codes = pa.array([code.value for code in ErrorCode])
        _refuse(_outside(columns["error"], codes), "error", f"must be one of {', '.join(codes.to_pylist())}")
    for attribute in attributes:
        if attribute.name in columns and attribute.classes:
            why = f"must be one of {', '.join(attribute.classes)}"
            _refuse(_outside(columns[attribute.name], pa.array(attribute.classes)), attribute.name, why)
        name = Measure.CONFIDENCE.column(attribute.name)
        if name in columns:
            inside = pc.and_(pc.greater_equal(columns[name], 0), pc.less_equal(columns[name], 1))
            _refuse(pc.and_(pc.is_valid(columns[name]), pc.invert(inside)), name, "is not a probability from 0 to 1")
        name = Measure.VALUE.column(attribute.name)
        if name in columns:
            _refuse(pc.invert(pc.is_finite(columns[name])), name, "is not finite")
        for name in attribute.columns:
            if name in columns and "error" in columns:
                both = pc.and_(pc.is_valid(columns[name]), pc.is_valid(columns["error"]))
                _refuse(both, name, "is given in a row with an error")
    for name in (*(f"image_{feature}" for feature in IMAGE_FEATURES), "face_confidence"):
        if name in columns:
            _refuse(pc.invert(pc.is_finite(columns[name])), name, "is not finite")


def _check_image(columns: Mapping[str, pa.Array]) -> None:
    _refuse(pc.is_null(columns["image"]), "image", "is missing")
    _refuse(pc.equal(columns["image"], ""), "image", "is empty")
    if "source" in columns:
        _check_sources(columns["source"])
    if "box" in columns:
        _refuse(_is_no_box(columns["box"]), "box", "is not four numbers: left, top, right, bottom")


def _check_sources(sources: pa.Array) -> None:
    for source in pc.unique(sources).to_pylist():
        fault = None if source is None else source_fault(source) if source.strip() else "is empty"
        if fault is not None:
            _refuse(pc.equal(sources, source), "source", fault)


def _is_no_box(boxes: pa.Array) -> pa.Array:
    is_wrong = pc.fill_null(pc.not_equal(pc.list_value_length(boxes), 4), False).to_numpy(zero_copy_only=False).copy()
    missing = pc.is_null(pc.list_flatten(boxes)).to_numpy(zero_copy_only=False)
    is_wrong[pc.list_parent_indices(boxes).to_numpy()[missing]] = True
    return pa.array(is_wrong)


def _outside(column: pa.Array, allowed: pa.Array) -> pa.Array:
    return pc.and_(pc.is_valid(column), pc.invert(pc.is_in(column, allowed)))


def _refuse(wrong: pa.Array, name: str, why: str) -> None:
    row = pc.index(pc.fill_null(wrong, False), True).as_py()
    if row >= 0:
        raise FacemonError(f"row {row}: {name} {why}")


def _images_and_faces(columns: Mapping[str, pa.Array], errors: pa.Array) -> tuple[NDArray[np.int64], pa.Array]:
    """Each row's image, counted from 0, and its face."""
    failed = pc.is_valid(errors).to_numpy(zero_copy_only=False)
    names = pc.dictionary_encode(columns["image"]).indices.to_numpy(zero_copy_only=False)
    follows = np.zeros(len(names), bool)
    follows[1:] = (names[1:] == names[:-1]) & ~failed[1:] & ~failed[:-1]
    starts = ~follows
    if "face" in columns:
        given = pc.fill_null(columns["face"], -1).to_numpy(zero_copy_only=False)
        _refuse(pa.array(failed & (given >= 0)), "face", "is given in a row with an error")
        starts = failed | (given == 0)
    if not len(names):
        return np.empty(0, np.int64), pa.array([], pa.int32())
    images = np.cumsum(starts) - 1
    first = np.flatnonzero(starts)
    _refuse(pa.array(images < 0), "face", "does not begin with 0")
    faces = np.arange(len(names)) - first[np.maximum(images, 0)]
    if "face" in columns:
        wrong = ~failed & ((faces != given) | (names != names[first[images]]))
        _refuse(pa.array(wrong), "face", "does not count the faces of one image from 0 on")
    return images, pa.array(faces, pa.int32(), mask=failed)


def _banded(attribute: AttributeConfig, columns: Mapping[str, pa.Array], rows: int) -> pa.Array:
    """The labels of an attribute with bands; where only its value is given, the band that it lies in."""
    given = columns.get(attribute.name, pa.nulls(rows, pa.string()))
    values = columns.get(Measure.VALUE.column(attribute.name))
    if values is None:
        return given
    numbers = values.to_numpy(zero_copy_only=False)
    labels = np.full(rows, None, object)
    for label, (low, high) in attribute.reach.items():
        labels[(numbers >= low) & (numbers < high)] = label
    return pc.coalesce(given, pa.array(labels, pa.string()))
