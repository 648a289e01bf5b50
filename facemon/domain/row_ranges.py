"""Which inputs of a run are meant, as ranges of their ordinals: few numbers, however many inputs there are."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Ranges = Sequence[tuple[int, int]]
"""Sorted ranges that neither meet nor touch: the first number, and the one behind the last."""


def united(*parts: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the ranges of all numbers that lie in any of the parts."""
    found: list[tuple[int, int]] = []
    for first, end in sorted(each for part in parts for each in part):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((first, end))
    return found


def meet(left: Ranges, right: Ranges) -> bool:
    """Whether a number lies in both."""
    return _size(united(left, right)) < _size(left) + _size(right)


def is_within(inner: Ranges, outer: Ranges) -> bool:
    """Whether each number of the one lies in the other."""
    return _size(united(inner, outer)) == _size(outer)


def _size(ranges: Ranges) -> int:
    return sum(end - first for first, end in ranges)


def ranges_of(numbers: "NDArray[np.int64]") -> list[tuple[int, int]]:
    """Return the ranges of some numbers, in any order and repeated."""
    import numpy as np

    if not len(numbers):
        return []
    known = np.unique(numbers)
    cuts = np.flatnonzero(np.diff(known) > 1)
    firsts, lasts = np.append(known[:1], known[cuts + 1]), np.append(known[cuts], known[-1:])
    return [(int(first), int(last) + 1) for first, last in zip(firsts, lasts, strict=True)]


def inside(numbers: "NDArray[np.int64]", ranges: Ranges) -> "NDArray[np.bool_]":
    """Return for each number whether it lies in the ranges."""
    import numpy as np

    if not ranges:
        return np.zeros(len(numbers), np.bool_)
    edges = np.array(ranges, np.int64).ravel()
    is_inside: NDArray[np.bool_] = np.searchsorted(edges, numbers, side="right") % 2 == 1
    return is_inside
