"""scipy's functions are found without the rest of scipy.special, which others still get whole."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.special import gammaln

from facemon.distribution_functions import log_factorials

_BOTH = """
import sys
from facemon import distribution_functions as ours
assert "scipy.special._ufuncs" in sys.modules and "scipy.special._support_alternative_backends" not in sys.modules
import scipy.special
assert not hasattr(scipy.special, "no_such_function")
assert scipy.special.softmax([0.0, 0.0]).tolist() == [0.5, 0.5]
names = [name for name in vars(ours) if name[0] != "_" and hasattr(scipy.special, name) and name != "zeta"]
assert len(names) > 10 and all(getattr(ours, name) is getattr(scipy.special, name) for name in names), names
assert ours.zeta(2.0, 3.0) == scipy.special.zeta(2.0, 3.0)
with scipy.special.errstate(all="raise"):
    try:
        scipy.special.gammaln(-1.0)
    except scipy.special.SpecialFunctionError:
        print("whole")
"""


def test_the_functions_alone_are_imported_and_the_rest_when_it_is_asked_for() -> None:
    assert subprocess.run([sys.executable, "-c", _BOTH], check=True, capture_output=True, text=True).stdout == "whole\n"


@pytest.mark.parametrize(("first", "last"), [(0, 0), (3, 9), (16_000, 16_383), (16_000, 16_384), (90_000, 90_005)])
def test_factorials_that_are_looked_up_are_those_that_are_computed(first: int, last: int) -> None:
    assert np.array_equal(log_factorials(first, last), gammaln(np.arange(first, last + 1) + 1))
