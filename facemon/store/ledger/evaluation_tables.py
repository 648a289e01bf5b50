"""Evaluations in the ledger: their sums, and each labelled image."""

import sqlite3
from collections.abc import Iterable, Mapping

from facemon.domain.labelled import LabelledCount, LabelledImage
from facemon.store.accuracy import Accuracy

TABLES = """
CREATE TABLE evaluations (
    at INTEGER, model TEXT, attribute TEXT, correct INTEGER NOT NULL, labelled INTEGER NOT NULL,
    PRIMARY KEY (at, model, attribute)) WITHOUT ROWID;
CREATE TABLE labelled_images (
    model TEXT, attribute TEXT, image TEXT, hour INTEGER, source TEXT NOT NULL, is_right INTEGER NOT NULL,
    PRIMARY KEY (model, attribute, image, hour)) WITHOUT ROWID;
"""
_NO_SOURCE = ""


class EvaluationTables:
    """`entries.EvaluationRecords` in SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def accuracy(self, model: str, min_labels: int, within: int | None = None) -> list[Accuracy]:
        query = (
            "SELECT attribute, correct, labelled FROM (SELECT attribute, correct, labelled, row_number() OVER "
            "(PARTITION BY attribute ORDER BY labelled >= ? DESC, at DESC) AS place FROM evaluations "
            "WHERE model = ? AND labelled > 0 AND at >= coalesce((SELECT max(at) FROM evaluations "
            "WHERE model = ? AND labelled >= max(?, 1)) - ?, at)) WHERE place = 1"
        )
        values = (min_labels, model, model, min_labels, within)
        return [
            Accuracy(attribute, correct / labelled if labelled >= min_labels else None, labelled)
            for attribute, correct, labelled in self._connection.execute(query, values)
        ]

    def counts(self, model: str, since: int, until: int) -> list[tuple[int, str, int, int]]:
        query = (
            "SELECT at, attribute, correct, labelled FROM evaluations WHERE model = ? AND at >= ? AND at < ? "
            "AND labelled > 0 ORDER BY at, attribute"
        )
        return self._connection.execute(query, (model, since, until)).fetchall()

    def enter(
        self, model: str, at: int, counts: Mapping[str, tuple[int, int]], images: Iterable[LabelledImage]
    ) -> None:
        rows = [(at, model, attribute, *pair) for attribute, pair in counts.items()]
        self._connection.executemany("INSERT OR REPLACE INTO evaluations VALUES (?, ?, ?, ?, ?)", rows)
        self._connection.executemany(
            "INSERT OR REPLACE INTO labelled_images VALUES (?, ?, ?, ?, ?, ?)",
            (
                (model, each.attribute, each.image, each.hour, each.source or _NO_SOURCE, int(each.is_right))
                for each in images
            ),
        )

    def labelled(self, model: str, first_hour: int, end_hour: int) -> list[LabelledCount]:
        query = (
            "SELECT attribute, source, sum(is_right), count(*) FROM (SELECT attribute, source, is_right, "
            "row_number() OVER (PARTITION BY attribute, image ORDER BY hour DESC) AS place FROM labelled_images "
            "WHERE model = ? AND hour >= ? AND hour < ?) WHERE place = 1 GROUP BY attribute, source"
        )
        return [
            LabelledCount(attribute, source or None, correct, labelled)
            for attribute, source, correct, labelled in self._connection.execute(query, (model, first_hour, end_hour))
        ]

    def forget_labelled(self, model: str, first_hour: int, end_hour: int) -> int:
        return self._connection.execute(
            "DELETE FROM labelled_images WHERE model = ? AND hour >= ? AND hour < ?", (model, first_hour, end_hour)
        ).rowcount

    def newest(self) -> dict[str, int]:
        return dict(self._connection.execute("SELECT model, max(at) FROM evaluations GROUP BY model"))
