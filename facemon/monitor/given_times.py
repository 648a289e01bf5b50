"""Times as a caller from Python gives them."""

from datetime import datetime, timedelta

from facemon.application.time_window import in_utc
from facemon.errors import FacemonError

Begin = str | datetime | timedelta
Since = Begin | None
Until = str | datetime | None


def time_in_utc(time: datetime | None) -> datetime | None:
    """The time in UTC, none for none; a naive one is UTC. FacemonError for what is not a datetime."""
    if time is not None and not isinstance(time, datetime):
        raise FacemonError(f"observed_at {time!r} is not a datetime")
    return None if time is None else in_utc(time)
