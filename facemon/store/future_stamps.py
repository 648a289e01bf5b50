"""Stamps from the future, which a clock that was ahead left in a ledger, and how they are taken back."""

from datetime import datetime

from facemon.domain.clock_judgement import SeenTime
from facemon.store.ledger.protocol import Ledger


def future_stamps(ledger: Ledger, now: datetime) -> list[SeenTime]:
    """All stamps that are more than a day ahead of a time, the furthest first."""
    with ledger.reading():
        return ledger.stamps.after(now)


def take_back(ledger: Ledger, now: datetime) -> int:
    """Set all stamps that are more than a day ahead of a time to that time; answer how many they were.

    Rows of the log and the history of drift checks keep the times that they were written with.
    """
    with ledger.writing():
        return ledger.stamps.take_back(now)
