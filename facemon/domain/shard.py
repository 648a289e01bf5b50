"""A shard of a manifest: one of a number of parts, each of which is predicted as a whole."""

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple, Self

_TEXT = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


class Shard(NamedTuple):
    """Which part of how many; they are numbered from 1."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a text such as 17/256; ValueError where it is none."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError("write K/N, such as 17/256")
        number, count = int(match[1]), int(match[2])
        if not 1 <= number <= count:
            raise ValueError("shards are numbered from 1 to N, so K is 1 at least and N at most")
        return cls(number, count)

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def span(self, rows: int) -> tuple[int, int]:
        """Return the first row of the shard, counted from 0, and the one behind its last.

        The shards of a number of rows follow one another without a gap, and their sizes differ by one at most. With
        more shards than rows some are empty.
        """
        return rows * (self.number - 1) // self.of, rows * self.number // self.of


def gaps(numbers: Collection[int], of: int) -> list[tuple[int, int]]:
    """Return which of the numbers from 1 to `of` are missing, as ranges with both ends inside."""
    found, following = [], 1
    for number in [*sorted(numbers), of + 1]:
        if number > following:
            found.append((following, number - 1))
        following = number + 1
    return found


def shown_ranges(found: Iterable[tuple[int, int]]) -> str:
    """Return ranges as text, such as 3, 7-9."""
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in found)
