"""Series of tests as what makes them would leave them in Prometheus: counters of events, stamps of commands, scrapes.

Models give courses of levels at exact times. Sampling them at the scrape interval is the tests' matter, so that the
same events meet every rhythm that a configuration allows.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from facemon.render.scenario import Course

_START = timedelta(0)


def always(series: str, level: float) -> Course:
    """A series with one level all along."""
    return Course(series, ((_START, level),))


def turning(series: str, *levels: tuple[timedelta, float | None]) -> Course:
    """A gauge that takes each level at its time; None ends the series."""
    return Course(series, levels)


def events(series: str, times: Iterable[timedelta], *, restarts: Sequence[timedelta] = ()) -> Course:
    """A counter that grows by one at each of the times, and begins at 0 again with each restart of its process."""
    happened = sorted([*((at, True) for at in times), *((at, False) for at in restarts)])
    levels: list[tuple[timedelta, float | None]] = [(_START, 0.0)]
    for at, grows in happened:
        before = levels[-1][1] or 0.0
        levels.append((at, before + 1 if grows else 0.0))
    return Course(series, tuple(levels))


def rhythm(first: timedelta, every: timedelta, count: int) -> tuple[timedelta, ...]:
    """So many times, one `every` so often."""
    return tuple(first + number * every for number in range(count))


def stamps(series: str, times: Iterable[timedelta], *, seen: timedelta = _START) -> Course:
    """A gauge with the time of the newest of these successes, in seconds, `seen` so long after it.

    Time 0 of a test is 1970, so that a time is its own stamp.
    """
    return Course(series, tuple((at + seen, at.total_seconds()) for at in times))


def missed(course: Course, at: timedelta, scrapes: int, interval: timedelta) -> Course:
    """The course with so many failed scrapes from a time on: a stale marker, then nothing until a scrape succeeds."""
    back = at + scrapes * interval
    before = [(time, level) for time, level in course.levels if time < at]
    hidden = [level for time, level in course.levels if time <= back]
    after = [(time, level) for time, level in course.levels if time > back]
    if not before or not hidden:
        return course
    return Course(course.series, (*before, (at, None), (back, hidden[-1]), *after))
