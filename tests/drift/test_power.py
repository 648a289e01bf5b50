import numpy as np
import pytest

from facemon.drift.homogeneity import labels_p_value, numbers_p_value
from facemon.drift.power import detectable_by_t, detectable_labels, detectable_numbers


@pytest.mark.parametrize("share", [0.005, 0.05, 0.5])
def test_the_detectable_shift_is_found_in_four_of_five_cases(share: float) -> None:
    rng = np.random.default_rng(21)
    shift = detectable_labels(np.array([round(1e6 * (1 - share)), round(1e6 * share)]), (10_000, 1000), 0.05)
    before, after = rng.binomial(10_000, share, 800), rng.binomial(1000, share + shift, 800)
    found = [
        labels_p_value(np.array([10_000 - a, a]), np.array([1000 - b, b])) <= 0.05
        for a, b in zip(before, after, strict=True)
    ]
    assert np.mean(found) == pytest.approx(0.8, abs=0.05)


def test_the_detectable_shift_between_many_labels() -> None:
    rng = np.random.default_rng(22)
    shares = np.array([0.4, 0.3, 0.2, 0.1])
    shift = detectable_labels((shares * 10_000).astype(np.int64), (10_000, 1000), 0.05)
    moved = shares + np.array([-shift, shift, 0, 0])
    sides = rng.multinomial(10_000, shares, 800), rng.multinomial(1000, moved, 800)
    found = [labels_p_value(a, b) <= 0.05 for a, b in zip(*sides, strict=True)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.05)


def test_the_detectable_distance_of_numbers_is_not_flattered() -> None:
    rng = np.random.default_rng(23)
    shift = detectable_numbers((10_000, 1000), 0.05)
    shares = np.full(100, 0.01)
    moved = shares.copy()
    moved[:50] -= shift / 50
    moved[50:] += shift / 50
    sides = rng.multinomial(10_000, shares, 500), rng.multinomial(1000, moved, 500)
    found = [numbers_p_value(a, b) <= 0.05 for a, b in zip(*sides, strict=True)]
    assert np.mean(found) >= 0.78


def test_more_rows_show_smaller_shifts() -> None:
    counts = np.array([700, 300])
    shifts = [detectable_labels(counts, (10_000, rows), 0.05) for rows in (200, 1000, 10_000)]
    assert shifts == sorted(shifts, reverse=True)
    assert detectable_numbers((1e6, 1e6), 0.05) < detectable_numbers((1e3, 1e3), 0.05)


def test_a_t_test_over_few_clusters_needs_more() -> None:
    assert detectable_by_t(0.01, 4, 0.05, 1) > detectable_by_t(0.01, 19, 0.05, 1)
    assert detectable_by_t(10, 4, 0.05, 1) == 1
