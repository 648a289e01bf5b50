"""Decides when rows of the recent past lie, so that a test which logs some is the same at every time of day."""

from datetime import UTC, datetime, timedelta

HOUR = timedelta(hours=1)


def hours_of_one_date(hours: int = 1, *, ago: timedelta, now: datetime | None = None) -> datetime:
    """Answer when `hours` whole hours of one UTC date begin: the last ones that begin at least `ago` before now.

    The log keeps a file for each date and a profile for each hour. Half an hour that begins five hours ago lies in two
    hours as often as in one, and on two dates from 04:30 until 05:00; a test that counts files, hours or dates asks
    here. Ask once for all that belongs together: the hour may end in between.
    """
    latest = (now or datetime.now(UTC)) - ago
    begin = latest.replace(minute=0, second=0, microsecond=0)
    return min(begin, begin.replace(hour=24 - hours))
