"""How times are read and written everywhere: UTC, microseconds, a naive time is UTC."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_MICROS = 3_600_000_000
"""Microseconds of an hour."""
_HOUR, _MINUTE = timedelta(hours=1), timedelta(minutes=1)


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 time or date; ValueError for anything else."""
    time = datetime.fromisoformat(text.strip())
    try:
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} lies outside the years 1 to 9999 in UTC") from error


def format_time(time: datetime) -> str:
    """Write an aware time as `2026-11-23T02:00:00.000000Z`."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def micros(time: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (time - EPOCH) // timedelta(microseconds=1)


def from_micros(count: int) -> datetime:
    """The inverse of `micros`."""
    return EPOCH + timedelta(microseconds=count)


def hour_of(time: datetime) -> int:
    """The UTC hour that a time lies in, counted from 1970."""
    return (time - EPOCH) // _HOUR


def start_of_hour(hour: int) -> datetime:
    """When an hour, counted from 1970, begins."""
    return EPOCH + hour * _HOUR


def span_name(span: timedelta) -> str:
    """A length of time in whole days from two on, else in whole hours, else in minutes: `14d`, `24h` or `90m`."""
    minutes = round(span / _MINUTE)
    if minutes >= 2 * 24 * 60 and minutes % (24 * 60) == 0:
        return f"{minutes // (24 * 60)}d"
    return f"{minutes // 60}h" if minutes % 60 == 0 and minutes else f"{minutes}m"
