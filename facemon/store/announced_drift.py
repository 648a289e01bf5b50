"""Which drift somebody was already told of: a column counts as new until then, and again once it was ok."""

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from facemon.domain.drift_result import Check, CheckResult, DriftResult, Verdict
from facemon.store.ledger.sqlite_ledger import Ledger

_COLUMNS = ("model", "reference", "current", "source", "check_name", "column_name")


class DriftedColumn(NamedTuple):
    """A column of a check that drifted, and on what."""

    model: str
    reference: str
    current: str
    """The table that was compared; empty for the log."""
    source: str
    """As JSON: null for the whole, else the one source whose rows were judged."""
    check: str
    column: str


def unannounced(ledger: Ledger, result: DriftResult) -> set[DriftedColumn]:
    """The drifted columns of a result that nobody was told of; those that are ok now are forgotten."""
    verdicts = _verdicts(result)
    settled = [column for column, verdict in verdicts.items() if verdict is Verdict.OK]
    where = " AND ".join(f"{name} = ?" for name in _COLUMNS)
    with ledger.writing() as connection:
        connection.executemany(f"DELETE FROM announced_drift WHERE {where}", settled)  # noqa: S608
        known = {DriftedColumn(*row) for row in connection.execute("SELECT * FROM announced_drift")}
    return {column for column, verdict in verdicts.items() if verdict is Verdict.DRIFT} - known


def announce(ledger: Ledger, columns: Iterable[DriftedColumn]) -> None:
    """Remember that somebody was told."""
    with ledger.writing() as connection:
        connection.executemany("INSERT OR IGNORE INTO announced_drift VALUES (?, ?, ?, ?, ?, ?)", columns)


def _verdicts(result: DriftResult) -> dict[DriftedColumn, Verdict]:
    groups: list[tuple[str, Mapping[Check, CheckResult]]] = [(json.dumps(result.source), result.checks)]
    groups += [(json.dumps(each.source or ""), each.checks) for each in result.sources]
    compared = (result.model or "", result.reference.name or "", result.current.name or "")
    # Evidently's verdict decides only where it is alone.
    return {
        DriftedColumn(*compared, source, check.value, column.column): column.verdict
        for source, checks in groups
        for check, outcome in checks.items()
        if check is not Check.EVIDENTLY or len(checks) == 1
        for column in outcome.columns
    }
