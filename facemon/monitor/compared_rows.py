"""Rows in memory that become a reference, or are compared with one, as the commands do it with a table's."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from facemon.application.drift_question import CheckChoice
from facemon.domain.drift_result import Check
from facemon.errors import FacemonError

if TYPE_CHECKING:
    from facemon.tables.table_file import TableFile

Choice = TypeVar("Choice", bound=str)

KINDS = ("predictions", "labels")
"""What a reference holds."""
OWN_CHECKS = (CheckChoice.ALL, CheckChoice.DATA, CheckChoice.MODEL)
"""Those whose columns can be explained."""
_ROWS = "rows"
"""What messages call a table that has no name."""


def rows_in_memory(rows: Any) -> "TableFile":
    """The rows as an opened table; FacemonError where they are not a table, or have no rows."""
    from facemon.monitor.foreign_rows import one_table
    from facemon.tables.table_file import table_of

    return table_of(one_table(rows), _ROWS)


def table_or_rows(given: Any) -> "Path | TableFile":
    """The path of a table, or else rows in memory as of `rows_in_memory`."""
    return Path(given) if isinstance(given, str | os.PathLike) else rows_in_memory(given)


def one_of(what: str, given: str, allowed: Iterable[Choice]) -> Choice:
    """The allowed value that equals `given`; FacemonError with all of them for any other."""
    known = list(allowed)
    if given not in known:
        raise FacemonError(f"{what} {given!r} is not one of {', '.join(known)}")
    return known[known.index(given)]


def choice_of(names: Iterable[str]) -> CheckChoice:
    """Which of our own checks are named; FacemonError for others, and for none."""
    given = [names] if isinstance(names, str) else list(names)
    known = [Check.DATA, Check.MODEL]
    for name in given:
        if name not in known:
            hint = "facemon drift-check --check evidently writes its report" if name == Check.EVIDENTLY else None
            raise FacemonError(f"there is no check {name!r} of rows, only data and model", hint)
    if not given:
        raise FacemonError("no check is asked for", "name data, model or both")
    return CheckChoice.ALL if len(set(given)) == 2 else CheckChoice(given[0])
