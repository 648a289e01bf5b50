"""scipy's functions are found without the rest of scipy.special, which others still get whole."""

import subprocess
import sys

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
