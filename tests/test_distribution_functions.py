import numpy as np
import pytest
from scipy.special import gammaln

from facemon.distribution_functions import log_factorials


@pytest.mark.parametrize(("first", "last"), [(0, 0), (3, 9), (16_000, 16_383), (16_000, 16_384), (90_000, 90_005)])
def test_factorials_that_are_looked_up_are_those_that_are_computed(first: int, last: int) -> None:
    assert np.array_equal(log_factorials(first, last), gammaln(np.arange(first, last + 1) + 1))
