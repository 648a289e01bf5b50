import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.daily_spread import daily_spreads
from facemon.domain.profile import ColumnCounts, Profile, add_profiles, categorical_counts
from facemon.domain.spread import Spread
from tests.domain.drawn_profiles import profiles
from tests.domain.spread_oracle import Key, assert_alike, counted, share

Day = dict[str | None, Profile]
days_of_sources = st.lists(st.dictionaries(st.sampled_from(["a", "b", None]), profiles()), min_size=1, max_size=8)


def added_up(days: list[Day]) -> Day:
    return {source: add_profiles(d[source] for d in days if source in d) for source in {s for day in days for s in day}}


def slow_variance(shares: list[dict[Key, float]], rows: list[int]) -> tuple[dict[Key, float], float, int]:
    keys: list[Key] = sorted({key for day in shares for key in day})
    if len(rows) == 1:
        return dict.fromkeys(keys, 0.0), 0.0, 0
    weights = [count / sum(rows) for count in rows]
    spread = {}
    for key in keys:
        of_days = [day[key] for day in shares]
        mean = sum(weight * value for weight, value in zip(weights, of_days, strict=True))
        squares = sum(weight * (value - mean) ** 2 for weight, value in zip(weights, of_days, strict=True))
        spread[key] = squares / (1 - sum(weight**2 for weight in weights))
    return spread, 1.0, len(rows) - 1


def keys_of(columns: list[ColumnCounts]) -> set[Key]:
    return {key for column in columns for key in counted(column)}


@given(days_of_sources)
def test_each_source_varies_as_its_days_do(days: list[Day]) -> None:
    found = daily_spreads(days, added_up(days)).by_source
    assert set(found) == {source for day in days for source in day}
    for source, spreads in found.items():
        held = [day[source] for day in days if source in day]
        assert set(spreads) == {name for profile in held for name in profile.columns}
        for name, spread in spreads.items():
            columns = [profile.columns[name] for profile in held if name in profile.columns]
            shares = [{key: share(column, key) for key in keys_of(columns)} for column in columns]
            assert_alike(spread, slow_variance(shares, [column.total for column in columns]))


@given(days_of_sources)
def test_the_whole_varies_as_its_days_do_at_a_fixed_mix_of_sources(days: list[Day]) -> None:
    whole = added_up(days)
    found = daily_spreads(days, whole).whole
    for name, spread in found.items():
        held = [
            {source: profile.columns[name] for source, profile in day.items() if name in profile.columns}
            for day in days
        ]
        held = [day for day in held if day]
        keys = keys_of([column for day in held for column in day.values()])
        shares = []
        for day in held:
            mix = {source: whole[source].columns[name].total for source in day}
            shares.append(
                {
                    key: sum(mix[source] * share(column, key) for source, column in day.items()) / sum(mix.values())
                    for key in keys
                }
            )
        assert_alike(spread, slow_variance(shares, [sum(c.total for c in day.values()) for day in held]))


def of_share(yes: int, rows: int = 100) -> Profile:
    return Profile(columns={"beard": categorical_counts({"no": rows - yes, "yes": yes})})


def test_a_day_with_more_rows_of_one_camera_is_no_other_day() -> None:
    """Two cameras that never change; how much each sees does."""
    days: list[Day] = [{"a": of_share(10 * n, 100 * n), "b": of_share(90)} for n in (1, 5, 2, 9, 3, 1, 4)]
    found = daily_spreads(days, added_up(days))
    assert found.whole["beard"].sums == pytest.approx([0, 0], abs=1e-12)
    assert found.by_source["a"]["beard"].sums == pytest.approx([0, 0], abs=1e-12)
    assert (found.whole["beard"].weight, found.whole["beard"].pairs) == (1.0, 6)


def test_equal_days_give_the_variance_of_a_sample() -> None:
    shares = [10, 30, 20, 50, 40, 30, 20]
    found = daily_spreads([{None: of_share(share)} for share in shares], {None: of_share(1)})
    variance = np.var(np.array(shares) / 100, ddof=1)
    for spread in (found.whole["beard"], found.by_source[None]["beard"]):
        assert spread.sums == pytest.approx([variance, variance])


def test_one_day_has_no_variance() -> None:
    found = daily_spreads([{"a": of_share(3)}, {}], {"a": of_share(3)})
    none = Spread(np.zeros(2), 0.0, 0, ("no", "yes"))
    assert (found.whole, found.by_source) == ({"beard": none}, {"a": {"beard": none}})
    assert daily_spreads([], {}).whole == {}
