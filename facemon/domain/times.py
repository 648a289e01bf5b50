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
    """A length of time as `--since` takes it: `14d`, `2d22h33m`, `24h`, `1h30m`; seconds only below a minute.

    It is in days from two on.
    """
    if span < _MINUTE and (seconds := round(span.total_seconds())) < _MINUTE.total_seconds():
        return f"{seconds}s"
    hours, minutes = divmod(round(span / _MINUTE), 60)
    days, hours = divmod(hours, 24) if hours >= 2 * 24 else (0, hours)
    parts = ((days, "d"), (hours, "h"), (minutes, "m"))
    return "".join(f"{amount}{unit}" for amount, unit in parts if amount)
