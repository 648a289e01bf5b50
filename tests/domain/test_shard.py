"""Shards: they partition the rows of a manifest, and missing ones are named as ranges."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.shard import Shard, gaps, shown_ranges


@given(rows=st.integers(0, 10_000), of=st.integers(1, 300))
def test_shards_partition_the_rows(rows: int, of: int) -> None:
    spans = [Shard(number, of).span(rows) for number in range(1, of + 1)]
    assert [row for first, end in spans for row in range(first, end)] == list(range(rows))
    sizes = {end - first for first, end in spans}
    assert max(sizes) - min(sizes) <= 1


@given(rows=st.integers(0, 10**12), of=st.integers(1, 10**9 - 1))
def test_the_first_and_the_last_shard_end_with_the_rows(rows: int, of: int) -> None:
    assert Shard(1, of).span(rows)[0] == 0
    assert Shard(of, of).span(rows)[1] == rows


@pytest.mark.parametrize("text", ["1/1", "17/256", "256/256", "007/8"])
def test_a_shard_is_read(text: str) -> None:
    number, of = map(int, text.split("/"))
    assert Shard.parse(text) == (number, of)
    assert Shard.parse(str(Shard(number, of))) == (number, of)


@pytest.mark.parametrize(
    "text", ["0/4", "5/4", "x", "", "1", "/4", "1/", "1/0", "-1/4", "1/4 ", "1.0/4", "1/1000000000", "٣/٤"]
)
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write K/N|numbered from 1"):
        Shard.parse(text)


@given(st.sets(st.integers(1, 60)), st.integers(60, 70))
def test_gaps_are_what_is_missing(numbers: set[int], of: int) -> None:
    found = gaps(numbers, of)
    missing = [number for first, last in found for number in range(first, last + 1)]
    assert missing == [number for number in range(1, of + 1) if number not in numbers]
    assert all(end + 1 < start for (_, end), (start, _) in pairwise(found))


def test_ranges_are_short() -> None:
    assert shown_ranges(gaps({1, 2, 4, 5, 6, *range(10, 25)}, 24)) == "3, 7-9"
    assert gaps({7}, 10**9) == [(1, 6), (8, 10**9)]
