"""Whose gauges are exported: the configured model's, and those of every other model that is still being looked after.

A gauge of a model that was replaced would otherwise fire for ever. What is left out stays in the ledger, and is there
again with the model's next check, evaluation or prediction. Ages are measured from the newest check or evaluation, not
from now: where nothing runs any more, nothing vanishes.
"""

import sqlite3
from collections.abc import Iterable
from datetime import timedelta

CHECK_AGE = timedelta(days=14)
"""How much older than the newest check of record another model's may be: a weekly check may be missed once."""
EVALUATION_AGE = timedelta(days=45)
"""The same of evaluations: labels of two models often come in the same month, not on the same day."""
IDLE_AGE = timedelta(days=2)
"""How long before the newest check of record another model's last run may have ended: its checks are due that long."""
_MICROSECOND = timedelta(microseconds=1)


def checked_models(connection: sqlite3.Connection, own: str) -> frozenset[str]:
    """The models whose drift is exported; `own` is the configured one."""
    return _recent(connection.execute("SELECT model, max(at) FROM drift_checks GROUP BY model"), CHECK_AGE, own)


def evaluated_models(connection: sqlite3.Connection, own: str) -> frozenset[str]:
    """The models whose accuracy is exported; `own` is the configured one."""
    return _recent(connection.execute("SELECT model, max(at) FROM evaluations GROUP BY model"), EVALUATION_AGE, own)


def idle_models(connection: sqlite3.Connection, own: str) -> frozenset[str]:
    """The models that predict no more, so that no check of them is due; never `own`, the configured one."""
    query = (
        "SELECT model FROM runs GROUP BY model HAVING count(*) = count(finished) "
        "AND max(finished) < (SELECT max(at) FROM drift_checks) - ?"
    )
    found = connection.execute(query, (IDLE_AGE // _MICROSECOND,))
    return frozenset(model for (model,) in found) - {own}


def _recent(newest: Iterable[tuple[str, int]], age: timedelta, own: str) -> frozenset[str]:
    times = dict(newest)
    since = max(times.values(), default=0) - age // _MICROSECOND
    return frozenset({own, *(model for model, at in times.items() if at >= since)})
