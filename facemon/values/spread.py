"""How much the shares of a column vary from hour to hour and from day to day within one source.

Frames of one camera repeat: the rows of an hour are fewer observations than they look. The variance between hours
tells how many they are worth, whatever the reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spread:
    """The variances of the shares of one column, for each of its keys.

    `labels` or `bins` are the keys, as in `ColumnCounts`; `sums` is float64, as long as either. The variance of a
    label's share is `sums / weight`. For bins it is that of the share up to and including the bin, and the sums are
    its steps: `cumsum(sums) / weight`. So spreads of several sources or spans add up key by key, as counts do.
    """

    sums: Floats
    weight: float
    pairs: int
    """Pairs of consecutive hours, or the number of days less one: the degrees of freedom."""
    labels: tuple[str, ...] = ()
    bins: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))


@dataclass(frozen=True, slots=True)
class SpreadProfile:
    """The spreads of every column of one source, or of all sources together.

    `hours`: the variance of one row. Of n rows the share has this variance over n. With the share p of a key in two
    consecutive hours of n and n' rows, and q = n·n'/(n+n'), `sums` is Σ q²·(p-p')² and `weight` is Σ q; in
    independent rows each q·(p-p')² has the expectation p(1-p) (von Neumann 1941, of successive differences). A slow
    change over the day, such as daylight, hardly adds to it.
    `days`: the variance of the share of a whole day, over at least 7 days of a reference; `weight` is 1.
    """

    hours: Mapping[str, Spread] = field(default_factory=dict)
    days: Mapping[str, Spread] = field(default_factory=dict)
