"""A window as the ledger counts it: the sources beyond the first of an hour are one, `other`."""

from datetime import datetime

from facemon.domain.profile import Profile
from facemon.store.ledger.protocol import Ledger
from facemon.store.windows import by_source, read_hours


def read_window(
    ledger: Ledger, since: datetime, until: datetime, *, model: str, source: str | None = None
) -> dict[str | None, Profile]:
    """The profiles, by source, of a model's rows observed in `[since, until)`; of one source if it is named."""
    if since >= until:
        return {}
    with ledger.reading():
        found = read_hours(ledger, since, until, model=model)
        return by_source((key, profile) for key, profile in found if source is None or key.source == source)
