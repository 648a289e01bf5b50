"""The window between `since` and `until`, each given as text or as a value."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from facemon.errors import UsageError


def window_of(
    since: str | datetime | timedelta | None, until: str | datetime | None, default: timedelta, now: datetime
) -> tuple[datetime, datetime]:
    """The window `[since, until)`: `since` is a time, or a duration before `until`; UsageError if it is empty.

    A time without a zone is UTC.
    """
    end = _end(until) if until else now
    begin, span = None, default
    if isinstance(since, timedelta):
        span = since
    elif isinstance(since, datetime):
        begin = in_utc(since)
    elif since is not None:
        begin, span = _begin(since, default)
    try:
        begin = end - span if begin is None else begin
    except OverflowError as error:
        raise UsageError("the window would begin before the year 1") from error
    if begin >= end:
        raise UsageError(f"the window from {begin:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} UTC is empty")
    return begin, end


def in_utc(time: datetime) -> datetime:
    """The time in UTC; one without a zone is taken to be in UTC already."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _end(until: str | datetime) -> datetime:
    from facemon.values.times import parse_time

    if isinstance(until, datetime):
        return in_utc(until)
    try:
        return parse_time(until)
    except ValueError as error:
        raise UsageError(f"--until {until}: write a time such as 2026-11-23T02:00:00Z") from error


def _begin(since: str, default: timedelta) -> tuple[datetime | None, timedelta]:
    """The time that a text names, or else the duration."""
    from facemon.config.quantities import parse_duration
    from facemon.values.times import parse_time

    with suppress(ValueError):
        return None, parse_duration(since)
    try:
        return parse_time(since), default
    except ValueError as error:
        raise UsageError(f"--since {since}: write a duration such as 24h, or a time") from error
