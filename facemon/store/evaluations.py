"""Evaluations against true labels, as the ledger keeps them: image by image, so that any window has an accuracy."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from facemon.domain.labelled import LabelledImage
from facemon.domain.times import micros

if TYPE_CHECKING:
    from facemon.store.ledger.protocol import Ledger


def record_accuracy(
    ledger: "Ledger", model: str, at: datetime, counts: Mapping[str, tuple[int, int]], images: Iterable[LabelledImage]
) -> None:
    """Enter an evaluation: for each attribute how many predictions were right, of how many; and each image.

    An image that was labelled before is entered again for the hour in which it was predicted.
    """
    with ledger.writing():
        ledger.evaluations.enter(model, micros(at), counts, images)
