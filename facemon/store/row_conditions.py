"""Which rows of the log are wanted: conditions that Arrow evaluates on whole columns."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from facemon.domain.prediction import ErrorCode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facemon.domain.array_types import Floats

COMPARISONS: dict[str, Callable[[pa.ChunkedArray, float], pa.ChunkedArray]] = {
    "=": pc.equal,
    "!=": pc.not_equal,
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
}


@dataclass(frozen=True, slots=True)
class RowCondition:
    """What must be true of a row. A cell without a value fulfils no condition, and neither does a missing column."""

    columns: tuple[str, ...]
    """The columns that it needs; it is fulfilled by no row of a table without any of them."""
    holds: Callable[[pa.Table], pa.ChunkedArray]


def is_one_of(column: str, texts: Collection[str]) -> RowCondition:
    """The cell equals one of some texts."""
    wanted = pa.array(sorted(texts), pa.string())
    return RowCondition((column,), lambda table: pc.is_in(table[column], wanted))


def is_none_of(column: str, texts: Collection[str]) -> RowCondition:
    """The cell has a value that equals none of some texts."""
    wanted = pa.array(sorted(texts), pa.string())
    return RowCondition(
        (column,), lambda table: pc.and_(pc.is_valid(table[column]), pc.invert(pc.is_in(table[column], wanted)))
    )


def compares(column: str, sign: str, number: float) -> RowCondition:
    """The number in the cell compares so with `number`; `sign` is a key of `COMPARISONS`."""
    return RowCondition((column,), lambda table: COMPARISONS[sign](table[column], _like(number, table[column])))


def is_equal_to_any(column: str, numbers: Sequence[float]) -> RowCondition:
    """The number in the cell equals one of some numbers."""
    each = [compares(column, "=", number) for number in numbers]
    return RowCondition((column,), lambda table: reduce(pc.or_, (condition.holds(table) for condition in each)))


def is_named(pattern: str) -> RowCondition:
    """The name of the image matches a shell pattern (`*`, `?`, `[...]`).

    A pattern without a slash is held against the part of the name after its last slash, as in `.gitignore`.
    ValueError for a range of characters that ends before it begins.
    """
    expression = _regular_expression(pattern)
    try:
        pc.match_substring_regex(pa.array([""]), expression)
    except pa.ArrowInvalid as error:
        raise ValueError(str(error)) from error
    return RowCondition(("image",), lambda table: pc.match_substring_regex(table["image"], expression))


def is_any_below(columns: Sequence[str], limit: float) -> RowCondition:
    """The number in one of some columns at least is below `limit`."""

    def holds(table: pa.Table) -> pa.ChunkedArray:
        cells = [table[name] for name in columns if name in table.column_names]
        found = [pc.fill_null(pc.less(each, _like(limit, each)), False) for each in cells]
        together = found[0]
        for each in found[1:]:
            together = pc.or_(together, each)
        return together

    return RowCondition(tuple(columns), holds)


def has_failed() -> RowCondition:
    """The image could not be predicted; one in which no face was found could."""
    return is_none_of("error", [ErrorCode.NO_FACE])


def fulfilling(table: pa.Table, conditions: Iterable[RowCondition]) -> "NDArray[np.bool_]":
    """Where rows of a table fulfil all conditions."""
    found = np.ones(table.num_rows, np.bool_)
    for condition in conditions:
        if not set(condition.columns) & set(table.column_names):
            return np.zeros(table.num_rows, np.bool_)
        found &= pc.fill_null(condition.holds(table), False).to_numpy()
    return found


def numbers_of(table: pa.Table, column: str) -> "Floats":
    """The numbers of a column, NaN where there is none; of a missing column no number."""
    if column not in table.column_names:
        return np.full(table.num_rows, np.nan)
    return table[column].cast(pa.float64()).to_numpy()


def _like(number: float, column: pa.ChunkedArray) -> pa.Scalar:
    """The number as the column would hold it: 0.6 is not below 0.6, though as float32 it is another number."""
    return pa.scalar(number, column.type if pa.types.is_floating(column.type) else pa.float64())


def _regular_expression(pattern: str) -> str:
    """The pattern in the syntax of RE2, which is Arrow's."""
    # Without a slash in the pattern no part of it matches one.
    other = "/" if "/" not in pattern else ""
    wild = {"*": "[^/]*", "?": "[^/]"} if other else {"*": ".*", "?": "."}
    parts, rest = list[str](), pattern
    while rest:
        if rest[0] == "[" and (found := re.match(r"\[([!^]?+)(\][^\]]*|[^\]]+)\]", rest)):
            inside = re.sub(r"([\\\[\]^])", r"\\\1", found[2])
            parts.append(f"[{f'^{other}' if found[1] else ''}{inside}]")
            rest = rest[found.end() :]
            continue
        parts.append(wild.get(rest[0]) or re.escape(rest[0]))
        rest = rest[1:]
    begin = "(^|/)" if other else "^"
    return f"(?s){begin}{''.join(parts)}$"
