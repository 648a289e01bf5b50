"""The statistics of paired alternatives, against scipy, their definitions and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from facemon.evaluation.alternative_scores import Errors, Hits, compare
from facemon.evaluation.paired_scores import (
    PairedErrors,
    PairedLabels,
    exact_interval,
    excludes_gain,
    fits_better,
    holm,
    labels_to_decide,
    sign_test,
    t_quantile,
)

COUNTS = st.integers(0, 60)


@given(one=COUNTS, other=COUNTS)
def test_the_sign_test_and_the_interval_are_scipy_s(one: int, other: int) -> None:
    if not one + other:
        assert sign_test(one, other) == 1
        return
    test = stats.binomtest(one, one + other)
    assert sign_test(one, other) == pytest.approx(test.pvalue, abs=1e-12)
    interval = test.proportion_ci(method="exact")
    assert exact_interval(one, one + other) == pytest.approx((interval.low, interval.high), abs=1e-9)


@given(better=COUNTS, worse=COUNTS, same=COUNTS)
def test_the_interval_excludes_0_where_the_test_is_significant(better: int, worse: int, same: int) -> None:
    pair = PairedLabels(better + worse + same + 1, better, worse)
    low, high = pair.gain_interval()
    assert low <= pair.gain <= high
    assert (low > 0 or high < 0) == (pair.p_value() < 0.05)
    assert pair.most_gain(0.05) >= pair.gain


def test_thousands_of_labels_are_exact_too() -> None:
    assert sign_test(1500, 1400) == pytest.approx(stats.binomtest(1500, 2900).pvalue, rel=1e-9)
    exact = stats.binomtest(100, 5000).proportion_ci(method="exact")
    assert exact_interval(100, 5000) == pytest.approx((exact.low, exact.high), rel=1e-9)


@pytest.mark.parametrize("degrees", [4, 9, 30, 1000])
@pytest.mark.parametrize("share", [0.975, 0.998])
def test_students_quantile(degrees: int, share: float) -> None:
    assert t_quantile(share, degrees) == pytest.approx(stats.t.ppf(share, degrees), rel=1e-9)


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_s_steps(p_values: list[float]) -> None:
    """Of the sorted ones the first k count, where each is below its own share of the level."""
    adjusted = holm(p_values)
    for level in (0.01, 0.05, 0.2):
        rejected = set[int]()
        for rank, index in enumerate(sorted(range(len(p_values)), key=lambda each: p_values[each])):
            if p_values[index] * (len(p_values) - rank) > level:
                break
            rejected.add(index)
        assert {index for index, value in enumerate(adjusted) if value <= level} == rejected


def test_so_many_labels_decide_as_it_says() -> None:
    for pairs in (
        [PairedLabels(12, 0, 0)],
        [PairedLabels(20, 3, 1), PairedLabels(20, 0, 4)],
        [PairedErrors(9, 5, 4, 0.1, 2, 3)],
    ):
        needed = labels_to_decide(pairs, len(pairs))
        assert needed is not None
        grown = [pair.scaled(needed) for pair in pairs]
        assert any(fits_better(pair, len(pairs) * pair.p_value()) for pair in grown) or all(
            excludes_gain(pair, len(pairs)) for pair in grown
        )
    assert labels_to_decide([PairedLabels(1000, 100, 0)], 1) is not None


def test_alternatives_that_are_as_good_are_seldom_called_better() -> None:
    """Fourteen alternatives, each right on as many faces as the description: 5 % of runs at most name any."""
    rng = np.random.default_rng(1)
    false = 0
    for _ in range(300):
        own = Hits(rng.random(80) < 0.8)
        scores = compare(own, {str(index): Hits(rng.random(80) < 0.8) for index in range(14)})
        false += any(each.is_better for each in scores)
    assert false <= stats.binom.ppf(0.999, 300, 0.05)


def test_numbers_that_are_nearer_are_found_and_equal_ones_are_the_same() -> None:
    rng = np.random.default_rng(2)
    errors = rng.gamma(2, 4, 60)
    nearer, same = compare(Errors(errors), {"nearer": Errors(errors * 0.5), "same": Errors(errors.copy())})
    assert (nearer.is_better, same.is_better, same.pair.is_same) == (True, False, True)
    assert nearer.pair.gain == pytest.approx(errors.mean() / 2)
