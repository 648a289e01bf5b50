"""Evaluations against true labels, as the ledger keeps them: image by image, so that any window has an accuracy."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from facemon.domain.labelled import LabelledImage
from facemon.domain.row_ranges import Ranges, united
from facemon.domain.times import HOUR_MICROS, hour_of, micros

if TYPE_CHECKING:
    from facemon.store.ledger.protocol import Ledger

_FIRST_HOUR = hour_of(datetime.min.replace(tzinfo=UTC))


def record_accuracy(
    ledger: "Ledger", model: str, at: datetime, counts: Mapping[str, tuple[int, int]], images: Iterable[LabelledImage]
) -> None:
    """Enter an evaluation: for each attribute how many predictions were right, of how many; and each image.

    An image that was labelled before is entered again for the hour in which it was predicted.
    """
    with ledger.writing():
        ledger.evaluations.enter(model, micros(at), counts, images)


def prune_labelled(ledger: "Ledger", before: datetime) -> int:
    """Remove the results of labelled images observed before a time, once the log has no rows of their hour.

    Those of a reference's window stay as long as the reference: checks compare with its accuracy. Returns how many
    results were removed, one for each attribute of an image.
    """
    end = hour_of(before)
    with ledger.writing():
        kept: dict[str, list[tuple[int, int]]] = {model: [] for model in ledger.evaluations.newest()}
        for segment in ledger.segments.within(until=micros(before)):
            hours = segment.first_observed // HOUR_MICROS, segment.last_observed // HOUR_MICROS + 1
            kept.setdefault(segment.model, []).append(hours)
        for reference in ledger.references.all():
            if reference.model is not None and reference.hours is not None:
                kept.setdefault(reference.model, []).append(reference.hours)
        return sum(
            ledger.evaluations.forget_labelled(model, *hours)
            for model, spans in kept.items()
            for hours in _between(united(spans), end)
        )


def _between(kept: Ranges, end: int) -> Iterator[tuple[int, int]]:
    """The spans of hours before `end` that are not kept."""
    first = _FIRST_HOUR
    for start, behind in kept:
        if first < min(start, end):
            yield first, min(start, end)
        first = behind
    if first < end:
        yield first, end
