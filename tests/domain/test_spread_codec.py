import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.daily_spread import daily_spreads
from facemon.domain.profile import Profile, add_profiles
from facemon.domain.spread import Spread, SpreadProfile
from facemon.domain.spread_codec import decode_spreads, encode_spreads
from tests.domain.drawn_profiles import profiles
from tests.domain.spread_of_hours import hourly_spreads
from tests.domain.spread_oracle import plain


@given(st.lists(profiles(), max_size=5), st.booleans())
def test_spreads_come_back_from_their_bytes(hours: list[Profile], has_days: bool) -> None:
    days = daily_spreads([{"a": hour} for hour in hours], {"a": add_profiles(hours)}).whole if has_days else {}
    spreads = SpreadProfile(hourly_spreads(list(enumerate(hours))), days)
    data = encode_spreads(spreads)
    back = decode_spreads(data)
    for before, now in ((spreads.hours, back.hours), (spreads.days, back.days)):
        assert list(now) == list(before)
        for name, spread in before.items():
            assert (now[name].weight, now[name].pairs) == (spread.weight, spread.pairs)
            assert (now[name].labels, now[name].bins.tolist()) == (spread.labels, spread.bins.tolist())
            assert [now[name].sums.dtype, now[name].bins.dtype] == [np.dtype("f8"), np.dtype("i4")]
            sums, held = plain(spread)[0], plain(now[name])[0]
            assert list(held.values()) == pytest.approx(list(sums.values()), rel=1e-6, abs=1e-9)


def test_what_rounds_is_each_variance_and_not_its_steps() -> None:
    """The variance after a large one keeps its own precision."""
    steps = np.diff([1e-3 / 3, 1e9 / 7, 1e-3 / 3], prepend=0.0)
    back = decode_spreads(encode_spreads(SpreadProfile({"n": Spread(steps, 1.0, 1, bins=np.arange(3, dtype="i4"))})))
    assert np.cumsum(back.hours["n"].sums)[[0, 2]] == pytest.approx(1e-3 / 3, rel=1e-4)
