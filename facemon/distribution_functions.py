"""scipy's distribution functions, imported without the parts of numpy that scipy's array layer would load."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
from numpy.typing import NDArray


@contextmanager
def _only_what_is_loaded() -> Iterator[None]:
    """Let numpy name only the submodules that are loaded already.

    scipy.special clones numpy's namespace for other array libraries, and touches every name of it: f2py, ma, testing
    and others, which numpy loads when they are first asked for, and which nothing here asks for. They cost as much
    as the functions themselves.
    """
    names, exported = np.__dir__, np.__all__
    loaded = list(vars(np))
    np.__dir__ = lambda: loaded  # type: ignore[method-assign]
    np.__all__ = [name for name in exported if name in vars(np)]
    try:
        yield
    finally:
        np.__dir__, np.__all__ = names, exported  # type: ignore[method-assign]


if "scipy.special" in sys.modules:
    import scipy.special as _special
else:
    with _only_what_is_loaded():
        import scipy.special as _special

bdtr = _special.bdtr
betaincinv = _special.betaincinv
chdtrc = _special.chdtrc
chdtri = _special.chdtri
chndtr = _special.chndtr
chndtrinc = _special.chndtrinc
fdtrc = _special.fdtrc
gammaln = _special.gammaln
kolmogi = _special.kolmogi
kolmogorov = _special.kolmogorov
ndtr = _special.ndtr
ndtri = _special.ndtri
psi = _special.psi
stdtr = _special.stdtr
stdtrit = _special.stdtrit
zeta = _special.zeta

_TABULATED = 1 << 14
"""Factorials up to here are looked up: exact tests of small windows ask for the same ones thousands of times."""


def log_factorials(first: int, last: int) -> NDArray[np.float64]:
    """Return the logarithms of the factorials of the whole numbers from `first` to `last`, which are not negative."""
    if last < _TABULATED:
        return _log_factorials()[first : last + 1]
    return np.asarray(gammaln(np.arange(first + 1, last + 2)))


@cache
def _log_factorials() -> NDArray[np.float64]:
    return np.asarray(gammaln(np.arange(1, _TABULATED + 1)))
