"""Evaluations against true labels, as the ledger keeps them: by hour and source, so that a window has an accuracy."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from facemon.store.ledger import Ledger
from facemon.values.labelled_hour import LabelledHour
from facemon.values.times import micros

_NO_SOURCE = ""


def read_accuracy(connection: sqlite3.Connection, model: str) -> dict[str, float]:
    """The share of right predictions of a model's newest evaluation, for each attribute that has one."""
    query = (
        "SELECT attribute, sum(correct), sum(labelled) FROM evaluations AS each WHERE model = ? AND at = "
        "(SELECT max(at) FROM evaluations WHERE model = each.model AND attribute = each.attribute) GROUP BY attribute"
    )
    return {attribute: correct / labelled for attribute, correct, labelled in connection.execute(query, (model,))}


def record_accuracy(ledger: Ledger, model: str, at: datetime, hours: Iterable[LabelledHour]) -> None:
    """Enter an evaluation."""
    rows = [
        (micros(at), model, each.attribute, each.hour, each.source or _NO_SOURCE, each.correct, each.labelled)
        for each in hours
        if each.labelled
    ]
    with ledger.writing() as connection:
        connection.executemany("INSERT OR REPLACE INTO evaluations VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def labelled_hours(connection: sqlite3.Connection, model: str, first_hour: int, end_hour: int) -> list[LabelledHour]:
    """What is known of a model's hours `[first_hour, end_hour)`.

    Evaluations may overlap, and an image must not count twice: of an hour's evaluations the one with the most
    labels is taken, of equals the newest.
    """
    query = (
        "WITH whole AS (SELECT at, attribute, hour, sum(labelled) AS labels FROM evaluations "
        "  WHERE model = ? AND hour >= ? AND hour < ? GROUP BY at, attribute, hour), "
        "ranked AS (SELECT at, attribute, hour, row_number() OVER "
        "  (PARTITION BY attribute, hour ORDER BY labels DESC, at DESC) AS place FROM whole) "
        "SELECT attribute, hour, source, correct, labelled FROM evaluations JOIN ranked USING (at, attribute, hour) "
        "WHERE model = ? AND place = 1 ORDER BY attribute, hour, source"
    )
    return [
        LabelledHour(attribute, hour, source or None, correct, labelled)
        for attribute, hour, source, correct, labelled in connection.execute(
            query, (model, first_hour, end_hour, model)
        )
    ]


def models_in_log(connection: sqlite3.Connection) -> list[str]:
    """The models that the log has rows of, sorted."""
    return [model for (model,) in connection.execute("SELECT DISTINCT model FROM segments ORDER BY model")]
