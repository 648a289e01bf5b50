import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.profile import ColumnCounts, ColumnKind, categorical_counts
from facemon.drift.column_tests.registry import distance
from tests.drift.worlds import numbers, yes_no

labels = st.dictionaries(st.sampled_from(["", "a", "b", "c", "other"]), st.integers(0, 500), min_size=1).map(
    lambda counts: categorical_counts({**counts, "a": counts.get("a", 0) + 1})
)
floats = st.lists(st.floats(allow_infinity=True, allow_nan=True), min_size=1, max_size=40).map(
    lambda values: numbers(np.array(values))
)


@given(st.one_of(st.tuples(labels, labels), st.tuples(floats, floats)))
def test_distances_are_symmetric_and_between_0_and_1(columns: tuple[ColumnCounts, ColumnCounts]) -> None:
    first, second = columns
    score = distance(first, second)
    assert 0 <= score <= 1
    assert score == pytest.approx(distance(second, first), abs=1e-12)
    assert distance(first, first) == 0


@given(st.lists(st.floats(allow_nan=True), min_size=1, max_size=40), st.randoms())
def test_the_order_of_rows_changes_nothing(values: list[float], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = values.copy()
    random.shuffle(shuffled)
    assert distance(numbers(np.array(values)), numbers(np.array(shuffled))) == 0


def test_five_percentage_points_are_005() -> None:
    assert distance(yes_no(200, 1000), yes_no(25, 100)) == pytest.approx(0.05)


def test_sixty_percent_missing_show_as_at_least_060() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(10, 2, 5000)
    holes = values.copy()
    holes[:3000] = np.nan
    assert distance(numbers(values), numbers(holes)) >= 0.6


def test_the_binned_distance_of_confidences_is_near_the_exact_one() -> None:
    rng = np.random.default_rng(2)
    before, after = (1 / (1 + np.exp(-rng.normal(centre, 1, 20_000))) for centre in (8.1, 7.0))
    assert np.median(before) == pytest.approx(0.9997, abs=1e-4)
    assert np.median(after) == pytest.approx(0.9991, abs=1e-4)
    grid = np.sort(np.concatenate([before, after]))
    cumulative = [np.searchsorted(np.sort(side), grid, side="right") / len(side) for side in (before, after)]
    exact = np.abs(cumulative[0] - cumulative[1]).max()
    binned = distance(numbers(before, ColumnKind.CONFIDENCE), numbers(after, ColumnKind.CONFIDENCE))
    assert binned == pytest.approx(exact, abs=0.02)
    assert exact > 0.3


def test_an_outlier_does_not_hide_a_shift() -> None:
    rng = np.random.default_rng(3)
    shifted = rng.normal(3, 1, 1000)
    shifted[0] = 1e9
    assert distance(numbers(rng.normal(0, 1, 5000)), numbers(shifted)) > 0.8
