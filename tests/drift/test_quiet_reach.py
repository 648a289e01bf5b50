from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from facemon.config.drift import DriftConfig
from facemon.domain.profile import ColumnCounts, ColumnKind, Unit, add_profiles, categorical_counts
from facemon.domain.source_buckets import SourceProfiles
from facemon.domain.spread import SpreadProfile
from facemon.drift.distances import ks_distance, total_variation
from facemon.drift.quiet_reach import KnownVariances, QuietColumn, column_worths, decides, joint_reach, reaches
from facemon.drift.sample import Sample
from tests.domain.spread_of_hours import hourly_spreads
from tests.drift.worlds import numbers, profile, single, yes_no

REPEATS = 4000
SETTINGS = DriftConfig()


def quiet_reach(reference: Sample, current: Sample, columns: list[QuietColumn], settings: DriftConfig) -> float:
    return joint_reach(column_worths(reference, current, [each.name for each in columns], settings), columns)


def reach(held: ColumnCounts, rows: float, threshold: float) -> float:
    return reaches([held], [rows], [threshold])[0]


def labels(shares: NDArray[np.float64]) -> ColumnCounts:
    return categorical_counts({f"label {at}": round(10_000 * share) for at, share in enumerate(shares)})


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.9, 0.1], [0.4, 0.3, 0.2, 0.1], [0.05] * 20])
@pytest.mark.parametrize("rows", [300, 2000])
@pytest.mark.parametrize("threshold", [0.05, 0.1])
def test_labels_reach_a_threshold_as_often_as_they_do(shares: list[float], rows: int, threshold: float) -> None:
    rng = np.random.default_rng(1)
    before, after = (rng.multinomial(count, shares, REPEATS) for count in (10_000, rows))
    seen = np.mean([total_variation(a, b) >= threshold for a, b in zip(before, after, strict=True)])
    expected = reach(labels(np.array(shares)), 10_000 * rows / (10_000 + rows), threshold)
    assert expected == pytest.approx(seen, abs=0.035)


@pytest.mark.parametrize("rows", [300, 2000])
def test_numbers_reach_a_threshold_as_often_as_they_do(rows: int) -> None:
    rng = np.random.default_rng(2)
    before, after = (rng.multinomial(count, np.full(300, 1 / 300), REPEATS) for count in (10_000, rows))
    seen = np.mean([ks_distance(a, b) >= 0.05 for a, b in zip(before, after, strict=True)])
    held = numbers(rng.normal(10, 1, 1000))
    assert reach(held, 10_000 * rows / (10_000 + rows), 0.05) == pytest.approx(seen, abs=0.08)


@given(st.integers(1, 999), st.integers(10, 10_000), st.integers(10, 10_000), st.floats(0.01, 0.5))
def test_more_rows_and_higher_thresholds_are_reached_less(yes: int, rows: int, more: int, threshold: float) -> None:
    held = yes_no(yes, 1000)
    assert reach(held, rows + more, threshold) <= reach(held, rows, threshold) + 1e-12
    assert reach(held, rows, 1.5 * threshold) <= reach(held, rows, threshold) + 1e-12


def test_only_the_number_of_the_current_rows_counts() -> None:
    reference = single(beard=yes_no(300, 1000))
    columns = [QuietColumn("beard", 0.05)]
    found = {quiet_reach(reference, single(beard=yes_no(yes, 500)), columns, SETTINGS) for yes in (1, 150, 499)}
    assert len(found) == 1


def test_too_few_rows_always_need_more() -> None:
    reference = single(beard=yes_no(300, 1000))
    assert quiet_reach(reference, single(beard=yes_no(9, 20)), [QuietColumn("beard", 0.9)], SETTINGS) == 1


def test_columns_that_more_rows_would_not_decide_do_not_count() -> None:
    reference = single(beard=yes_no(300, 1000), hair=yes_no(9, 1000))
    current = single(beard=yes_no(300, 1000))
    both = [QuietColumn("beard", 0.1), QuietColumn("hair", 0.1)]
    assert quiet_reach(reference, current, both, SETTINGS) == quiet_reach(reference, current, both[:1], SETTINGS)


@pytest.mark.parametrize(("rows", "is_decided"), [(150, False), (5000, True)])
def test_a_run_decides_where_its_rows_are_enough(rows: int, is_decided: bool) -> None:
    asked = [QuietColumn("beard", 0.05)]
    worths = column_worths(single(beard=yes_no(300, 1000)), single(beard=yes_no(9, rows)), ["beard"], SETTINGS)
    assert decides(worths, asked, SETTINGS) is is_decided


def test_a_threshold_of_zero_is_always_reached() -> None:
    assert reach(yes_no(1, 2), 1e9, 0.0) == 1


def test_more_columns_are_reached_more_often() -> None:
    columns = {f"a{at}": yes_no(300, 1000) for at in range(10)}
    reference, current = single(**columns), single(**columns)
    asked = [QuietColumn(name, 0.05) for name in columns]
    one = quiet_reach(reference, current, asked[:1], SETTINGS)
    assert quiet_reach(reference, current, asked, SETTINGS) == pytest.approx(1 - (1 - one) ** 10)


def test_sources_that_both_sides_hold_count_by_their_own_rows() -> None:
    def cameras(*rows: int) -> Sample:
        return Sample.of_sources({f"c{at}": profile({"x": yes_no(n // 3, n)}) for at, n in enumerate(rows)})

    asked = [QuietColumn("x", 0.05)]
    even = quiet_reach(cameras(1000, 1000), cameras(500, 500), asked, SETTINGS)
    reversed_ = quiet_reach(cameras(1900, 100), cameras(50, 950), asked, SETTINGS)
    assert reversed_ > 2 * even
    assert ColumnKind.CATEGORICAL is cameras(9).total.columns["x"].kind
    assert cameras(9).total.columns["x"].unit is Unit.FACE


def test_what_is_known_of_a_reference_serves_for_any_current_rows() -> None:
    def hourly(*yes: int) -> Sample:
        hours = [(at, profile({"beard": yes_no(count, 40)})) for at, count in enumerate(yes)]
        names: list[str | None] = ["a", "b"]
        whole, spread = add_profiles(each for _, each in hours), SpreadProfile(hourly_spreads(hours))
        found = SourceProfiles(dict.fromkeys(names, whole), spreads=dict.fromkeys(names, spread))
        return Sample.of_profiles(found, days=1.0)

    reference, known = hourly(*[5, 25] * 10), KnownVariances()
    for count in (12, 30):
        current = hourly(*[10] * count)
        plain = column_worths(reference, current, ["beard"], SETTINGS)
        assert column_worths(reference, current, ["beard"], SETTINGS, known) == plain
        # Without what the hours tell, the rows would be worth more.
        alone = column_worths(replace(reference, spreads={}), current, ["beard"], SETTINGS)
        assert plain["beard"].weight < alone["beard"].weight / 2
    assert len(known) == 1
