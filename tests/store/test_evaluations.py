from datetime import timedelta

from facemon.domain.labelled import LabelledCount, LabelledImage
from facemon.store.accuracy import Accuracy
from facemon.store.evaluations import record_accuracy
from facemon.store.ledger.protocol import Ledger
from tests.store.log_rows import MODEL, NOON


def image(name: str, hour: int, is_right: bool, source: str | None = None) -> LabelledImage:
    return LabelledImage("beard", name, hour, source, is_right)


def test_the_newest_evaluation_is_the_accuracy(ledger: Ledger) -> None:
    record_accuracy(ledger, MODEL, NOON, {"beard": (1, 10)}, [])
    record_accuracy(ledger, MODEL, NOON + timedelta(hours=1), {"beard": (4, 8), "hat": (0, 0)}, [])
    record_accuracy(ledger, "other@1", NOON + timedelta(hours=2), {"beard": (0, 4)}, [])
    assert ledger.evaluations.accuracy(MODEL, 1) == [Accuracy("beard", 0.5, 8)]


def test_an_accuracy_needs_labels_enough(ledger: Ledger) -> None:
    for hour, counts in enumerate(({"beard": (1, 29)}, {"beard": (0, 1), "hat": (3, 3)})):
        record_accuracy(ledger, MODEL, NOON + timedelta(hours=hour), counts, [])
    few = [Accuracy("beard", None, 1), Accuracy("hat", None, 3)]
    assert ledger.evaluations.accuracy(MODEL, 30) == few
    record_accuracy(ledger, MODEL, NOON + timedelta(hours=2), {"beard": (24, 30)}, [])
    record_accuracy(ledger, MODEL, NOON + timedelta(hours=3), {"beard": (0, 1)}, [])
    # One wrong label since does not take the accuracy away: an alert on it would resolve.
    assert ledger.evaluations.accuracy(MODEL, 30) == [Accuracy("beard", 0.8, 30), few[1]]


def test_a_window_has_the_labels_of_its_hours(ledger: Ledger) -> None:
    images = [image("1", 5, True, "a"), image("2", 5, False, "a"), image("3", 6, True), image("4", 9, True)]
    record_accuracy(ledger, MODEL, NOON, {}, images)
    assert ledger.evaluations.labelled(MODEL, 5, 9) == [
        LabelledCount("beard", None, 1, 1),
        LabelledCount("beard", "a", 1, 2),
    ]
    assert ledger.evaluations.labelled("other@1", 0, 99) == []


def test_an_image_counts_once_however_often_it_was_predicted_and_evaluated(ledger: Ledger) -> None:
    for hour in range(10):
        for _ in range(2):
            at = NOON + timedelta(hours=hour)
            record_accuracy(ledger, MODEL, at, {}, [image("1", hour, is_right=hour < 9), image("2", hour, True)])
    assert ledger.evaluations.labelled(MODEL, 0, 10) == [LabelledCount("beard", None, 1, 2)]
    # What it was in an earlier window stays there.
    assert ledger.evaluations.labelled(MODEL, 0, 5) == [LabelledCount("beard", None, 2, 2)]
