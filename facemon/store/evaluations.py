"""Evaluations against true labels, as the ledger keeps them."""

import sqlite3


def read_accuracy(connection: sqlite3.Connection, model: str) -> dict[str, float]:
    """The share of right predictions of a model's newest evaluation, for each attribute that has one."""
    query = (
        "SELECT attribute, correct, labelled, max(at) FROM evaluations "
        "WHERE model = ? AND labelled > 0 GROUP BY attribute"
    )
    return {attribute: correct / labelled for attribute, correct, labelled, _ in connection.execute(query, (model,))}
