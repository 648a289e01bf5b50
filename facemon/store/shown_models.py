"""Whose gauges are exported: the configured model's, and those of every other model that is still being looked after.

A gauge of a model that was replaced would otherwise fire for ever. What is left out stays in the ledger, and is there
again with the model's next check or evaluation.
"""

import sqlite3
from collections.abc import Iterable
from datetime import timedelta

CHECK_AGE = timedelta(days=14)
"""How much older than the newest check of record another model's may be: a weekly check may be missed once."""
EVALUATION_AGE = timedelta(days=45)
"""The same of evaluations: labels of two models often come in the same month, not on the same day."""


def checked_models(connection: sqlite3.Connection, own: str) -> frozenset[str]:
    """The models whose drift is exported; `own` is the configured one."""
    return _recent(connection.execute("SELECT model, max(at) FROM drift_checks GROUP BY model"), CHECK_AGE, own)


def evaluated_models(connection: sqlite3.Connection, own: str) -> frozenset[str]:
    """The models whose accuracy is exported; `own` is the configured one."""
    return _recent(connection.execute("SELECT model, max(at) FROM evaluations GROUP BY model"), EVALUATION_AGE, own)


def _recent(newest: Iterable[tuple[str, int]], age: timedelta, own: str) -> frozenset[str]:
    # Measured from the newest of all, not from now: where nothing runs any more, nothing vanishes.
    times = dict(newest)
    since = max(times.values(), default=0) - age // timedelta(microseconds=1)
    return frozenset({own, *(model for model, at in times.items() if at >= since)})
