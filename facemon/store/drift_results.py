"""Drift results in the ledger: every check as it was, and what the gauges show of the last decided one."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from facemon.store.ledger import Ledger
from facemon.values.drift_result import (
    Check,
    CheckResult,
    ColumnResult,
    DriftResult,
    Verdict,
    from_document,
    to_document,
)
from facemon.values.times import micros


@dataclass(frozen=True, slots=True)
class DriftGauge:
    """What is known of one column of a check: its last decided score, and whether the newest check could decide."""

    check: str
    attribute: str
    measure: str
    score: float | None
    p_value: float | None
    detected: bool | None
    samples: int
    undecided: bool


def record_drift(ledger: Ledger, result: DriftResult, *, for_gauges: bool = True) -> None:
    """Enter a result, and unless it is one for a person alone, what the gauges show of it.

    An undecided column keeps the score of when it was last decided.
    """
    at = micros(result.at)
    with ledger.writing() as connection:
        document = json.dumps(to_document(result), ensure_ascii=False)
        connection.execute("INSERT INTO drift_results (at, document) VALUES (?, ?)", (at, document))
        for check, outcome in result.checks.items():
            if for_gauges and check is not Check.EVIDENTLY:
                _record_check(connection, check, outcome, at)


def _record_check(connection: sqlite3.Connection, check: Check, outcome: CheckResult, at: int) -> None:
    decided = at if outcome.verdict in (Verdict.DRIFT, Verdict.OK) else None
    connection.execute(
        "INSERT INTO drift_checks VALUES (?, ?, ?) ON CONFLICT (check_name) DO UPDATE "
        "SET threshold = excluded.threshold, decided = coalesce(excluded.decided, decided)",
        (check.value, outcome.threshold, decided),
    )
    compared = [column for column in outcome.columns if column.verdict is not Verdict.NOT_COMPARED]
    names = {(_attribute(column), column.measure) for column in compared}
    known = connection.execute("SELECT attribute, measure FROM drift_columns WHERE check_name = ?", (check.value,))
    for attribute, measure in set(known.fetchall()) - names:
        # A column that is compared no more would otherwise show its last score for ever.
        connection.execute(
            "DELETE FROM drift_columns WHERE check_name = ? AND attribute = ? AND measure = ?",
            (check.value, attribute, measure),
        )
    for column in compared:
        _record_column(connection, check, column)


def _record_column(connection: sqlite3.Connection, check: Check, column: ColumnResult) -> None:
    key = (check.value, _attribute(column), column.measure)
    if column.verdict is Verdict.UNDECIDED:
        connection.execute(
            "INSERT INTO drift_columns VALUES (?, ?, ?, NULL, NULL, NULL, ?, 1) "
            "ON CONFLICT (check_name, attribute, measure) DO UPDATE SET samples = excluded.samples, undecided = 1",
            (*key, column.n_current),
        )
        return
    detected = int(column.verdict is Verdict.DRIFT)
    connection.execute(
        "INSERT OR REPLACE INTO drift_columns VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
        (*key, column.score, column.p_adjusted, detected, column.n_current),
    )


def _attribute(column: ColumnResult) -> str:
    return column.attribute or column.column


def read_drift_gauges(connection: sqlite3.Connection) -> list[DriftGauge]:
    """What is known of every column."""
    return [
        DriftGauge(
            check,
            attribute,
            measure,
            score,
            p_value,
            None if detected is None else bool(detected),
            samples,
            bool(undecided),
        )
        for check, attribute, measure, score, p_value, detected, samples, undecided in connection.execute(
            "SELECT check_name, attribute, measure, score, p_value, detected, samples, undecided FROM drift_columns"
        )
    ]


def read_drift_checks(connection: sqlite3.Connection) -> list[tuple[str, float, int | None]]:
    """Each check that was run: its threshold, and when it last decided (microseconds since 1970)."""
    return connection.execute("SELECT check_name, threshold, decided FROM drift_checks").fetchall()


def drift_history(ledger: Ledger, limit: int = 20) -> Iterator[DriftResult]:
    """The newest results, newest first."""
    query = "SELECT document FROM drift_results ORDER BY id DESC LIMIT ?"
    for (document,) in ledger.connection.execute(query, (limit,)):
        yield from_document(json.loads(document))
