import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.binning import MISSING, OVERFLOW, UNDERFLOW, Scale, bins_of, lower_edges, places_of

SMALLEST, LARGEST = 2.0**-21, 2.0**60
numbers = st.floats(allow_nan=False)
usual = st.one_of(st.floats(SMALLEST, LARGEST, exclude_max=True), st.floats(1e-3, 1e6))


def bin_of(value: float, scale: Scale) -> int:
    return int(bins_of(np.array([value]), scale)[0])


@pytest.mark.parametrize("scale", Scale)
@given(values=st.lists(numbers, min_size=2, max_size=20))
def test_bins_sort_as_values_do(scale: Scale, values: list[float]) -> None:
    bins = bins_of(np.array(sorted(values)), scale).astype(np.int64)
    assert (np.diff(bins) >= 0).all()


@given(usual, st.sampled_from([1, -1]))
def test_a_bin_is_at_most_3_percent_wide(value: float, sign: int) -> None:
    place = bin_of(sign * value, Scale.LOG_LINEAR)
    inner, outer = lower_edges(np.array([place, place + sign], np.int32), Scale.LOG_LINEAR) * sign
    if place + sign not in (bin_of(sign * LARGEST, Scale.LOG_LINEAR), OVERFLOW, UNDERFLOW):
        assert inner <= value < outer
        assert (outer - inner) / inner <= 0.03
    assert bin_of(sign * inner, Scale.LOG_LINEAR) == place


@given(usual)
def test_a_sign_is_a_mirror(value: float) -> None:
    assert bin_of(-value, Scale.LOG_LINEAR) == -bin_of(value, Scale.LOG_LINEAR)


def test_the_ends_of_the_log_linear_scale() -> None:
    values = [0.0, -0.0, SMALLEST * 0.999, -SMALLEST * 0.999, 5e-324, LARGEST, np.inf, -LARGEST, -np.inf, np.nan]
    expected = [0, 0, 0, 0, 0, OVERFLOW, OVERFLOW, UNDERFLOW, UNDERFLOW, MISSING]
    assert [bin_of(value, Scale.LOG_LINEAR) for value in values] == expected
    assert bin_of(SMALLEST, Scale.LOG_LINEAR) == 1
    assert bin_of(np.nextafter(LARGEST, 0), Scale.LOG_LINEAR) not in (OVERFLOW, MISSING)
    edges = lower_edges(np.array([0, OVERFLOW, UNDERFLOW, MISSING], np.int32), Scale.LOG_LINEAR)
    np.testing.assert_array_equal(edges, [0.0, np.inf, -np.inf, np.nan])


def test_a_small_shift_of_a_high_confidence_shows() -> None:
    assert bin_of(0.9997, Scale.LOGIT) - bin_of(0.9991, Scale.LOGIT) >= 20
    ones = np.array([1 - 2.0**-24, 1.0], np.float32)
    assert len(set(bins_of(ones, Scale.LOGIT).tolist())) == 2
    assert bins_of(np.array([0.5, np.nan, -3.0, 0.0, 2.0, 1.0]), Scale.LOGIT).tolist() == [200, MISSING, 0, 0, 540, 540]


@given(st.floats(1e-4, 1 - 1e-7))
def test_a_confidence_lies_in_its_bin(confidence: float) -> None:
    place = bin_of(confidence, Scale.LOGIT)
    low, high = lower_edges(np.array([place, place + 1], np.int32), Scale.LOGIT)
    assert low - 1e-9 <= confidence <= high + 1e-9


def test_places_stand_for_their_bins() -> None:
    bins = np.array([7, MISSING, 5, 7, -3], np.int32)
    tabulated = places_of(bins, 12)
    assert tabulated is not None
    places, keys = tabulated
    assert keys[places].tolist() == bins.tolist()
    assert (places[1], keys[0], len(keys)) == (0, MISSING, 12)
    assert places_of(bins, 11) is None
    assert places_of(np.array([MISSING], np.int32), 2) is not None
    assert places_of(np.array([], np.int32), 2) is not None
