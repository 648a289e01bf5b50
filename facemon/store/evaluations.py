"""Evaluations against true labels, as the ledger keeps them: image by image, so that any window has an accuracy."""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from facemon.domain.labelled import LabelledCount, LabelledImage
from facemon.domain.times import micros
from facemon.store.ledger.sqlite_ledger import Ledger

_NO_SOURCE = ""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How often an attribute was predicted right; `share` is none while no evaluation had labels enough."""

    attribute: str
    share: float | None
    labels: int


def read_accuracy(connection: sqlite3.Connection, model: str, min_labels: int) -> list[Accuracy]:
    """Each attribute's share of right predictions in a model's newest evaluation of at least `min_labels` labels.

    A later evaluation of fewer labels changes nothing: an accuracy that vanished would resolve its alert. Where none
    had enough, there are only the labels of the newest.
    """
    query = (
        "SELECT attribute, correct, labelled FROM (SELECT attribute, correct, labelled, row_number() OVER "
        "(PARTITION BY attribute ORDER BY labelled >= ? DESC, at DESC) AS place FROM evaluations "
        "WHERE model = ? AND labelled > 0) WHERE place = 1"
    )
    return [
        Accuracy(attribute, correct / labelled if labelled >= min_labels else None, labelled)
        for attribute, correct, labelled in connection.execute(query, (min_labels, model))
    ]


def record_accuracy(
    ledger: Ledger, model: str, at: datetime, counts: Mapping[str, tuple[int, int]], images: Iterable[LabelledImage]
) -> None:
    """Enter an evaluation: for each attribute how many predictions were right, of how many; and each image.

    An image that was labelled before is entered anew for the hour in which it was predicted.
    """
    rows = [(micros(at), model, attribute, *pair) for attribute, pair in counts.items()]
    with ledger.writing() as connection:
        connection.executemany("INSERT OR REPLACE INTO evaluations VALUES (?, ?, ?, ?, ?)", rows)
        connection.executemany(
            "INSERT OR REPLACE INTO labelled_images VALUES (?, ?, ?, ?, ?, ?)",
            (
                (model, each.attribute, each.image, each.hour, each.source or _NO_SOURCE, int(each.is_right))
                for each in images
            ),
        )


def labelled_counts(connection: sqlite3.Connection, model: str, first_hour: int, end_hour: int) -> list[LabelledCount]:
    """What is known of a model's hours `[first_hour, end_hour)`; an image counts once, as it was predicted last."""
    query = (
        "SELECT attribute, source, sum(is_right), count(*) FROM (SELECT attribute, source, is_right, "
        "row_number() OVER (PARTITION BY attribute, image ORDER BY hour DESC) AS place FROM labelled_images "
        "WHERE model = ? AND hour >= ? AND hour < ?) WHERE place = 1 GROUP BY attribute, source"
    )
    return [
        LabelledCount(attribute, source or None, correct, labelled)
        for attribute, source, correct, labelled in connection.execute(query, (model, first_hour, end_hour))
    ]


def models_in_log(connection: sqlite3.Connection) -> list[str]:
    """The models that the log has rows of, sorted."""
    return [model for (model,) in connection.execute("SELECT DISTINCT model FROM segments ORDER BY model")]
