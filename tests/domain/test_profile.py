import random
from functools import reduce

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.binning import MISSING
from facemon.domain.profile import (
    ColumnKind,
    Profile,
    Unit,
    add_profiles,
    binned_counts,
    categorical_counts,
    subtract_profile,
)
from tests.domain.drawn_profiles import profiles

MOST = 2**40


@given(st.lists(profiles(MOST), max_size=6), st.randoms(use_true_random=False))
def test_profiles_add_up_in_any_order_and_grouping(parts: list[Profile], chance: random.Random) -> None:
    whole = add_profiles(parts)
    chance.shuffle(parts)
    assert add_profiles(parts) == whole
    assert reduce(lambda left, right: add_profiles([left, right]), parts, Profile()) == whole
    cut = chance.randint(0, len(parts))
    assert add_profiles([add_profiles(parts[:cut]), add_profiles(parts[cut:])]) == whole
    assert whole.images == sum(part.images for part in parts)
    for name, column in whole.columns.items():
        assert column.total == sum(part.columns[name].total for part in parts if name in part.columns)
        keys = list(column.labels) or column.bins.tolist()
        assert keys == sorted(set(keys))


@given(profiles(MOST), profiles(MOST))
def test_what_was_added_can_be_taken_away(one: Profile, other: Profile) -> None:
    assert subtract_profile(add_profiles([one, other]), other) == one
    assert subtract_profile(one, one).is_empty
    assert subtract_profile(one, one).columns == {}


@given(st.lists(st.tuples(st.sampled_from([MISSING, -1, 0, 7]), st.integers(-3, 3)), max_size=9))
def test_repeated_bins_are_summed_and_zeros_dropped(pairs: list[tuple[int, int]]) -> None:
    found = binned_counts(
        np.array([place for place, _ in pairs], np.int32), np.array([n for _, n in pairs], np.int64), ColumnKind.NUMBER
    )
    sums = {place: sum(n for other, n in pairs if other == place) for place, _ in pairs}
    assert dict(zip(found.bins.tolist(), found.counts.tolist(), strict=True)) == {p: n for p, n in sums.items() if n}


def test_columns_of_different_counts_differ() -> None:
    one = categorical_counts({"yes": 1, "no": 0})
    assert one == categorical_counts({"yes": 1})
    assert one != categorical_counts({"yes": 2})
    assert one != categorical_counts({"no": 1})
    assert one != categorical_counts({"yes": 1}, Unit.IMAGE)
    assert one != "yes"
    assert Profile().is_empty
