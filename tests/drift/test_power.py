from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from facemon.drift.homogeneity import labels_p_value, numbers_p_value
from facemon.drift.power import detectable_by_t, detectable_labels, detectable_numbers

Floats = NDArray[np.float64]
EDGES = np.concatenate([[-np.inf], np.linspace(-5, 5, 200), [np.inf]])
COUNTS = st.lists(st.integers(0, 10_000), min_size=3, max_size=40).filter(lambda counts: sum(counts) > 0)


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


def moved_shares(rng: np.random.Generator, shares: Floats, shift: float, concentration: float) -> Floats:
    """The shares, moved by `shift` towards a target: around them, or anywhere where the concentration is 0."""
    while True:
        target = rng.dirichlet(concentration * shares if concentration else np.ones(len(shares)))
        moved = shares + shift * (target - shares) / (np.abs(target - shares).sum() / 2)
        if moved.min() >= 0:
            return np.asarray(moved)


@pytest.mark.parametrize("rows", [(10_000, 500), (10_000, 1000), (10_000, 10_000), (1000, 1000)])
@pytest.mark.parametrize("shares", [[0.8, 0.2], [7, 6, 5, 4, 3, 2, 1], [1 / k for k in range(1, 21)]])
def test_random_shifts_of_the_detectable_size_are_mostly_found(shares: list[float], rows: tuple[int, int]) -> None:
    rng, repeats = np.random.default_rng(22), 400
    before = np.array(shares) / sum(shares)
    shift = detectable_labels((before * 1e6).astype(np.int64), rows, 0.05)
    found = []
    for repeat in range(repeats):
        after = moved_shares(rng, before, shift, len(before) * (repeat % 2))
        found.append(labels_p_value(rng.multinomial(rows[0], before), rng.multinomial(rows[1], after)) <= 0.05)
    error = 2 * np.sqrt(0.2 * 0.8 / repeats)
    assert 0.7 - error <= np.mean(found) <= 0.9 + error


def spread_distance(spread: float) -> float:
    """The KS distance of two centred normals, one of them wider by a factor."""
    at = np.sqrt(2 * np.log(spread) / (1 - spread**-2))
    return float(ndtr(at) - ndtr(at / spread))


@pytest.mark.parametrize("rows", [(10_000, 1000), (1000, 1000)])
@pytest.mark.parametrize("change", ["location", "spread", "tail"])
def test_changes_of_numbers_of_the_detectable_size_are_mostly_found(change: str, rows: tuple[int, int]) -> None:
    rng, repeats = np.random.default_rng(23), 400
    distance = detectable_numbers(rows, 0.05)
    values = rng.normal(size=(repeats, rows[0])), rng.normal(size=(repeats, rows[1]))
    if change == "location":
        # Two normals that are d apart have a KS distance of 2Φ(d/2) - 1.
        values[1][:] += 2 * ndtri((1 + distance) / 2)
    elif change == "spread":
        values[1][:] *= brentq(lambda spread: spread_distance(spread) - distance, 1.0001, 3)
    else:
        values[1][rng.random(values[1].shape) < distance] = 4
    binned = [[np.histogram(rows, EDGES)[0] for rows in side] for side in values]
    found = [numbers_p_value(*pair) <= 0.05 for pair in zip(binned[0], binned[1], strict=True)]
    error = 2 * np.sqrt(0.2 * 0.8 / repeats)
    assert np.mean(found) >= 0.75 - error
    if change == "location":
        assert np.mean(found) <= 0.9 + error


@given(COUNTS, st.floats(50, 1e6), st.randoms(use_true_random=False))
def test_the_detectable_shift_is_a_share_whatever_the_labels_order(counts: list[int], rows: float, rnd: Random) -> None:
    shuffled = rnd.sample(counts, len(counts))
    shift = detectable_labels(np.array(counts), (10_000, rows), 0.05)
    assert 0 < shift <= 1
    assert detectable_labels(np.array(shuffled), (10_000, rows), 0.05) == pytest.approx(shift, rel=1e-9)
    assert detectable_labels(np.array([*counts, 0]), (10_000, rows), 0.05) == shift


@given(COUNTS, st.floats(1e-6, 0.1))
def test_a_stricter_level_needs_a_larger_shift(counts: list[int], level: float) -> None:
    shifts = [detectable_labels(np.array(counts), (10_000, 1000), each) for each in (level, level / 2)]
    assert shifts[0] < shifts[1] or shifts == [1, 1]


def test_the_detectable_shift_is_the_same_on_every_machine() -> None:
    assert detectable_labels(np.array([50, 30, 20]), (10_000, 1000), 0.05) == pytest.approx(0.0461, abs=1e-4)
    assert detectable_labels(np.arange(1, 301), (10_000, 1000), 0.05) == pytest.approx(0.154, abs=5e-4)


def test_labels_that_are_all_rare_show_nothing() -> None:
    assert detectable_labels(np.ones(1000, dtype=np.int64), (1000, 1000), 0.05) == 1
    assert detectable_labels(np.array([500, 300, 200]), (10_000, 1000), 0.99) < 1e-6


def test_more_rows_show_smaller_shifts() -> None:
    for counts in ([700, 300], [500, 300, 150, 50], list(range(1, 101))):
        shifts = [detectable_labels(np.array(counts), (10_000, rows), 0.05) for rows in (200, 1000, 10_000)]
        assert shifts == sorted(shifts, reverse=True)
    assert detectable_numbers((1e6, 1e6), 0.05) < detectable_numbers((1e3, 1e3), 0.05)


def test_a_t_test_over_few_clusters_needs_more() -> None:
    assert detectable_by_t(0.01, 4, 0.05, 1) > detectable_by_t(0.01, 19, 0.05, 1)
    assert detectable_by_t(10, 4, 0.05, 1) == 1
