from datetime import timedelta

from facemon.store.evaluations import labelled_hours, read_accuracy, record_accuracy
from facemon.store.ledger import Ledger
from facemon.values.labelled_hour import LabelledHour
from tests.store.log_rows import MODEL, NOON


def hour(number: int, correct: int, labelled: int, source: str | None = None) -> LabelledHour:
    return LabelledHour("beard", number, source, correct, labelled)


def test_the_newest_evaluation_is_the_accuracy(ledger: Ledger) -> None:
    record_accuracy(ledger, MODEL, NOON, [hour(1, 1, 10)])
    record_accuracy(ledger, MODEL, NOON + timedelta(hours=1), [hour(1, 3, 4, "a"), hour(2, 1, 4)])
    record_accuracy(ledger, "other@1", NOON + timedelta(hours=2), [hour(1, 0, 4)])
    assert read_accuracy(ledger.connection, MODEL) == {"beard": 0.5}


def test_an_image_that_two_evaluations_saw_counts_once(ledger: Ledger) -> None:
    record_accuracy(ledger, MODEL, NOON, [hour(1, 8, 10, "a"), hour(1, 7, 10), hour(2, 1, 2), hour(3, 4, 4)])
    record_accuracy(ledger, MODEL, NOON + timedelta(hours=1), [hour(1, 1, 1, "a"), hour(2, 0, 2), hour(9, 1, 1)])
    # Of hour 1 the first has more labels, of hour 2 both as many, hour 9 lies outside.
    assert labelled_hours(ledger.connection, MODEL, 1, 9) == [
        hour(1, 7, 10),
        hour(1, 8, 10, "a"),
        hour(2, 0, 2),
        hour(3, 4, 4),
    ]
    assert labelled_hours(ledger.connection, "other@1", 0, 99) == []
