"""Evaluations against true labels, as the ledger keeps them."""

import sqlite3
from collections.abc import Mapping
from datetime import datetime

from facemon.store.ledger import Ledger
from facemon.values.times import micros


def read_accuracy(connection: sqlite3.Connection, model: str) -> dict[str, float]:
    """The share of right predictions of a model's newest evaluation, for each attribute that has one."""
    query = (
        "SELECT attribute, correct, labelled, max(at) FROM evaluations "
        "WHERE model = ? AND labelled > 0 GROUP BY attribute"
    )
    return {attribute: correct / labelled for attribute, correct, labelled, _ in connection.execute(query, (model,))}


def record_accuracy(ledger: Ledger, model: str, at: datetime, counts: Mapping[str, tuple[int, int]]) -> None:
    """Enter an evaluation: for each attribute how many predictions were right, of how many with a true label."""
    rows = [(micros(at), model, attribute, *pair) for attribute, pair in counts.items()]
    with ledger.writing() as connection:
        connection.executemany("INSERT OR REPLACE INTO evaluations VALUES (?, ?, ?, ?, ?)", rows)


def models_in_log(connection: sqlite3.Connection) -> list[str]:
    """The models that the log has rows of, sorted."""
    return [model for (model,) in connection.execute("SELECT DISTINCT model FROM segments ORDER BY model")]
