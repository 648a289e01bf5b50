"""Drift results in the ledger: every check as it was, and what the gauges show of the last decided one."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from facemon.domain.drift_result import (
    Check,
    CheckResult,
    ColumnResult,
    DriftResult,
    SourceResult,
    Verdict,
    from_document,
    to_document,
)
from facemon.domain.times import micros
from facemon.store.arrivals import Arrivals, mark_checked
from facemon.store.ledger.sqlite_ledger import Ledger

_DETECTED = {Verdict.DRIFT: 1, Verdict.OK: 0}
NO_MODEL = ""
"""The model of a result that names none, as Prometheus takes an empty label: it is not there."""


@dataclass(frozen=True, slots=True)
class DriftGauge:
    """What is known of one column of a model's check: its last decided score, and whether the newest could decide."""

    model: str
    check: str
    attribute: str
    measure: str
    score: float | None
    p_value: float | None
    detected: bool | None
    samples: int
    undecided: bool


@dataclass(frozen=True, slots=True)
class CheckState:
    """What is known of one check of a model; times are microseconds since 1970."""

    model: str
    check: str
    threshold: float
    at: int
    """When it last ran."""
    decided: int | None
    """When it last decided, if it ever did."""


@dataclass(frozen=True, slots=True)
class SourceState:
    """What the newest check of record found in the rows of one source; `at` is microseconds since 1970."""

    model: str
    check: str
    source: str | None
    detected: bool | None
    """None where the check could not decide."""
    rows: int
    """On the current side."""
    undecided: bool
    at: int


def record_drift(
    ledger: Ledger, result: DriftResult, *, for_gauges: bool = True, arrivals: Arrivals | None = None
) -> None:
    """Enter a result and, with `for_gauges`, what the gauges of its model show of it.

    With `arrivals` the rows that they count are known to a check of record from now on.

    An undecided column keeps the score of when it was last decided; a source keeps nothing, and goes with the first
    check that does not judge it. The gauges of other models stay as they are.
    """
    at = micros(result.at)
    with ledger.writing() as connection:
        document = json.dumps(to_document(result.in_short()), ensure_ascii=False)
        connection.execute("INSERT INTO drift_results (at, document) VALUES (?, ?)", (at, document))
        for check, outcome in result.checks.items():
            if for_gauges and check is not Check.EVIDENTLY:
                _record_check(connection, result.model or NO_MODEL, check, outcome, at)
                _record_sources(connection, result.model or NO_MODEL, check, result.sources, at)
        if arrivals is not None:
            mark_checked(connection, arrivals)


def _record_check(connection: sqlite3.Connection, model: str, check: Check, outcome: CheckResult, at: int) -> None:
    decided = at if outcome.verdict in (Verdict.DRIFT, Verdict.OK) else None
    connection.execute(
        "INSERT INTO drift_checks (model, check_name, threshold, at, decided) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (model, check_name) DO UPDATE SET threshold = excluded.threshold, at = excluded.at, "
        "decided = coalesce(excluded.decided, decided)",
        (model, check.value, outcome.threshold, at, decided),
    )
    compared = [column for column in outcome.columns if column.verdict is not Verdict.NOT_COMPARED]
    names = {(_attribute(column), column.measure) for column in compared}
    query = "SELECT attribute, measure FROM drift_columns WHERE model = ? AND check_name = ?"
    known = connection.execute(query, (model, check.value))
    for attribute, measure in set(known.fetchall()) - names:
        # A column that is compared no more would otherwise show its last score for ever.
        connection.execute(
            "DELETE FROM drift_columns WHERE model = ? AND check_name = ? AND attribute = ? AND measure = ?",
            (model, check.value, attribute, measure),
        )
    for column in compared:
        _record_column(connection, model, check, column)


def _record_sources(
    connection: sqlite3.Connection, model: str, check: Check, sources: Sequence[SourceResult], at: int
) -> None:
    connection.execute("DELETE FROM drift_sources WHERE model = ? AND check_name = ?", (model, check.value))
    for each in sources:
        if (outcome := each.checks.get(check)) is not None:
            detected = _DETECTED.get(outcome.verdict)
            row = (model, check.value, each.source or "", detected, each.current_rows, detected is None, at)
            # Of a table's rows "" may be a name beside none, which is the same here.
            connection.execute("INSERT OR REPLACE INTO drift_sources VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def _record_column(connection: sqlite3.Connection, model: str, check: Check, column: ColumnResult) -> None:
    key = (model, check.value, _attribute(column), column.measure)
    if column.verdict is Verdict.UNDECIDED:
        connection.execute(
            "INSERT INTO drift_columns VALUES (?, ?, ?, ?, NULL, NULL, NULL, ?, 1) "
            "ON CONFLICT (model, check_name, attribute, measure) DO UPDATE "
            "SET samples = excluded.samples, undecided = 1",
            (*key, column.n_current),
        )
        return
    detected = int(column.verdict is Verdict.DRIFT)
    connection.execute(
        "INSERT OR REPLACE INTO drift_columns VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
        (*key, column.score, column.p_adjusted, detected, column.n_current),
    )


def _attribute(column: ColumnResult) -> str:
    return column.attribute or column.column


def read_drift_gauges(connection: sqlite3.Connection) -> list[DriftGauge]:
    """What is known of every column."""
    query = (
        "SELECT model, check_name, attribute, measure, score, p_value, detected, samples, undecided FROM drift_columns"
    )
    rows = connection.execute(query)
    return [
        DriftGauge(
            model,
            check,
            attribute,
            measure,
            score,
            p_value,
            None if detected is None else bool(detected),
            samples,
            bool(undecided),
        )
        for model, check, attribute, measure, score, p_value, detected, samples, undecided in rows
    ]


def read_drift_checks(connection: sqlite3.Connection) -> list[CheckState]:
    """Each check of each model that was run."""
    query = "SELECT model, check_name, threshold, at, decided FROM drift_checks"
    return [CheckState(*row) for row in connection.execute(query)]


def read_drift_sources(connection: sqlite3.Connection) -> list[SourceState]:
    """What the newest check of record of each model found in each source."""
    query = "SELECT model, check_name, source, detected, rows, undecided, at FROM drift_sources"
    return [
        SourceState(
            model, check, source or None, None if detected is None else bool(detected), rows, bool(undecided), at
        )
        for model, check, source, detected, rows, undecided, at in connection.execute(query)
    ]


def drift_history(ledger: Ledger, limit: int = 20) -> Iterator[DriftResult]:
    """The newest results, newest first."""
    query = "SELECT document FROM drift_results ORDER BY id DESC LIMIT ?"
    for (document,) in ledger.connection.execute(query, (limit,)):
        yield from_document(json.loads(document))
