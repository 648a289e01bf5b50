"""The types of columns: plain ones for cells that are stored in many ways, and one for columns of several tables."""

from collections.abc import Sequence
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from facemon.errors import FacemonError
from facemon.tables.decimal_numbers import doubles_of

_ALL_SAME = "write all parts with the same columns and types"


def plain_type(type_: pa.DataType) -> pa.DataType:
    """What the cells of a type are, however they are stored."""
    if pa.types.is_dictionary(type_) or pa.types.is_run_end_encoded(type_):
        return plain_type(type_.value_type)
    if isinstance(type_, pa.BaseExtensionType):
        return pa.string() if type_.extension_name == "arrow.uuid" else plain_type(type_.storage_type)
    if pa.types.is_large_string(type_) or pa.types.is_string_view(type_):
        return pa.string()
    if pa.types.is_large_binary(type_) or pa.types.is_binary_view(type_) or pa.types.is_fixed_size_binary(type_):
        return pa.binary()
    return type_


def _plain(cells: pa.Array) -> pa.Array:
    """An array with its cells in their plain type."""
    type_ = cells.type
    if pa.types.is_run_end_encoded(type_):
        return _plain(pc.run_end_decode(cells))
    if isinstance(type_, pa.BaseExtensionType):
        if type_.extension_name == "arrow.uuid":
            storage = cells.storage.to_pylist()
            return pa.array([None if each is None else str(UUID(bytes=each)) for each in storage], pa.string())
        return _plain(cells.storage)
    if pa.types.is_dictionary(type_):
        # Not a cast: Arrow has none for some kinds of text.
        return _plain(cells.dictionary).take(cells.indices)
    wanted = plain_type(type_)
    return cells if wanted == type_ else cells.cast(wanted)


def fitted(cells: pa.Array, wanted: pa.DataType) -> pa.Array:
    """An array in a type that `_common_type` found for it."""
    cells = _plain(cells)
    if cells.type == wanted:
        return cells
    if pa.types.is_decimal(cells.type) and pa.types.is_floating(wanted):
        cells = pa.array(doubles_of(cells), pa.float64(), from_pandas=True)
    return pc.cast(cells, wanted, safe=False)


def fitted_column(table: pa.Table, name: str, wanted: pa.DataType | None = None) -> pa.ChunkedArray:
    """A column of a table in the wanted type, or in its plain one; FacemonError where Arrow cannot make it that."""
    column = table.column(name)
    wanted = wanted or plain_type(column.type)
    if column.type == wanted:
        return column
    try:
        return pa.chunked_array([fitted(chunk, wanted) for chunk in column.chunks], wanted)
    except pa.ArrowException as error:
        raise FacemonError(
            f"the column {name} of {column.type} cannot become {wanted}: {str(error).splitlines()[0]}",
            "write it as numbers, text, truth values or times, or leave it out",
        ) from error


def _common_type(first: pa.DataType, second: pa.DataType) -> pa.DataType | None:
    """The type that holds the cells of both, none where there is no such type.

    Numbers of several kinds are float64, with truth values among them as 0 and 1. Where one side has single
    precision the whole has it, since 0.1 would else be two numbers.
    """
    first, second = plain_type(first), plain_type(second)
    if first == second or pa.types.is_null(second):
        return first
    if pa.types.is_null(first):
        return second
    if _is_number(first) and _is_number(second):
        return _common_number(first, second)
    if pa.types.is_temporal(first) and pa.types.is_temporal(second):
        return _common_time(first, second)
    try:
        both = [pa.schema([("", first)]), pa.schema([("", second)])]
        return pa.unify_schemas(both, promote_options="permissive").field(0).type
    except pa.ArrowException:
        return None


def common_schema(schemas: Sequence[tuple[str, pa.Schema]], *, same_columns: bool = True) -> pa.Schema:
    """The columns of several tables, each named for messages, in their common types.

    FacemonError names the column and two tables where the types have none in common or, with `same_columns`, where
    one table lacks a column of another.
    """
    types: dict[str, pa.DataType] = {}
    origins: dict[str, str] = {}
    for at, (name, schema) in enumerate(schemas):
        if same_columns and at and set(schema.names) != set(types):
            lacking = next((column for column in types if column not in schema.names), None)
            missing, there = (name, schemas[0][0]) if lacking is not None else (schemas[0][0], name)
            column = lacking or next(column for column in schema.names if column not in types)
            raise FacemonError(f"{missing}: there is no column {column}, which {there} has", _ALL_SAME)
        if len(set(schema.names)) < len(schema.names):
            repeated = next(column for column in schema.names if schema.names.count(column) > 1)
            raise FacemonError(f"{name}: several columns are called {repeated!r}", "rename all but one")
        for field in schema:
            known = types.setdefault(field.name, plain_type(field.type))
            origin = origins.setdefault(field.name, name)
            found = _common_type(known, field.type)
            if found is None:
                message = f"the column {field.name} holds {known} in {origin} and {plain_type(field.type)} in {name}"
                raise FacemonError(message, _ALL_SAME)
            if found != known:
                types[field.name], origins[field.name] = found, name
    return pa.schema(list(types.items()))


def joined(tables: Sequence[tuple[str, pa.Table]], *, same_columns: bool = True) -> pa.Table:
    """One table below the other, in the types of `common_schema`; a column that one lacks is missing there."""
    if len(tables) == 1:
        return tables[0][1]
    schema = common_schema([(name, table.schema) for name, table in tables], same_columns=same_columns)
    parts = []
    for _, table in tables:
        columns = [
            fitted_column(table, field.name, field.type)
            if field.name in table.column_names
            else pa.nulls(table.num_rows, field.type)
            for field in schema
        ]
        parts.append(pa.Table.from_arrays(columns, schema=schema))
    return pa.concat_tables(parts)


def _is_number(type_: pa.DataType) -> bool:
    kinds = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return any(is_kind(type_) for is_kind in kinds)


def _common_number(first: pa.DataType, second: pa.DataType) -> pa.DataType:
    floats = [each for each in (first, second) if pa.types.is_floating(each)]
    if floats:
        return min(floats, key=lambda each: each.bit_width)
    if any(pa.types.is_decimal(each) for each in (first, second)):
        return pa.float64()
    signs = {pa.types.is_signed_integer(each) for each in (first, second) if pa.types.is_integer(each)}
    is_huge = any(pa.types.is_uint64(each) for each in (first, second))
    return pa.float64() if is_huge and len(signs) > 1 else pa.uint64() if is_huge else pa.int64()


def _common_time(first: pa.DataType, second: pa.DataType) -> pa.DataType | None:
    for is_kind, wanted in (
        (lambda each: pa.types.is_date(each) or pa.types.is_timestamp(each), None),
        (pa.types.is_time, pa.time64("ns")),
        (pa.types.is_duration, pa.duration("us")),
    ):
        if is_kind(first) and is_kind(second):
            zones = {each.tz for each in (first, second) if pa.types.is_timestamp(each)} - {None}
            return wanted or pa.timestamp("us", "UTC" if zones else None)
    return None
