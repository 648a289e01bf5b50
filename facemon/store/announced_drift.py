"""Which drift somebody was already told of: a column counts as new until then, and again once it was ok."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from facemon.store.ledger import Ledger
from facemon.values.drift_result import Check, CheckResult, DriftResult, Verdict


class DriftedColumn(NamedTuple):
    """A column of a check on the rows of a model, and of one source where only those were judged."""

    model: str
    source: str
    check: str
    column: str


def unannounced(ledger: Ledger, result: DriftResult) -> set[DriftedColumn]:
    """The drifted columns of a result that nobody was told of; those that are ok now are forgotten."""
    verdicts = _verdicts(result)
    settled = [column for column, verdict in verdicts.items() if verdict is Verdict.OK]
    with ledger.writing() as connection:
        connection.executemany(
            "DELETE FROM announced_drift WHERE model = ? AND source = ? AND check_name = ? AND column_name = ?", settled
        )
        known = {DriftedColumn(*row) for row in connection.execute("SELECT * FROM announced_drift")}
    return {column for column, verdict in verdicts.items() if verdict is Verdict.DRIFT} - known


def announce(ledger: Ledger, columns: Iterable[DriftedColumn]) -> None:
    """Remember that somebody was told."""
    with ledger.writing() as connection:
        connection.executemany("INSERT OR IGNORE INTO announced_drift VALUES (?, ?, ?, ?)", columns)


def _verdicts(result: DriftResult) -> dict[DriftedColumn, Verdict]:
    groups: list[tuple[str, Mapping[Check, CheckResult]]] = [(result.source or "", result.checks)]
    groups += [(f"by source: {each.source or ''}", each.checks) for each in result.sources]
    # Evidently's verdict decides only where it is alone.
    return {
        DriftedColumn(result.model or "", source, check.value, column.column): column.verdict
        for source, checks in groups
        for check, outcome in checks.items()
        if check is not Check.EVIDENTLY or len(checks) == 1
        for column in outcome.columns
    }
