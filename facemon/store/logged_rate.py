"""How many images a day a model predicted lately, from the log's hourly counts."""

from datetime import datetime, timedelta

from facemon.domain.times import from_micros, hour_of
from facemon.store.ledger.protocol import Ledger

LATELY = timedelta(days=7)
"""So long a time before now tells the rate."""
_DAY = timedelta(days=1)


def images_per_day(ledger: Ledger, model: str, now: datetime) -> float | None:
    """Return the mean number of images a day over the last seven days, by whole hours; None where there are none.

    A log that began later counts from its first row on. Less than a day counts as a day, because nothing tells
    whether the hours that follow are as busy.
    """
    with ledger.reading():
        first = ledger.segments.first_observed(model)
        images = ledger.profiles.count_images(hour_of(now - LATELY), hour_of(now) + 1, model)
    if first is None or not images:
        return None
    return images / max(1.0, (now - max(from_micros(first), now - LATELY)) / _DAY)
