"""Ranges of ordinals say of each number what the numbers themselves say."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.row_ranges import inside, is_within, meet, ranges_of, united

NUMBERS = st.sets(st.integers(0, 30))


def of(numbers: set[int]) -> list[tuple[int, int]]:
    return ranges_of(np.array([*numbers, *numbers], np.int64))


@given(NUMBERS, NUMBERS)
def test_ranges_are_the_sets_that_they_mean(left: set[int], right: set[int]) -> None:
    every = np.arange(31)
    assert {number for first, end in of(left) for number in range(first, end)} == left
    assert set(every[inside(every, of(left))].tolist()) == left
    assert united(of(left), of(right)) == of(left | right)
    assert meet(of(left), of(right)) == bool(left & right)
    assert is_within(of(left), of(right)) == (left <= right)


def test_many_ranges_are_compared_at_once() -> None:
    """Images of a run whose dates are in no order: each delivery has every eighth, and there are 131,072 of them."""
    left, right = ([(8 * place + first, 8 * place + first + 1) for place in range(131_072)] for first in (0, 3))
    assert not meet(left, right)
    assert meet(left, [*right[:-1], left[-1]])
    assert is_within(left, united(left, right))
    assert not is_within(united(left, right), left)
