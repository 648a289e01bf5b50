"""Predictions that another program made, as rows of the log: checked column by column, and completed."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from facemon.config.model import AttributeConfig
from facemon.domain.attribute import Measure
from facemon.domain.image_input import source_fault
from facemon.domain.prediction import IMAGE_FEATURES, ErrorCode, log_schema
from facemon.errors import FacemonError
from facemon.monitor.data_frames import arrow_table
from facemon.monitor.image_beginnings import IDENTITY, images_and_faces, last_beginning
from facemon.monitor.logged_times import times_of
from facemon.monitor.row_faults import RowsPlace, refuse_rows
from facemon.near_names import did_you_mean
from facemon.tables.attribute_cells import text_of
from facemon.tables.column_types import fitted_column, joined

ROWS_AT_ONCE = 65_536
_YEARS = (datetime.min, datetime.max)  # noqa: DTZ901 - made aware below
_TAKEN = "give a table (pandas, Polars, DuckDB, Arrow), an iterable of tables, or an iterable of mappings"
_OWN = ("run", "ordinal", "predicted_at", "model", "origin")
"""Columns of the log that facemon fills by itself."""


def given_tables(rows: Any, known: Collection[str] | None = None) -> Iterator[tuple[RowsPlace, pa.Table]]:
    """A table, an iterable of tables, or an iterable of mappings, as Arrow tables, each with its place in the call.

    The rows of an iterable of mappings come in pieces that never part the rows of one image. Where only `known`
    columns may be, a pandas index of another name is none. FacemonError names the table or the row.
    """
    if (table := arrow_table(rows, known)) is not None:
        yield RowsPlace(), table
        return
    held: list[Mapping[str, Any]] = []
    tables, place, most = 0, RowsPlace(), ROWS_AT_ONCE
    for item in _iterated(rows):
        if isinstance(item, Mapping):
            held.append(item)
            if len(held) > most:
                table = _from_mappings(held, place)
                if end := _whole_images(table):
                    yield place, table.slice(0, end)
                    place = RowsPlace(place.first + end)
                    del held[:end]
                most = max(ROWS_AT_ONCE, 2 * len(held))
            continue
        with RowsPlace(table=tables).named():
            table = arrow_table(item, known)
        if table is None:
            number = place.first + len(held)
            where = f"table {tables}" if tables and not number else f"row {number}"
            raise FacemonError(f"{where} is a {type(item).__name__}, neither a mapping nor a table", _TAKEN)
        if held:
            yield place, _from_mappings(held, place)
            place, held = RowsPlace(place.first + len(held)), []
        yield RowsPlace(table=tables), table
        tables += 1
    if held:
        yield place, _from_mappings(held, place)


def one_table(rows: Any) -> pa.Table:
    """All of the rows at once, in the union of their columns; FacemonError where there are none."""
    parts = [(f"table {number}", table) for number, (_, table) in enumerate(given_tables(rows))]
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

    Where there is no column `face`, rows of the same image that follow each other are its faces: an image is the same
    while each column of `IDENTITY` is. RowError names the first row, counted from 0, whose cell cannot be, and
    FacemonError a column.
    """
    schema = log_schema(attributes)
    _check_columns(table, schema.names)
    columns = {name: _cast(table, name, schema.field(name).type) for name in table.column_names}
    _check_cells(columns, attributes)
    for name, default in (("source", source), ("observed_at", observed_at)):
        missing = pa.scalar(default, schema.field(name).type)
        columns[name] = pc.fill_null(columns[name], missing) if name in columns else pa.repeat(missing, table.num_rows)
    errors = columns.get("error", pa.nulls(table.num_rows, pa.string()))
    ordinals, faces = images_and_faces(columns, errors)
    columns |= {"ordinal": pa.array(ordinals + first_ordinal), "face": faces}
    for attribute in attributes:
        if attribute.reach:
            columns[attribute.name] = _banded(attribute, columns, table.num_rows)
    columns |= {name: pa.repeat(pa.scalar(value), table.num_rows) for name, value in constants.items()}
    arrays = [columns.get(field.name, pa.nulls(table.num_rows)).cast(field.type) for field in schema]
    end = first_ordinal + (int(ordinals[-1]) + 1 if len(ordinals) else 0)
    return pa.RecordBatch.from_arrays(arrays, schema=schema), end


def _whole_images(table: pa.Table) -> int:
    """How many rows come before the last image, whose faces may go on; all where the log cannot take these rows."""
    if "image" not in table.column_names:
        return 0
    schema = log_schema([])
    try:
        return last_beginning(
            {name: _cast(table, name, schema.field(name).type) for name in IDENTITY if name in table.column_names}
        )
    except FacemonError:
        return table.num_rows


def _iterated(rows: Any) -> Iterator[Any]:
    if isinstance(rows, Mapping):
        raise FacemonError("the rows are one mapping", _TAKEN)
    if not isinstance(rows, Iterable):
        hint = "call collect() on it first" if hasattr(rows, "collect") else _TAKEN
        raise FacemonError(f"the rows are a {type(rows).__name__}, neither a table nor an iterable of rows", hint)
    return iter(rows)


def _from_mappings(rows: Sequence[Mapping[str, Any]], place: RowsPlace) -> pa.Table:
    with place.named():
        return _columns_of(rows)


def _columns_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
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
        cells = times_of(column, name, wanted) if pa.types.is_timestamp(wanted) else column.cast(wanted)
    except pa.ArrowException as error:
        raise FacemonError(f"the column {name} cannot become {wanted}: {str(error).splitlines()[0]}") from error
    if name == "source":  # an empty cell, as in a manifest
        return pc.if_else(pc.equal(cells, ""), pa.scalar(None, wanted), cells)
    return cells


def _check_cells(columns: Mapping[str, pa.Array], attributes: Sequence[AttributeConfig]) -> None:
    _check_image(columns)
    if "observed_at" in columns:
        first, last = (pa.scalar(time.replace(tzinfo=UTC), columns["observed_at"].type) for time in _YEARS)
        beyond = pc.or_(pc.less(columns["observed_at"], first), pc.greater(columns["observed_at"], last))
        refuse_rows(beyond, "observed_at", "lies outside the years 1 to 9999 in UTC")
    if "error" in columns:
        codes = pa.array([code.value for code in ErrorCode])
        refuse_rows(_outside(columns["error"], codes), "error", f"must be one of {', '.join(codes.to_pylist())}")
    for attribute in attributes:
        if attribute.name in columns and attribute.classes:
            why = f"must be one of {', '.join(attribute.classes)}"
            refuse_rows(_outside(columns[attribute.name], pa.array(attribute.classes)), attribute.name, why)
        name = Measure.CONFIDENCE.column(attribute.name)
        if name in columns:
            inside = pc.and_(pc.greater_equal(columns[name], 0), pc.less_equal(columns[name], 1))
            outside = pc.and_(pc.is_valid(columns[name]), pc.invert(inside))
            refuse_rows(outside, name, "is not a probability from 0 to 1")
        name = Measure.VALUE.column(attribute.name)
        if name in columns:
            refuse_rows(pc.invert(pc.is_finite(columns[name])), name, "is not finite")
        for name in attribute.columns:
            if name in columns and "error" in columns:
                both = pc.and_(pc.is_valid(columns[name]), pc.is_valid(columns["error"]))
                refuse_rows(both, name, "is given in a row with an error")
    for name in (*(f"image_{feature}" for feature in IMAGE_FEATURES), "face_confidence"):
        if name in columns:
            refuse_rows(pc.invert(pc.is_finite(columns[name])), name, "is not finite")


def _check_image(columns: Mapping[str, pa.Array]) -> None:
    refuse_rows(pc.is_null(columns["image"]), "image", "is missing")
    refuse_rows(pc.equal(columns["image"], ""), "image", "is empty")
    if "source" in columns:
        _check_sources(columns["source"])
    if "box" in columns:
        refuse_rows(_is_no_box(columns["box"]), "box", "is not four numbers: left, top, right, bottom")


def _check_sources(sources: pa.Array) -> None:
    for source in pc.unique(sources).to_pylist():
        fault = None if source is None else source_fault(source) if source.strip() else "is empty"
        if fault is not None:
            refuse_rows(pc.equal(sources, source), "source", fault)


def _is_no_box(boxes: pa.Array) -> pa.Array:
    is_wrong = pc.fill_null(pc.not_equal(pc.list_value_length(boxes), 4), False).to_numpy(zero_copy_only=False).copy()
    missing = pc.is_null(pc.list_flatten(boxes)).to_numpy(zero_copy_only=False)
    is_wrong[pc.list_parent_indices(boxes).to_numpy()[missing]] = True
    return pa.array(is_wrong)


def _outside(column: pa.Array, allowed: pa.Array) -> pa.Array:
    return pc.and_(pc.is_valid(column), pc.invert(pc.is_in(column, allowed)))


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
