"""Models of what makes a series, as the scrapes of any configuration meet them."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from facemon.render.rule_test import Phases, input_series
from facemon.render.scenario import Course
from facemon.render.series_models import always, events, missed, rhythm, stamps, turning

SECOND = timedelta(seconds=1)
seconds = st.integers(1, 500).map(lambda number: number * SECOND)


def sampled(course: Course, spacing: int, samples: int) -> str:
    phases = Phases(spacing * 1000, 0, (samples - 1) * spacing * 1000, (samples - 1) * spacing * 1000)
    return input_series([course], phases)[0]["values"]


def test_levels_begin_with_the_first_scrape_at_or_after_their_time() -> None:
    course = turning("a", (10 * SECOND, 1), (31 * SECOND, None), (60 * SECOND, 3))
    assert sampled(course, 10, 8) == "_x1 1+0x2 stale _x1 3+0x1"
    assert sampled(always("a", 2), 15, 3) == "2+0x2"


def test_a_counter_begins_at_0_again_with_a_restart() -> None:
    course = events("a", rhythm(10 * SECOND, 20 * SECOND, 3), restarts=(40 * SECOND,))
    assert sampled(course, 10, 7) == "0 1+0x1 2 0 1+0x1"


def test_a_stamp_is_the_time_of_the_newest_success() -> None:
    assert sampled(stamps("a", rhythm(SECOND * 0, 60 * SECOND, 2)), 30, 4) == "0+0x1 60+0x1"


def test_failed_scrapes_hide_what_was_counted_meanwhile_until_one_succeeds() -> None:
    course = events("a", rhythm(10 * SECOND, 10 * SECOND, 5))
    assert sampled(missed(course, 20 * SECOND, 2, 10 * SECOND), 10, 6) == "0 1 stale _x1 4 5"


@given(st.lists(seconds, min_size=1, max_size=20), seconds, st.integers(1, 5), seconds)
def test_a_scrape_after_a_gap_has_what_it_would_have_had(
    times: list[timedelta], at: timedelta, scrapes: int, interval: timedelta
) -> None:
    course = events("a", times)
    gap = missed(course, at, scrapes, interval)
    end = max(*times, at + scrapes * interval)
    assert level(gap, end) == level(course, end) == len(times)
    assert level(gap, at) is None


def level(course: Course, at: timedelta) -> float | None:
    return [value for time, value in course.levels if time <= at][-1]
