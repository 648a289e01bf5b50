"""Tables of other libraries as Arrow tables: pandas frames, and all that speaks Arrow's C interface."""

import math
from collections.abc import Collection
from decimal import Decimal
from numbers import Number
from typing import Any

import pyarrow as pa

from facemon.errors import FacemonError
from facemon.tables.attribute_cells import text_of

_HINT = "give a data frame, an Arrow table, or whatever else has __arrow_c_stream__"
_NOT_READ = (pa.ArrowException, ValueError, TypeError, OverflowError, OSError)
"""What pyarrow, and the libraries that hand it their columns, raise."""


def arrow_table(rows: Any, known: Collection[str] | None = None) -> pa.Table | None:
    """An object that is a table as an Arrow table; none where it is something else.

    A pandas index with a name, and each level of a MultiIndex, becomes a column, where columns must be `known` only
    if it is; a RangeIndex or one without a name does not. FacemonError where a column cannot be read.
    """
    if isinstance(rows, pa.Table):
        return rows
    # pandas is not imported to ask whether this is one of its frames; Polars' series look alike.
    families = {(base.__module__.split(".")[0], base.__name__) for base in type(rows).__mro__}
    if families & {("pandas", "Series"), ("polars", "Series")}:
        if not rows.name:
            raise FacemonError("the series has no name", "name it, or give a data frame: its columns have names")
        return arrow_table(rows.to_frame(), known)
    if ("pandas", "DataFrame") in families:
        return _of_pandas(rows, known)
    if hasattr(rows, "__arrow_c_stream__") or hasattr(rows, "__arrow_c_array__"):
        return _of_stream(rows)
    return None


def _of_stream(rows: Any) -> pa.Table:
    try:
        return pa.table(rows)
    except _NOT_READ as error:
        raise FacemonError(f"the {type(rows).__name__} is not a table: {_first_line(error)}", _HINT) from error


def _of_pandas(frame: Any, known: Collection[str] | None) -> pa.Table:
    frame = _with_index(frame, known)
    names = [str(name) for name in frame.columns]
    columns = []
    for at, name in enumerate(names):
        try:
            columns.append(_of_series(frame.iloc[:, at], name))
        except _NOT_READ as error:
            hint = "make it a column of numbers, text, truth values or times, or leave it out"
            raise FacemonError(f"the column {name} cannot be read: {_first_line(error)}", hint) from error
    return pa.Table.from_arrays(columns, names=names)


def _with_index(frame: Any, known: Collection[str] | None) -> Any:
    """The frame with the index's columns in front of its own."""
    index = frame.index
    levels = [
        level
        for level, name in enumerate(index.names)
        if (name is not None or index.nlevels > 1) and (known is None or name in known)
    ]
    if not levels:
        return frame
    repeated = next((name for name in index.names if name is not None and name in frame.columns), None)
    if repeated is not None:
        raise FacemonError(f"the index and a column are both called {repeated!r}", "rename one of them")
    return frame.reset_index(level=levels)


def _of_series(series: Any, name: str) -> pa.Array | pa.ChunkedArray:
    """One column; what Arrow has no type for becomes what a CSV file would hold."""
    type_ = series.dtype
    # By their names: pandas stays out of processes that have no frame.
    match type(type_).__name__:
        case "SparseDtype":
            series = series.sparse.to_dense()
        case "PeriodDtype":
            series = series.dt.to_timestamp()
        case "IntervalDtype":
            series = series.astype(object).map(str, na_action="ignore")
        case "CategoricalDtype" if not _is_arrow(type_.categories):
            # Not astype(str): it would make labels of missing cells.
            series = series.cat.rename_categories([text_of(each) for each in type_.categories])
        case _ if type_ == object:  # noqa: E721 - pandas' types equal Python's
            return _of_objects(series, name)
    return pa.array(series, from_pandas=True)


def _is_arrow(categories: Any) -> bool:
    return categories.dtype.kind in "biufM" or categories.dtype == "str"


def _of_objects(series: Any, name: str) -> pa.Array:
    """Python objects: Arrow's type for them, else numbers if all are, else labels."""
    try:
        return pa.array(series, from_pandas=True)
    except _NOT_READ as error:
        cells = [None if _is_missing(cell) else cell for cell in series]
        kinds = {type(cell) for cell in cells if cell is not None}
        if all(issubclass(kind, Number | Decimal) and not issubclass(kind, complex) for kind in kinds):
            return pa.array([None if cell is None else float(cell) for cell in cells], pa.float64())
        strange = next((kind for kind in kinds if not issubclass(kind, str | Number | Decimal)), None)
        if strange is None:
            return pa.array([None if cell is None else text_of(cell) for cell in cells], pa.string())
        raise FacemonError(
            f"the column {name} holds cells of the type {strange.__name__}: {_first_line(error)}",
            "make them numbers, text, truth values or times, or leave the column out",
        ) from error


def _is_missing(cell: Any) -> bool:
    return (
        cell is None or type(cell).__name__ in ("NAType", "NaTType") or (isinstance(cell, float) and math.isnan(cell))
    )


def _first_line(error: Exception) -> str:
    # pyarrow puts what it says of a column into a tuple.
    said = str(error.args[0]) if error.args else type(error).__name__
    return (said.splitlines() or [""])[0]
