"""How `--since` and `--until` are read."""

from datetime import datetime, timedelta

from facemon.errors import UsageError


def window_of(since: str | None, until: str | None, default: timedelta, now: datetime) -> tuple[datetime, datetime]:
    """The window `[since, until)`: `--since` is a time, or a duration before `--until`; UsageError if it is empty."""
    from facemon.config.quantities import parse_duration
    from facemon.values.times import parse_time

    try:
        end = parse_time(until) if until else now
    except ValueError as error:
        raise UsageError(f"--until {until}: write a time such as 2026-11-23T02:00:00Z") from error
    begin, span = None, default
    if since is not None:
        try:
            span = parse_duration(since)
        except ValueError:
            try:
                begin = parse_time(since)
            except ValueError as error:
                raise UsageError(f"--since {since}: write a duration such as 24h, or a time") from error
    try:
        begin = end - span if begin is None else begin
    except OverflowError as error:
        raise UsageError("the window would begin before the year 1") from error
    if begin >= end:
        raise UsageError(f"the window from {begin:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} UTC is empty")
    return begin, end
