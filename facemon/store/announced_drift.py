"""Which drift was already announced: a column counts as new until then, and again once it was ok."""

import json
from collections.abc import Iterable, Mapping

from facemon.domain.deciding_checks import deciding_checks
from facemon.domain.drift_result import Check, CheckResult, DriftResult, Verdict
from facemon.store.drift_states import DriftedColumn
from facemon.store.ledger.protocol import Ledger


def unannounced(ledger: Ledger, result: DriftResult) -> set[DriftedColumn]:
    """The drifted columns of a result that were not announced yet; those that are ok now are forgotten."""
    verdicts = _verdicts(result)
    settled = [column for column, verdict in verdicts.items() if verdict is Verdict.OK]
    with ledger.writing():
        ledger.checks.forget_announced(settled)
        known = ledger.checks.announced()
    return {column for column, verdict in verdicts.items() if verdict is Verdict.DRIFT} - known


def announce(ledger: Ledger, columns: Iterable[DriftedColumn]) -> None:
    """Record that the drift was announced."""
    with ledger.writing():
        ledger.checks.announce(columns)


def _verdicts(result: DriftResult) -> dict[DriftedColumn, Verdict]:
    groups: list[tuple[str, Mapping[Check, CheckResult]]] = [(json.dumps(result.source), result.checks)]
    groups += [(json.dumps(each.source or ""), each.checks) for each in result.sources]
    compared = (result.model or "", result.reference.name or "", result.current.name or "")
    return {
        DriftedColumn(*compared, source, check.value, column.column): column.verdict
        for source, checks in groups
        for check, outcome in deciding_checks(checks).items()
        for column in outcome.columns
    }
