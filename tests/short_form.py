"""Which of all combinations of a test's parameters `make test` runs; `make prove PART=tests` runs each of them."""

from collections.abc import Sequence
from itertools import product
from random import SystemRandom
from typing import TypeVar

import pytest
from _pytest.mark import ParameterSet
from hypothesis import settings


def combinations(*parameters: Sequence[object]) -> list[ParameterSet]:
    """All combinations of values; the short form keeps every other one.

    These are the combinations whose places in the lists have an even sum. So each value is kept, and with three
    parameters or more each pair of values of two parameters.
    """
    every = product(*(enumerate(values) for values in parameters))
    return [
        pytest.param(
            *(value for _, value in chosen),
            marks=[pytest.mark.only_at_length] if sum(place for place, _ in chosen) % 2 else [],
        )
        for chosen in every
    ]


Each = TypeVar("Each")


def some_of(every: Sequence[Each], share: int, at_length: bool) -> Sequence[Each]:
    """Return one in `share` of the values, others in each run and at least one; at length all of them."""
    if at_length:
        return every
    return every[SystemRandom().randrange(min(share, len(every))) :: share]


def examples(share: float) -> int:
    """Return a share of the examples that a test without a number of its own draws; for tests with slow examples."""
    usual = settings.default
    assert usual is not None
    return max(3, round(usual.max_examples * share))
