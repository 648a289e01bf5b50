"""The clock's judge: ordinary days are never doubted, and a clock that is far off always is."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.clock_judgement import (
    EARLIEST,
    LONGEST_IDLE,
    TOLERANCE,
    ClockJudgement,
    ClockReading,
    SeenTime,
    judge,
)

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
UP = 40 * DAY
BATCH = "the time of the last facemon predict"


def reading(at: datetime, boot: str | None = "b", uptime: timedelta = UP) -> ClockReading:
    return ClockReading(at, boot, uptime)


def never_asked() -> bool:
    raise AssertionError("the kernel is asked although the clock is not ahead of the uptime")


def judged(
    clock: ClockReading, kept: ClockReading | None, seen: datetime | None, *, synchronised: bool | None = None
) -> ClockJudgement:
    asked = never_asked if synchronised is None else lambda: bool(synchronised)
    return judge(clock, kept, None if seen is None else SeenTime(seen, BATCH), asked)


@pytest.mark.parametrize(
    ("clock", "kept", "seen"),
    [
        pytest.param(reading(NOW), None, None, id="a new store"),
        pytest.param(reading(NOW), reading(NOW - HOUR, uptime=UP - HOUR), NOW - HOUR, id="an hour later"),
        pytest.param(reading(NOW), reading(NOW - 31 * DAY, uptime=UP - 31 * DAY), NOW - 31 * DAY, id="slept a month"),
        pytest.param(reading(NOW, "c"), reading(NOW - 31 * DAY), NOW - 31 * DAY, id="off for a month"),
        pytest.param(reading(NOW, "node-2"), reading(NOW - 92 * DAY), NOW - 92 * DAY, id="each quarter, on any node"),
        pytest.param(reading(NOW), None, NOW - 200 * DAY, id="a backup of spring is restored"),
        pytest.param(reading(NOW), reading(NOW - HOUR + 10 * HOUR / 60, uptime=UP - HOUR), NOW, id="back 10 minutes"),
        pytest.param(reading(NOW + 30 * HOUR / 60), reading(NOW, uptime=UP), NOW, id="forward half an hour"),
        pytest.param(reading(NOW), reading(NOW - DAY, uptime=UP - DAY - HOUR / 3600), NOW - DAY, id="a leap second"),
        pytest.param(reading(NOW, uptime=HOUR), reading(NOW - HOUR, uptime=UP), NOW - HOUR, id="a container's uptime"),
        pytest.param(reading(NOW, None), reading(NOW - 31 * DAY), NOW - 31 * DAY, id="a system that tells no uptime"),
    ],
)
def test_an_ordinary_day_is_not_doubted(clock: ClockReading, kept: ClockReading | None, seen: datetime | None) -> None:
    assert judged(clock, kept, seen) == ClockJudgement(clock.at)


@pytest.mark.parametrize(
    ("clock", "kept", "seen", "now"),
    [
        pytest.param(
            reading(datetime(2040, 1, 1, tzinfo=UTC)), reading(NOW - HOUR, uptime=UP - HOUR), NOW - HOUR, NOW,
            id="2040, within one boot",
        ),
        pytest.param(
            reading(datetime(2040, 1, 1, tzinfo=UTC), "c"), reading(NOW - HOUR), NOW - 2 * HOUR, NOW - HOUR,
            id="2040, after a boot",
        ),
        pytest.param(reading(datetime(2040, 1, 1, tzinfo=UTC), None), None, NOW, NOW, id="2040, without uptime"),
        pytest.param(
            reading(datetime(1970, 1, 2, tzinfo=UTC)), reading(NOW - HOUR, uptime=UP - HOUR), NOW - HOUR, NOW,
            id="1970, within one boot",
        ),
        pytest.param(reading(datetime(1970, 1, 2, tzinfo=UTC), "c"), reading(NOW), NOW, NOW, id="1970, no battery"),
        pytest.param(reading(datetime(1970, 1, 2, tzinfo=UTC)), None, None, EARLIEST, id="1970, a new store"),
        pytest.param(
            reading(NOW - 3 * DAY), reading(NOW - HOUR, uptime=UP - HOUR), NOW - HOUR, NOW, id="3 days back"
        ),
        pytest.param(reading(NOW), None, datetime(2040, 1, 1, tzinfo=UTC), NOW, id="stamps of an older facemon"),
    ],
)  # fmt: skip
def test_a_wrong_clock_is_doubted_and_what_is_known_is_gone_by(
    clock: ClockReading, kept: ClockReading | None, seen: datetime | None, now: datetime
) -> None:
    found = judged(clock, kept, seen, synchronised=True)
    assert found.is_doubtful
    assert found.now == now


@pytest.mark.parametrize("synchronised", [True, False])
def test_a_virtual_machine_that_was_paused_is_believed_if_a_time_server_keeps_its_clock(synchronised: bool) -> None:
    kept = reading(NOW - 3 * DAY, uptime=UP - HOUR)
    assert judged(reading(NOW), kept, kept.at, synchronised=synchronised).is_doubtful is not synchronised


SPANS = st.timedeltas(timedelta(0), 5 * LONGEST_IDLE)
ERRORS = st.timedeltas(-20 * LONGEST_IDLE, 20 * LONGEST_IDLE)


@given(passed=SPANS, error=ERRORS)
def test_within_one_boot_the_time_to_go_by_is_right_to_a_day_whatever_the_clock_says(
    passed: timedelta, error: timedelta
) -> None:
    true = NOW + passed
    found = judged(reading(true + error, uptime=UP + passed), reading(NOW), NOW, synchronised=False)
    assert abs(found.now - true) <= TOLERANCE
    assert found.is_doubtful is (abs(error) > TOLERANCE)
    assert found.error in (error, timedelta(0))


@given(error=ERRORS)
def test_after_a_boot_nothing_is_dated_more_than_a_year_ahead_nor_before_facemon(error: timedelta) -> None:
    found = judged(reading(NOW + error, "c"), reading(NOW), NOW)
    assert EARLIEST <= found.now <= NOW + LONGEST_IDLE
    assert found.is_doubtful is not (-TOLERANCE <= error <= LONGEST_IDLE)


@pytest.mark.parametrize(
    ("clock", "said"),
    [
        (datetime(2040, 1, 1, tzinfo=UTC), "the clock says 2040-01-01 00:00 UTC, 4,786 days ahead of 2026-11-23 02:00"),
        (NOW - 36 * HOUR, "the clock says 2026-11-21 14:00 UTC, 1 day behind 2026-11-23 02:00 UTC, the time of the"),
        (datetime(1960, 1, 1, tzinfo=UTC), "the clock says a time before 1970, 24,433 days behind 2026-11-23 02:00"),
    ],
)
def test_the_message_names_both_times_and_the_witness(clock: datetime, said: str) -> None:
    message = judged(reading(clock, "c"), None, NOW).message(clock)
    assert message.startswith(said)
    assert message.endswith(f", {BATCH}")
