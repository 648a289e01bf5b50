"""Both distributions of a column over the same few groups, for people to look at."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """The shares of each group in the reference and in the current data.

    The groups are labels, the most frequent first, or ranges of numbers in ascending order. The shares of a side
    add up to 1, or are all 0 where it has no rows.
    """

    groups: tuple[str, ...]
    reference: tuple[float, ...]
    current: tuple[float, ...]
    is_ordered: bool
    """Whether the groups are ranges of numbers."""
    cuts: tuple[float, ...] = ()
    """Where ranges begin, one for each group from the last backwards; the first of them begins below its cut."""
