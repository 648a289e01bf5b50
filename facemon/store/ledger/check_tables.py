"""Drift results in the ledger: every check as it was, and what the gauges show."""

import json
from collections.abc import Iterator, Sequence

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
from facemon.store.drift_states import NO_MODEL, CheckState, DriftGauge, SourceState
from facemon.store.ledger.announcement_table import AnnouncementTable

TABLES = """
CREATE TABLE drift_results (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, document TEXT NOT NULL);
CREATE TABLE drift_columns (
    model TEXT, check_name TEXT, attribute TEXT, measure TEXT, score REAL, p_value REAL, detected INTEGER,
    samples INTEGER NOT NULL, undecided INTEGER NOT NULL,
    PRIMARY KEY (model, check_name, attribute, measure)) WITHOUT ROWID;
CREATE TABLE drift_checks (
    model TEXT, check_name TEXT, threshold REAL NOT NULL, at INTEGER NOT NULL, decided INTEGER,
    PRIMARY KEY (model, check_name)) WITHOUT ROWID;
CREATE TABLE drift_sources (
    model TEXT, check_name TEXT, source TEXT, detected INTEGER, rows INTEGER NOT NULL, undecided INTEGER NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (model, check_name, source)) WITHOUT ROWID;
"""
_DETECTED = {Verdict.DRIFT: 1, Verdict.OK: 0}


class CheckTables(AnnouncementTable):
    """`entries.CheckRecords` in SQLite."""

    def enter(self, result: DriftResult, *, for_gauges: bool) -> None:
        at = micros(result.at)
        document = json.dumps(to_document(result.in_short()), ensure_ascii=False)
        self._connection.execute("INSERT INTO drift_results (at, document) VALUES (?, ?)", (at, document))
        for check, outcome in result.checks.items():
            if for_gauges and check.is_own:
                self._record_check(result.model or NO_MODEL, check, outcome, at)
                self._record_sources(result.model or NO_MODEL, check, result.sources, at)

    def _record_check(self, model: str, check: Check, outcome: CheckResult, at: int) -> None:
        decided = at if outcome.verdict in (Verdict.DRIFT, Verdict.OK) else None
        self._connection.execute(
            "INSERT INTO drift_checks (model, check_name, threshold, at, decided) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (model, check_name) DO UPDATE SET threshold = excluded.threshold, at = excluded.at, "
            "decided = coalesce(excluded.decided, decided)",
            (model, check.value, outcome.threshold, at, decided),
        )
        compared = [column for column in outcome.columns if column.verdict is not Verdict.NOT_COMPARED]
        names = {(_attribute(column), column.measure) for column in compared}
        query = "SELECT attribute, measure FROM drift_columns WHERE model = ? AND check_name = ?"
        known = self._connection.execute(query, (model, check.value))
        for attribute, measure in set(known.fetchall()) - names:
            # A column that is compared no more would otherwise show its last score forever.
            self._connection.execute(
                "DELETE FROM drift_columns WHERE model = ? AND check_name = ? AND attribute = ? AND measure = ?",
                (model, check.value, attribute, measure),
            )
        for column in compared:
            self._record_column(model, check, column)

    def _record_sources(self, model: str, check: Check, sources: Sequence[SourceResult], at: int) -> None:
        self._connection.execute("DELETE FROM drift_sources WHERE model = ? AND check_name = ?", (model, check.value))
        for each in sources:
            if (outcome := each.checks.get(check)) is not None:
                detected = _DETECTED.get(outcome.verdict)
                row = (model, check.value, each.source or "", detected, each.current_rows, detected is None, at)
                # Of a table's rows "" may be a name beside none, which is the same here.
                self._connection.execute("INSERT OR REPLACE INTO drift_sources VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def _record_column(self, model: str, check: Check, column: ColumnResult) -> None:
        key = (model, check.value, _attribute(column), column.measure)
        if column.verdict is Verdict.UNDECIDED:
            self._connection.execute(
                "INSERT INTO drift_columns VALUES (?, ?, ?, ?, NULL, NULL, NULL, ?, 1) "
                "ON CONFLICT (model, check_name, attribute, measure) DO UPDATE "
                "SET samples = excluded.samples, undecided = 1",
                (*key, column.n_current),
            )
            return
        detected = int(column.verdict is Verdict.DRIFT)
        self._connection.execute(
            "INSERT OR REPLACE INTO drift_columns VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
            (*key, column.score, column.p_adjusted, detected, column.n_current),
        )

    def gauges(self) -> list[DriftGauge]:
        query = (
            "SELECT model, check_name, attribute, measure, score, p_value, detected, samples, undecided "
            "FROM drift_columns"
        )
        rows = self._connection.execute(query)
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

    def states(self) -> list[CheckState]:
        query = "SELECT model, check_name, threshold, at, decided FROM drift_checks"
        return [CheckState(*row) for row in self._connection.execute(query)]

    def source_states(self) -> list[SourceState]:
        query = "SELECT model, check_name, source, detected, rows, undecided, at FROM drift_sources"
        return [
            SourceState(
                model, check, source or None, None if detected is None else bool(detected), rows, bool(undecided), at
            )
            for model, check, source, detected, rows, undecided, at in self._connection.execute(query)
        ]

    def history(self, limit: int | None) -> Iterator[DriftResult]:
        query = "SELECT document FROM drift_results ORDER BY id DESC LIMIT ?"
        for (document,) in self._connection.execute(query, (-1 if limit is None else limit,)):
            yield from_document(json.loads(document))

    def between(self, since: int, until: int) -> Iterator[DriftResult]:
        query = "SELECT document FROM drift_results WHERE at >= ? AND at < ? ORDER BY at, id"
        for (document,) in self._connection.execute(query, (since, until)):
            yield from_document(json.loads(document))

    def newest(self) -> dict[str, int]:
        return dict(self._connection.execute("SELECT model, max(at) FROM drift_checks GROUP BY model"))


def _attribute(column: ColumnResult) -> str:
    return column.attribute or column.column
