"""Part of the step to version 4: drift gauges that an older ledger kept once get the model that they were decided for.

Nothing here is shared with the code of today: a step stays what it was when it was released.
"""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path


def keep_drift_by_model(connection: sqlite3.Connection, folder: Path) -> None:
    """Give each check's gauges to the model of its last decided result, or of its newest where none decided.

    A version before this one overwrote the gauges of one model with those of another, so more cannot be known.
    """
    del folder
    models = [row[0] for row in connection.execute("SELECT DISTINCT model FROM segments UNION SELECT model FROM runs")]
    connection.execute("ALTER TABLE drift_columns RENAME TO drift_columns_of_all")
    connection.execute("ALTER TABLE drift_checks RENAME TO drift_checks_of_all")
    connection.execute(
        "CREATE TABLE drift_columns (model TEXT, check_name TEXT, attribute TEXT, measure TEXT, score REAL, "
        "p_value REAL, detected INTEGER, samples INTEGER NOT NULL, undecided INTEGER NOT NULL, "
        "PRIMARY KEY (model, check_name, attribute, measure)) WITHOUT ROWID"
    )
    connection.execute(
        "CREATE TABLE drift_checks (model TEXT, check_name TEXT, threshold REAL NOT NULL, at INTEGER NOT NULL, "
        "decided INTEGER, PRIMARY KEY (model, check_name)) WITHOUT ROWID"
    )
    fallback = models[0] if len(models) == 1 else ""
    for check, threshold, decided in connection.execute("SELECT * FROM drift_checks_of_all").fetchall():
        model, at = _last_of(connection, check, decided, fallback)
        connection.execute("INSERT INTO drift_checks VALUES (?, ?, ?, ?, ?)", (model, check, threshold, at, decided))
        connection.execute(
            "INSERT INTO drift_columns SELECT ?, check_name, attribute, measure, score, p_value, detected, samples, "
            "undecided FROM drift_columns_of_all WHERE check_name = ?",
            (model, check),
        )
    connection.execute("DROP TABLE drift_columns_of_all")
    connection.execute("DROP TABLE drift_checks_of_all")


def _last_of(connection: sqlite3.Connection, check: str, decided: int | None, fallback: str) -> tuple[str, int]:
    """The model whose check it was, and when that ran last; the time that it decided where no result is left."""
    newest: dict[str, int] = {}
    for at, model in _results_of(connection, check, fallback):
        newest.setdefault(model, at)
        if decided is None or at == decided:
            return model, newest[model]
    return (next(iter(newest)), max(newest.values())) if newest else (fallback, decided or 0)


def _results_of(connection: sqlite3.Connection, check: str, fallback: str) -> Iterator[tuple[int, str]]:
    """When all results of a check were found, newest first, and whose; those of one source never were gauges."""
    for at, text in connection.execute("SELECT at, document FROM drift_results ORDER BY id DESC"):
        document = json.loads(text)
        if check in document["checks"] and document.get("source") is None:
            yield at, document.get("model") or fallback
