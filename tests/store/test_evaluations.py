from datetime import timedelta

from facemon.domain.labelled import LabelledCount, LabelledImage
from facemon.domain.times import hour_of
from facemon.store.accuracy import Accuracy
from facemon.store.evaluations import prune_labelled, record_accuracy
from facemon.store.ledger.protocol import Ledger
from facemon.store.references import remove_reference, set_from_window
from facemon.store.retention import prune
from tests.store.log_rows import MODEL, NOON, log_images

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


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


def labelled_hours(ledger: Ledger, model: str = MODEL) -> list[int]:
    """The hours of labelled images, as distances to NOON."""
    first = hour_of(NOON)
    return [hour for hour in range(-99, 99) if ledger.evaluations.labelled(model, first + hour, first + hour + 1)]


def test_labelled_images_go_with_the_rows_of_their_hour(ledger: Ledger) -> None:
    for day in range(4):
        log_images(ledger, 10, observed=NOON + day * DAY)
    images = [image("1", hour_of(NOON) + hour, True) for hour in (-90, -1, 0, 1, 24, 48, 72)]
    for model in (MODEL, "gone@1"):
        record_accuracy(ledger, model, NOON, {"beard": (7, 7)}, images)
    window = (NOON + DAY - HOUR, NOON + DAY + HOUR)
    reference = set_from_window(ledger, "normal", *window, model=MODEL, note="", now=NOON)
    limit = NOON + 3 * DAY
    prune(ledger, limit - HOUR)
    log_images(ledger, 10, observed=NOON + 2 * DAY)
    # Of the one model the reference has an hour, and rows another one; of the other model there are neither.
    assert prune_labelled(ledger, limit) == 4 + 6
    assert labelled_hours(ledger) == [24, 48, 72]
    assert labelled_hours(ledger, "gone@1") == [72]
    assert prune_labelled(ledger, limit) == 0
    with ledger.writing():
        remove_reference(ledger, reference, NOON)
    prune(ledger, limit)
    assert prune_labelled(ledger, limit) == 2
    assert labelled_hours(ledger) == [72]
    assert ledger.evaluations.accuracy(MODEL, 1) == [Accuracy("beard", 1.0, 7)]
