"""What a reference leaves of a window: never a row of its own, always one span, and the reason where none is left."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.drift.window_cut import cut_window

ZERO = datetime(2026, 11, 1, tzinfo=UTC)
TAKEN = (10, 20)


def at(hour: int) -> datetime:
    return ZERO + timedelta(hours=hour)


@pytest.mark.parametrize(
    ("window", "left"),
    [
        ((0, 5), (0, 5)), ((0, 10), (0, 10)), ((20, 30), (20, 30)), ((25, 30), (25, 30)),
        ((10, 21), (20, 21)), ((15, 30), (20, 30)), ((5, 30), (20, 30)), ((5, 20), (5, 10)), ((5, 15), (5, 10)),
        ((10, 20), None), ((12, 15), None), ((10, 11), None),
    ],
)  # fmt: skip
def test_what_is_left(window: tuple[int, int], left: tuple[int, int] | None) -> None:
    cut = cut_window(at(window[0]), at(window[1]), (at(TAKEN[0]), at(TAKEN[1])), name="normal")
    if left is None:
        assert cut.empty_because == (
            "the window lies within the reference normal: the first check can run after 2026-11-01 20:00 UTC"
        )
        assert (cut.since, cut.until, cut.note) == (at(window[0]), at(window[1]), None)
        return
    assert (cut.since, cut.until, cut.empty_because) == (at(left[0]), at(left[1]), None)
    assert (cut.note is None) == (left == window)


@given(st.lists(st.integers(0, 40), min_size=4, max_size=4).filter(lambda n: n[0] < n[1] and n[2] < n[3]))
def test_no_row_is_on_both_sides(numbers: list[int]) -> None:
    since, until, first, last = map(at, numbers)
    cut = cut_window(since, until, (first, last))
    if cut.empty_because is None:
        assert since <= cut.since < cut.until <= until
        assert cut.until <= first or last <= cut.since
    else:
        assert first <= since < until <= last


def test_without_a_window_of_the_reference() -> None:
    cut = cut_window(at(0), at(1), None)
    assert (cut.since, cut.until, cut.note, cut.empty_because) == (at(0), at(1), None, None)
