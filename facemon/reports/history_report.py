"""The checks that were recorded, as a table with a row for each."""

from collections.abc import Iterator, Mapping, Sequence

from facemon.domain.deciding_checks import deciding_columns
from facemon.domain.drift_result import Check, CheckResult, DriftResult, Verdict
from facemon.reports.column_figures import one_line
from facemon.reports.printed_parts import Table
from facemon.reports.text_report import source_name
from facemon.store.named_reference import RemovedReference

_TIME = "checked at (UTC)"
_MOST_SOURCES = 3
"""Sources of a drifted column that the history names; of more it tells the number."""


def history_table(results: Sequence[DriftResult], removed: Sequence[RemovedReference] = ()) -> Table:
    """Return when each check ran, its verdict, what it compared, and what drifted.

    References that were `removed` since are marked.
    """
    table = Table(
        (_TIME, "verdict", "reference", "rows", "drifted"),
        tuple(_row(result, removed) for result in results),
        importance=(_TIME, "verdict", "drifted"),
        wraps=("drifted",),
    )
    return table.without_commands()


def reference_name(result: DriftResult, removed: Sequence[RemovedReference]) -> str:
    """The reference of a check in one line, with the day of its removal where it was removed since."""
    name = result.reference.name or "-"
    gone = next((each for each in removed if each.had_name_at(name, result.at)), None)
    return one_line(name if gone is None else f"{name} (removed {gone.removed:%Y-%m-%d})")


def _row(result: DriftResult, removed: Sequence[RemovedReference]) -> tuple[str, ...]:
    name = reference_name(result, removed)
    at, drifted = f"{result.at:%Y-%m-%d %H:%M:%S}", ", ".join(_drifted(result))
    return (at, result.verdict.value, name, str(result.current.rows), drifted)


def _drifted(result: DriftResult) -> Iterator[str]:
    """The columns that drifted over all, then those that did so in some sources alone, with these."""
    over_all = dict.fromkeys(_drifted_columns(result.checks))
    yield from map(one_line, over_all)
    sources: dict[str, list[str]] = {}
    for each in result.sources:
        for column in dict.fromkeys(_drifted_columns(each.checks)):
            if column not in over_all:
                sources.setdefault(column, []).append(source_name(each))
    for column, names in sources.items():
        where = ", ".join(names) if len(names) <= _MOST_SOURCES else f"{len(names)} sources"
        yield f"{one_line(column)} ({where})"


def _drifted_columns(checks: Mapping[Check, CheckResult]) -> list[str]:
    return [column.column for column in deciding_columns(checks) if column.verdict is Verdict.DRIFT]
