from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.config.durations import parse_duration
from facemon.domain.times import format_time, from_micros, hour_of, micros, parse_time, span_name, start_of_hour

times = st.datetimes(timezones=st.just(UTC))


@given(times)
def test_a_time_comes_back_from_its_text_and_from_its_number(time: datetime) -> None:
    assert parse_time(format_time(time)) == time
    assert from_micros(micros(time)) == time
    assert start_of_hour(hour_of(time)) <= time < start_of_hour(hour_of(time)) + timedelta(hours=1) or (
        time.year == 9999
    )


@given(times, times)
def test_texts_sort_as_times_do(one: datetime, other: datetime) -> None:
    assert (format_time(one) < format_time(other)) == (one < other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23", "2026-11-23T00:00:00.000000Z"),
        ("2026-11-23T02:00", "2026-11-23T02:00:00.000000Z"),
        (" 2026-11-23 02:00:00.5Z ", "2026-11-23T02:00:00.500000Z"),
        ("2026-11-23T02:00+05:30", "2026-11-22T20:30:00.000000Z"),
    ],
)
def test_a_time_is_utc_unless_it_says_otherwise(text: str, expected: str) -> None:
    assert format_time(parse_time(text)) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "0001-01-01T00:00+14:00", "9999-12-31T23:59-05:00"])
def test_no_time_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)


def test_a_time_of_another_zone_is_written_as_utc() -> None:
    local = datetime(2026, 11, 23, 2, tzinfo=timezone(timedelta(hours=2)))
    assert format_time(local) == "2026-11-23T00:00:00.000000Z"
    assert hour_of(datetime(1969, 12, 31, 23, 59, tzinfo=UTC)) == -1


@pytest.mark.parametrize(
    ("span", "name"),
    [
        (timedelta(minutes=45), "45m"), (timedelta(minutes=90), "1h30m"), (timedelta(hours=24), "24h"),
        (timedelta(hours=47, minutes=59), "47h59m"), (timedelta(hours=48), "2d"), (timedelta(hours=49), "2d1h"),
        (timedelta(minutes=4233), "2d22h33m"), (timedelta(days=14, minutes=1), "14d1m"), (timedelta(days=28), "28d"),
        (timedelta(hours=24, seconds=29), "24h"), (timedelta(seconds=30), "30s"), (timedelta(seconds=59.7), "1m"),
    ],
)  # fmt: skip
def test_names_of_spans(span: timedelta, name: str) -> None:
    assert span_name(span) == name


@given(st.timedeltas(timedelta(seconds=1), timedelta(days=3650)))
def test_the_name_of_a_span_is_a_duration_of_about_its_length(span: timedelta) -> None:
    unit = timedelta(minutes=1) if span >= timedelta(minutes=1) else timedelta(seconds=1)
    assert abs(parse_duration(span_name(span)) - span) <= unit / 2
