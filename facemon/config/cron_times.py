"""When a crontab line comes due, in UTC: its five fields as the numbers that they stand for.

Schedulers agree on less than all of crontab(5); what they read in different ways is refused here.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple, Self

_PART = re.compile(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/([1-9]\d?))?")
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAY = timedelta(days=1)
_FIRST, _DAYS = date(2024, 1, 1), 5 * 366
"""Years with two leap days, in which every rule of days comes round."""


class _Field(NamedTuple):
    name: str
    least: int
    most: int


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12),
    _Field("weekday", 0, 6),
)


@dataclass(frozen=True, slots=True)
class CronTimes:
    """The numbers of each field, ascending; weekdays from 0 for Sunday."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    either_day: bool
    """Whether the day of the month or the weekday suffices: so it is where a line restricts both."""

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read `minute hour day month weekday`; ValueError says what cannot be read, or never comes."""
        texts = line.split(" ")
        if len(texts) != len(_FIELDS):
            raise ValueError('needs five fields, minute hour day month weekday, with one space between: "0 2 * * *"')
        minutes, hours, days, months, weekdays = (
            tuple(sorted(_numbers(text, field))) for text, field in zip(texts, _FIELDS, strict=True)
        )
        times = cls(minutes, hours, days, months, weekdays, either_day="*" not in (texts[2], texts[4]))
        if times.either_day and "*" in texts[2] + texts[4]:
            raise ValueError(
                "restricts the day of the month and the weekday, one of them by a step from *, "
                "which schedulers read in two ways: write its numbers"
            )
        if not times.either_day and not times._has_a_day():
            raise ValueError("never comes: none of its months has any of its days")
        return times

    def shortest_gap(self) -> timedelta:
        """The time between two checks at the least, on days that follow each other."""
        starts = self._starts()
        return min(after - before for before, after in pairwise([*starts, starts[0] + _DAY]))

    def longest_gap(self) -> timedelta:
        """The time between two checks at the most, within the years that are looked through."""
        starts = self._starts()
        days = [day for day in (_FIRST + number * _DAY for number in range(_DAYS)) if self.is_on(day)]
        over_night = max((after - before for before, after in pairwise(days)), default=_DAYS * _DAY)
        gaps = [over_night - (starts[-1] - starts[0]), *(after - before for before, after in pairwise(starts))]
        return max(gaps)

    def is_on(self, day: date) -> bool:
        """Whether there is a check on a day."""
        suffice = (day.day in self.days, day.isoweekday() % 7 in self.weekdays)
        return day.month in self.months and (any(suffice) if self.either_day else all(suffice))

    def _starts(self) -> list[timedelta]:
        return [timedelta(hours=hour, minutes=minute) for hour in self.hours for minute in self.minutes]

    def _has_a_day(self) -> bool:
        return any(self.days[0] <= _LONGEST_MONTHS[month - 1] for month in self.months)


def _numbers(text: str, field: _Field) -> set[int]:
    numbers: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None or (match[3] and match[1] and not match[2]):
            raise ValueError(
                f"{part!r} is not a valid {field.name}: write *, a number, a range like 1-5, or a step like */15"
            )
        first, last = int(match[1] or field.least), int(match[2] or match[1] or field.most)
        step = int(match[3] or 1)
        if not field.least <= first <= last <= field.most or step > field.most:
            raise ValueError(f"{part!r} is not a valid {field.name}, which goes from {field.least} to {field.most}")
        numbers.update(range(first, last + 1, step))
    return numbers
