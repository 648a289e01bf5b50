"""How much the shares of a column vary from hour to hour and from day to day within one source.

Frames of one camera repeat: the rows of an hour are fewer observations than they look. The variance between hours
tells how many they are worth, whatever the reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from facemon.domain.array_types import Floats

_ZERO = np.zeros(1)


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
    _below: Floats | None = field(default=None, init=False, repr=False)

    @property
    def below(self) -> Floats:
        """The sum of the steps before each key, and before the end: float64, one more than the sums."""
        if self._below is None:
            object.__setattr__(self, "_below", np.concatenate([_ZERO, np.cumsum(self.sums)]))
        assert self._below is not None  # noqa: S101 - for mypy
        return self._below

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Spread):
            return NotImplemented
        return (
            (self.weight, self.pairs, self.labels) == (other.weight, other.pairs, other.labels)
            and np.array_equal(self.bins, other.bins)
            and np.array_equal(self.sums, other.sums)
        )

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class SpreadProfile:
    """The spreads of every column of one source, or of all sources together.

    `hours`: the variance of one row. Of n rows the share has this variance over n. With the share p of a key in two
    consecutive hours of n and n' rows, and q = n·n'/(n+n'), `sums` is Σ q²·(p-p')² and `weight` is Σ q; in
    independent rows each q·(p-p')² has the expectation p(1-p) (von Neumann 1941, of successive differences). A slow
    change over the day, such as daylight, hardly adds to it, and a break between two states is left out.
    `days`: the variance of the share of a whole day, over at least 7 days of a reference; `weight` is 1.
    """

    hours: Mapping[str, Spread] = field(default_factory=dict)
    days: Mapping[str, Spread] = field(default_factory=dict)


def add_spreads(parts: Sequence[Spread]) -> Spread:
    """Add up the spreads of one column: a key that a part lacks adds nothing, and so does a step that it lacks."""
    if len(parts) == 1:
        return parts[0]
    weight, pairs = sum(part.weight for part in parts), sum(part.pairs for part in parts)
    if parts and all(_has_same_keys(part, parts[0]) for part in parts):
        sums = sum((part.sums for part in parts[1:]), start=parts[0].sums)
        return Spread(sums, weight, pairs, parts[0].labels, parts[0].bins)
    if any(part.labels for part in parts):
        by_label: dict[str, float] = {}
        for part in parts:
            for label, value in zip(part.labels, part.sums.tolist(), strict=True):
                by_label[label] = by_label.get(label, 0.0) + value
        labels = tuple(sorted(by_label))
        return Spread(np.array([by_label[label] for label in labels], np.float64), weight, pairs, labels)
    bins, places = np.unique(
        np.concatenate([np.empty(0, np.int32), *(part.bins for part in parts)]), return_inverse=True
    )
    steps = np.concatenate([np.empty(0), *(part.sums for part in parts)])
    return Spread(np.bincount(places, steps, len(bins)).astype(np.float64), weight, pairs, bins=bins)


def _has_same_keys(spread: Spread, other: Spread) -> bool:
    if len(spread.sums) != len(other.sums) or spread.labels != other.labels:
        return False
    return spread.bins is other.bins or np.array_equal(spread.bins, other.bins)


def add_column_spreads(parts: Iterable[Mapping[str, Spread]]) -> dict[str, Spread]:
    """Add up spreads by column, column by column."""
    gathered: dict[str, list[Spread]] = {}
    for part in parts:
        for name, spread in part.items():
            gathered.setdefault(name, []).append(spread)
    return {name: add_spreads(gathered[name]) for name in sorted(gathered)}
