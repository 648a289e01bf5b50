"""When crontab lines come due, by the words of crontab(5), read for one moment at a time; and lines to try."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from hypothesis import strategies as st

from facemon.config.cron_times import CronTimes

_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))


def is_due(line: str, moment: datetime) -> bool:
    """Whether a line comes due in a minute."""
    minute, hour, *_ = line.split(" ")
    return _holds(minute, moment.minute, 0) and _holds(hour, moment.hour, 1) and _is_a_day(line, moment)


def next_moments(line: str, after: datetime, count: int) -> list[datetime]:
    """The next moments at which a line comes due: each minute of each of its days is tried."""
    found: list[datetime] = []
    day = after.replace(hour=0, minute=0)
    while len(found) < count:
        if _is_a_day(line, day):
            minutes = (day + timedelta(minutes=number) for number in range(24 * 60))
            found += [minute for minute in minutes if minute > after and is_due(line, minute)]
        day += timedelta(days=1)
    return found[:count]


@st.composite
def lines(draw: st.DrawFn) -> str:
    """Lines that facemon takes."""
    line = " ".join(draw(_fields(*limits)) for limits in _RANGES)
    try:
        CronTimes.parse(line)
    except ValueError:
        # Two restrictions of days of which one begins with *, or a day that no month has.
        minute, hour, _, month, weekday = line.split(" ")
        return f"{minute} {hour} * {month} {weekday}"
    return line


def _is_a_day(line: str, moment: datetime) -> bool:
    _, _, day, month, weekday = line.split(" ")
    days = (_holds(day, moment.day, 2), _holds(weekday, moment.isoweekday() % 7, 4))
    return _holds(month, moment.month, 3) and (all(days) if "*" in (day, weekday) else any(days))


def _holds(text: str, value: int, place: int) -> bool:
    return value in set(_named_by(text, *_RANGES[place]))


def _named_by(text: str, least: int, most: int) -> Iterator[int]:
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = (f"{least}-{most}" if span == "*" else span).partition("-")
        yield from range(int(first), int(last or first) + 1, int(step or 1))


def _fields(least: int, most: int) -> st.SearchStrategy[str]:
    number = st.integers(least, most)
    span = st.tuples(number, number).map(lambda ends: f"{min(ends)}-{max(ends)}")
    stepped = st.tuples(st.one_of(st.just("*"), span), st.integers(1, most)).map(lambda parts: f"{parts[0]}/{parts[1]}")
    part = st.one_of(number.map(str), span, stepped)
    return st.one_of(st.just("*"), st.lists(part, min_size=1, max_size=3).map(",".join))
