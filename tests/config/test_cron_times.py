"""Crontab lines mean what crontab(5) says, and what schedulers would read in different ways is refused."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.config.cron_times import CronTimes
from facemon.config.loader import parse_config
from facemon.errors import ConfigError
from tests.config.config_files import faults_of
from tests.config.crontab_lines import is_due, lines

START = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.integers(0, 4 * 366 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))


@given(lines(), moments)
def test_a_line_comes_due_when_crontab_says(line: str, moment: datetime) -> None:
    times = CronTimes.parse(line)
    due = moment.minute in times.minutes and moment.hour in times.hours and times.is_on(moment)
    assert due == is_due(line, moment)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0 2 * *", "needs five fields"),
        ("0  2 * * *", "needs five fields"),
        ("60 2 * * *", "'60' is not a valid minute, which goes from 0 to 59"),
        ("0 2 0 * *", "'0' is not a valid day of the month, which goes from 1 to 31"),
        ("0 2 * * 7", "'7' is not a valid weekday, which goes from 0 to 6"),
        ("0 5-2 * * *", "'5-2' is not a valid hour, which goes from 0 to 23"),
        ("*/90 * * * *", r"'\*/90' is not a valid minute"),
        ("5/15 * * * *", "'5/15' is not a valid minute: write"),
        ("0 2 * * MON", "'MON' is not a valid weekday: write"),
        ("@daily", "needs five fields"),
        ("0 2 31 2,4 *", "never comes"),
        ("0 2 */2 * 1", "which schedulers read in two ways"),
        ("0 2 1 * 1,*", "which schedulers read in two ways"),
    ],
)
def test_what_is_no_line_is_refused_with_its_reason(line: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        CronTimes.parse(line)


def test_a_leap_day_comes() -> None:
    assert CronTimes.parse("0 2 29 2 *").days == (29,)


@pytest.mark.parametrize(
    ("line", "shortest", "longest"),
    [
        ("* * * * *", timedelta(minutes=1), timedelta(minutes=1)),
        ("*/15 * * * *", timedelta(minutes=15), timedelta(minutes=15)),
        ("58,2 * * * *", timedelta(minutes=4), timedelta(minutes=56)),
        ("0 2 * * *", timedelta(days=1), timedelta(days=1)),
        ("0 2,14 * * 1-5", timedelta(hours=12), timedelta(days=2, hours=12)),
        ("0 0 1,15 * 1", timedelta(days=1), timedelta(days=7)),
        ("0 0 29 2 *", timedelta(days=1), timedelta(days=4 * 365 + 1)),
    ],
)
def test_the_time_between_two_checks(line: str, shortest: timedelta, longest: timedelta) -> None:
    times = CronTimes.parse(line)
    assert (times.shortest_gap(), times.longest_gap()) == (shortest, longest)


@pytest.mark.usefixtures("empty_folder")
def test_faults_of_a_schedule_are_told_at_their_place() -> None:
    assert faults_of('schedule: {drift_check: "61 2 * * *"}') == [
        "1:25: schedule.drift_check: '61' is not a valid minute, which goes from 0 to 59"
    ]
    assert faults_of('schedule: {drift_check: "*/2 * * * *", targets: [github]}') == [
        "1:25: schedule.drift_check: github starts nothing twice within 5 minutes"
    ]
    assert faults_of("schedule: {targets: [cron], retrain: [./retrain.sh]}") == [
        "1:38: schedule.retrain: is for airflow, which targets does not name"
    ]
    assert faults_of("schedule: {targets: [github], user: faces}") == [
        "1:37: schedule.user: is for cron and systemd, which targets does not name"
    ]


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("directory: faces", "must be an absolute path without control characters"),
        ('directory: "/srv/a\\nb"', "must be an absolute path without control characters"),
        ("command: ./facemon", "must be an absolute path, or a command's name alone"),
        ("command: a b", "must be an absolute path, or a command's name alone"),
        ("user: Root", "must be a user's name"),
        ("runner: []", "is empty, must not be"),
    ],
)
def test_places_that_no_scheduler_could_use_are_refused(key: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        parse_config(f"schedule: {{{key}}}", name="facemon.yaml", directory=Path("/srv/faces"))
