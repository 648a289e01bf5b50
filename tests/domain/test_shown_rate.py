"""Rates for people: none that is above zero is shown as 0."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.shown_rate import shown_rate


@pytest.mark.parametrize(
    ("count", "seconds", "said"),
    [
        (500, 2.0, "250 images/s"), (7, 2.0, "4 images/s"), (1, 1.5, "1 images/s"), (4, 60.0, "4 images/min"),
        (3, 7200.0, "2 images/h"), (0, 5.0, "0 images/h"),
    ],
)  # fmt: skip
def test_the_period_is_the_shortest_in_which_something_happens(count: int, seconds: float, said: str) -> None:
    assert shown_rate(count, seconds, "images") == said


@given(count=st.integers(1, 10**9), seconds=st.floats(0.01, 3600))
def test_what_happens_within_an_hour_is_never_zero(count: int, seconds: float) -> None:
    assert not shown_rate(count, seconds, "shards").startswith("0 ")
