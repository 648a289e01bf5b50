"""A column of times that another program gives, as the log keeps it: microseconds in UTC; without a zone it is UTC."""

from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from facemon.domain.times import parse_time
from facemon.errors import FacemonError
from facemon.monitor.row_faults import RowError

_HINT = "give times, or text such as 2026-11-23T02:00:00Z; pandas.to_datetime(seconds, unit='s') makes times of seconds"


def times_of(column: pa.Array, name: str, wanted: pa.DataType) -> pa.Array:
    """Times, dates or text as times of the wanted type.

    RowError for text that is not a time, and FacemonError for a column of numbers: it does not say what they count.
    ArrowException for a time that 64 bits cannot hold.
    """
    type_ = column.type
    if pa.types.is_string(type_):
        return pa.array([_parsed(text, name, row) for row, text in enumerate(column.to_pylist())], wanted)
    if pa.types.is_timestamp(type_):
        # In UTC before it is rounded: in a zone an hour may come twice.
        is_naive = type_.tz is None
        column = pc.assume_timezone(column, "UTC") if is_naive else column.cast(pa.timestamp(type_.unit, "UTC"))
        if type_.unit == "ns":
            column = pc.floor_temporal(column, unit="microsecond")
    elif not (pa.types.is_date(type_) or pa.types.is_null(type_)):
        raise FacemonError(f"the column {name} holds {type_}, not times", _HINT)
    return column.cast(wanted)


def _parsed(text: Any, name: str, row: int) -> datetime | None:
    if not text:
        return None
    try:
        return parse_time(text)
    except ValueError:
        raise RowError(row, f"{name} is {text!r}, not a time such as 2026-11-23T02:00:00Z") from None
