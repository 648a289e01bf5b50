"""A window is the same whether its ends are given as text or as values."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from facemon.application.time_window import window_of
from facemon.errors import UsageError

NOW = datetime(2026, 11, 30, 12, 30, tzinfo=UTC)
DAY, NOON = timedelta(days=1), datetime(2026, 11, 29, 12, tzinfo=UTC)
EAST, WEST = timezone(timedelta(hours=1)), timezone(timedelta(hours=-1))
IN_INDIA = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))


@pytest.mark.parametrize(
    ("given", "window"),
    [
        ([(None, None)], (NOW - DAY, NOW)),
        ([("36h", None), (timedelta(hours=36), None)], (NOW - timedelta(hours=36), NOW)),
        (
            [("2026-11-29T12:00:00Z", None), (NOON, None), (NOON.replace(tzinfo=None), None), (IN_INDIA, None)],
            (NOON, NOW),
        ),
        ([("1d", "2026-11-29T12:00:00Z"), (DAY, NOON), ("1d", IN_INDIA), (None, NOON)], (NOON - DAY, NOON)),
    ],
)
def test_text_and_values(given: list[tuple[object, object]], window: tuple[datetime, datetime]) -> None:
    for since, until in given:
        assert window_of(since, until, DAY, NOW) == window  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        ("24hh", None, "--since 24hh: write a duration such as 24h, or a time"),
        (None, "today", "--until today: write a time such as"),
        (timedelta(0), None, "is empty"),
        (NOW, NOON, "is empty"),
        (timedelta.max, None, "before the year 1"),
        (NOON.date(), None, r"--since datetime.date\(2026, 11, 29\): write a duration"),
        (24, None, "--since 24: write a duration"),
        (None, NOON.date(), r"--until datetime.date\(2026, 11, 29\): write a time"),
        (None, DAY, r"--until datetime.timedelta\(days=1\): write a time"),
        (None, 0, "--until 0: write a time"),
        (None, "", "--until : write a time"),
        (datetime.min.replace(tzinfo=EAST), None, "before the year 1 or after the year 9999"),
        (None, datetime.max.replace(tzinfo=WEST), "before the year 1 or after the year 9999"),
    ],
)
def test_windows_that_are_none(since: object, until: object, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        window_of(since, until, DAY, NOW)  # type: ignore[arg-type]


def test_a_command_s_own_options_are_named() -> None:
    options = ("--observed-since", "the present")
    with pytest.raises(UsageError, match="is empty") as caught:
        window_of("2030-01-01", None, DAY, NOW, options=options)
    assert caught.value.hint == "--observed-since must be before the present"
    with pytest.raises(UsageError, match="--observed-since soon: write a duration"):
        window_of("soon", None, DAY, NOW, options=options)
