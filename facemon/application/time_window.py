"""The window between `since` and `until`, each given as text or as a value."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from facemon.errors import UsageError

_TIME = "a time such as 2026-11-23T02:00:00Z"
_DURATION_OR_TIME = "a duration such as 24h, or a time"


def window_of(
    since: str | datetime | timedelta | None,
    until: str | datetime | None,
    default: timedelta,
    now: datetime,
    *,
    options: tuple[str, str] = ("--since", "--until"),
) -> tuple[datetime, datetime]:
    """The window `[since, until)`: `since` is a time, or a duration before `until`; UsageError if it is empty.

    A time without a zone is UTC. Messages call the two what the command's `options` are called.
    """
    first, last = options
    end = now if until is None else _end(until)
    begin, span = None, default
    if isinstance(since, timedelta):
        span = since
    elif isinstance(since, datetime):
        begin = in_utc(since)
    elif isinstance(since, str):
        begin, span = _begin(since, default, first)
    elif since is not None:
        raise UsageError(
            f"{first} {since!r}: write {_DURATION_OR_TIME}", "from Python: text, a datetime or a timedelta"
        )
    try:
        begin = end - span if begin is None else begin
    except OverflowError as error:
        raise UsageError("the window would begin before the year 1", f"give {first} a shorter duration") from error
    if begin >= end:
        raise UsageError(
            f"the window from {begin:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} UTC is empty",
            f"{first} must be before {last}",
        )
    return begin, end


def in_utc(time: datetime) -> datetime:
    """The time in UTC; one without a zone is taken to be in UTC already. UsageError where UTC has no such time."""
    if time.tzinfo is None:
        return time.replace(tzinfo=UTC)
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise UsageError(f"the time {time.isoformat()} is before the year 1 or after the year 9999 in UTC") from error


def _end(until: str | datetime) -> datetime:
    from facemon.domain.times import parse_time

    if isinstance(until, datetime):
        return in_utc(until)
    if not isinstance(until, str):
        raise UsageError(f"--until {until!r}: write {_TIME}", "from Python: text or a datetime")
    try:
        return parse_time(until)
    except ValueError as error:
        raise UsageError(f"--until {until}: write {_TIME}") from error


def _begin(since: str, default: timedelta, option: str) -> tuple[datetime | None, timedelta]:
    """The time that a text names, or else the duration."""
    from facemon.config.durations import parse_duration
    from facemon.domain.times import parse_time

    with suppress(ValueError):
        return None, parse_duration(since)
    try:
        return parse_time(since), default
    except ValueError as error:
        raise UsageError(f"{option} {since}: write {_DURATION_OR_TIME}") from error
