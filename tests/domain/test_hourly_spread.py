import random
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from facemon.domain import hour_table
from facemon.domain.hourly_spread import add_hours
from facemon.domain.profile import ColumnKind, Profile, add_profiles, binned_counts, categorical_counts
from facemon.domain.spread import Spread, add_column_spreads, add_spreads
from tests.domain.drawn_profiles import profiles
from tests.domain.spread_of_hours import hourly_spreads
from tests.domain.spread_oracle import assert_alike, plain, slow_hourly

hours_of_a_source = st.lists(st.tuples(st.integers(-3, 9), profiles()), max_size=8)


@pytest.mark.parametrize(
    ("widest", "filled"),
    [(1 << 17, 2), (1 << 30, 1 << 30), (1 << 17, 0), (0, 2)],
    ids=["as it is", "all", "held", "sorted"],
)
@given(hours=hours_of_a_source)
def test_spreads_are_what_each_pair_of_hours_says(widest: int, filled: int, hours: list[tuple[int, Profile]]) -> None:
    """Hours come in any order and more than once; the table of bins is a matter of speed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hour_table, "_WIDEST", widest)
        patch.setattr(hour_table, "_FILLED", filled)
        found = hourly_spreads(hours)
    in_order = [add_profiles(p for hour, p in hours if hour == each) for each in sorted({hour for hour, _ in hours})]
    names = {name for _, profile in hours for name in profile.columns}
    assert set(found) == names
    for name in names:
        assert_alike(found[name], slow_hourly([each.columns[name] for each in in_order if name in each.columns]))


@given(hours_of_a_source)
def test_the_hours_add_up_to_the_profile_that_they_always_did(hours: list[tuple[int, Profile]]) -> None:
    assert add_hours(hours)[0] == add_profiles(profile for _, profile in hours)


def test_a_column_without_rows_stays_and_has_no_spread() -> None:
    empty = Profile(3, 0, 0, {"beard": categorical_counts({})})
    whole, spreads = add_hours([(1, empty), (2, empty)])
    assert whole == add_profiles([empty, empty])
    assert spreads == {}


def test_one_hour_has_no_spread_yet() -> None:
    profile = Profile(9, 9, 9, {"beard": categorical_counts({"no": 4, "yes": 5})})
    found = hourly_spreads([(7, profile), (7, profile)])["beard"]
    assert found == Spread(np.zeros(2), 0.0, 0, ("no", "yes"))


@given(st.lists(hours_of_a_source.map(hourly_spreads), max_size=5), st.randoms(use_true_random=False))
def test_spreads_add_up_in_any_order_and_grouping(parts: list[dict[str, Spread]], chance: random.Random) -> None:
    whole = add_column_spreads(parts)
    chance.shuffle(parts)
    cut = chance.randint(0, len(parts))
    step_by_step: dict[str, Spread] = reduce(lambda left, right: add_column_spreads([left, right]), parts, {})
    halves = add_column_spreads([add_column_spreads(parts[:cut]), add_column_spreads(parts[cut:])])
    for other in (step_by_step, halves):
        assert set(other) == set(whole)
        for name, spread in whole.items():
            assert_alike(other[name], plain(spread))


def test_steps_of_different_bins_add_up_to_the_sum_of_the_variances() -> None:
    """Up to bin 3 the second source has the variance that it has up to its bin 2."""
    one = Spread(np.array([1.0, 4.0, -5.0]), 2.0, 1, bins=np.array([1, 3, 5], np.int32))
    other = Spread(np.array([7.0, -7.0]), 3.0, 4, bins=np.array([2, 4], np.int32))
    sums, weight, pairs = plain(add_spreads([one, other]))
    assert sums == {1: 1.0, 2: 8.0, 3: 12.0, 4: 5.0, 5: 0.0}
    assert (weight, pairs) == (5.0, 5)
    assert add_spreads([]) == Spread(np.empty(0), 0, 0)


def test_independent_rows_have_the_variance_of_one_row() -> None:
    """Whatever the rows of each hour: the sums over the weight are p(1-p), as far as chance lets them."""
    rng = np.random.default_rng(3)
    shares = np.array([0.1, 0.2, 0.4, 0.3])
    hours = []
    for hour in range(4000):
        counts = rng.multinomial(rng.integers(1, 200), shares)
        hours.append(
            (
                hour,
                Profile(
                    columns={
                        "label": categorical_counts(dict(zip("abcd", counts.tolist(), strict=True))),
                        "number": binned_counts(np.arange(4, dtype=np.int32), counts, ColumnKind.NUMBER),
                    }
                ),
            )
        )
    found = hourly_spreads(hours)
    label, number = found["label"], found["number"]
    # The sum has a standard error of about 2 %: neighbouring pairs share an hour.
    assert label.sums / label.weight == pytest.approx(shares * (1 - shares), rel=0.06)
    up_to = np.cumsum(shares)
    assert np.cumsum(number.sums)[:3] / number.weight == pytest.approx((up_to * (1 - up_to))[:3], rel=0.06)
    assert np.cumsum(number.sums)[3] == pytest.approx(0, abs=1e-6)


def test_rows_that_repeat_have_a_larger_variance_and_a_slow_change_has_not() -> None:
    rng = np.random.default_rng(4)

    def of_rates(rates: np.ndarray, repeats: int) -> float:
        hours = []
        for hour, rate in enumerate(rates):
            yes = int(rng.binomial(300 // repeats, rate)) * repeats
            hours.append((hour, Profile(columns={"beard": categorical_counts({"no": 300 - yes, "yes": yes})})))
        spread = hourly_spreads(hours)["beard"]
        return float(spread.sums[0] / spread.weight)

    level = np.full(3000, 0.4)
    assert of_rates(level, 1) == pytest.approx(0.24, rel=0.08)
    assert of_rates(level, 10) == pytest.approx(2.4, rel=0.08)
    daylight = 0.4 + 0.1 * np.sin(np.arange(3000) * 2 * np.pi / 24)
    assert of_rates(daylight, 1) < 0.4 < 0.24 + 300 * np.var(daylight) / 2


@pytest.mark.parametrize("at", [12, 23])
def test_a_break_between_two_states_is_not_a_spread(at: int) -> None:
    """A camera goes dark, or all beards are off, from one hour on."""
    rng = np.random.default_rng(5)
    hours = []
    for hour in range(24):
        yes = int(rng.binomial(100, 0.3 if hour < at else 0.9))
        bins = np.round(rng.normal(50 if hour < at else 10, 3, 100)).astype(np.int32)
        columns = {
            "beard": categorical_counts({"no": 100 - yes, "yes": yes}),
            "image_brightness": binned_counts(bins, np.ones(100, np.int64), ColumnKind.NUMBER),
        }
        hours.append((hour, Profile(100, 100, 100, columns)))
    found = hourly_spreads(hours)
    for name, variance in (("beard", 0.42), ("image_brightness", None)):
        spread = found[name]
        assert spread.pairs == 22
        if variance is not None:
            assert spread.sums.sum() / spread.weight == pytest.approx(variance, rel=0.5)
    assert (np.cumsum(found["image_brightness"].sums) / found["image_brightness"].weight).max() < 0.6


def beards(yes: NDArray[np.int64]) -> list[tuple[int, Profile]]:
    """Hours of 40 rows each."""
    counts = [categorical_counts({"yes": number, "no": 40 - number}) for number in yes.tolist()]
    return [(hour, Profile(40, 40, 40, {"x": each})) for hour, each in enumerate(counts)]


def test_independent_rows_and_rare_frames_have_no_breaks_to_speak_of() -> None:
    rng = np.random.default_rng(6)
    left_out = pairs = 0
    for _ in range(300):
        left_out += 23 - hourly_spreads(beards(rng.binomial(40, 0.3, 24)))["x"].pairs
        pairs += 23
    assert left_out / pairs < 0.006
    # Ten frames of one person with a hat, once a day.
    assert hourly_spreads(beards(np.where(np.arange(24) == 7, 10, 0)))["x"].pairs == 23
