"""Whatever the time is, rows of `hours_of_one_date` lie on one date, in whole hours, and not far from where asked."""

from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from tests.recent_hours import HOUR, hours_of_one_date

TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
INSTANT = timedelta(microseconds=1)


@given(now=TIMES, ago=st.timedeltas(timedelta(0), timedelta(days=400)), hours=st.integers(1, 24))
@example(now=datetime(2026, 11, 30, 5, 10, tzinfo=UTC), ago=timedelta(hours=5), hours=1)
@example(now=datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC), ago=timedelta(0), hours=24)
@example(now=datetime(2028, 3, 1, tzinfo=UTC), ago=timedelta(0), hours=2)
def test_hours_lie_on_one_date_and_begin_in_time(now: datetime, ago: timedelta, hours: int) -> None:
    begin = hours_of_one_date(hours, ago=ago, now=now)
    assert begin == datetime(begin.year, begin.month, begin.day, begin.hour, tzinfo=UTC)
    assert begin.date() == (begin + hours * HOUR - INSTANT).date()
    assert begin <= now - ago < begin + hours * HOUR
