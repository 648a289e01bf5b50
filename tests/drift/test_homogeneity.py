from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from facemon.drift.design_effect import DesignEffect
from facemon.drift.homogeneity import binary_p_value, hypergeometric, labels_p_value, numbers_p_value

LEVELS = (0.001, 0.01, 0.05)
REPEATS = 3000


def assert_keeps_its_level(p_values: list[float]) -> None:
    values = np.array(p_values)
    for level in LEVELS:
        error = 3 * np.sqrt(level * (1 - level) / len(values))
        assert (values <= level).mean() <= level + error


@pytest.mark.parametrize("share", [0.002, 0.02, 0.3])
@pytest.mark.parametrize("rows", [200, 1000])
def test_two_labels_keep_their_level_however_rare(share: float, rows: int) -> None:
    rng = np.random.default_rng(11)
    before, after = rng.binomial(10_000, share, REPEATS), rng.binomial(rows, share, REPEATS)
    pairs = zip(before.tolist(), after.tolist(), strict=True)
    assert_keeps_its_level([binary_p_value((10_000 - a, a), (rows - b, b)) for a, b in pairs])


@pytest.mark.parametrize("shares", [[0.5, 0.3, 0.15, 0.04, 0.01], [0.97, 0.029, 0.0005, 0.0005]])
def test_many_labels_keep_their_level(shares: list[float]) -> None:
    rng = np.random.default_rng(12)
    sides = [rng.multinomial(rows, shares, REPEATS) for rows in (10_000, 1000)]
    assert_keeps_its_level([labels_p_value(a, b) for a, b in zip(*sides, strict=True)])


@pytest.mark.parametrize("bins", [3, 10, 400])
def test_numbers_keep_their_level(bins: int) -> None:
    rng = np.random.default_rng(13)
    sides = [rng.multinomial(rows, np.full(bins, 1 / bins), REPEATS) for rows in (10_000, 1000)]
    assert_keeps_its_level([numbers_p_value(a, b) for a, b in zip(*sides, strict=True)])


def test_a_design_effect_keeps_the_level_of_repeated_rows() -> None:
    rng = np.random.default_rng(14)
    pairs = zip(rng.binomial(2500, 0.3, REPEATS).tolist(), rng.binomial(250, 0.3, REPEATS).tolist(), strict=True)
    fourfold = [(4 * a, 4 * b) for a, b in pairs]
    assert_keeps_its_level([binary_p_value((10_000 - a, a), (1000 - b, b), DesignEffect(4)) for a, b in fourfold])


def test_the_exact_and_the_normal_test_agree_where_they_meet() -> None:
    exact = binary_p_value((7000, 3000), (2320, 1080 - 80))
    normal = binary_p_value((70_000, 30_000), (23_200, 10_000), DesignEffect(10))
    assert exact == pytest.approx(normal, rel=0.03)


def test_a_new_label_is_found_among_frequent_ones() -> None:
    before = np.array([5000, 3000, 2000, 0])
    after = np.array([496, 297, 197, 10])
    assert labels_p_value(before, after) < 1e-6


def test_fishers_mid_p_by_hand() -> None:
    # Margins of 3 + 3 rows and 3 marked: the chances of 0..3 are 1, 9, 9, 1 of 20.
    assert binary_p_value((3, 0), (0, 3)) == pytest.approx(0.5 * 2 / 20)
    assert binary_p_value((2, 1), (1, 2)) == pytest.approx(2 / 20 + 0.5 * 18 / 20)


@pytest.mark.parametrize(
    ("marked", "rows", "ours"), [(0, 9, 4), (9, 9, 4), (7, 9, 4), (30, 11_000, 1000), (3000, 110_000, 10_000)]
)
def test_the_weights_of_counts_have_the_ratios_of_whole_numbers(marked: int, rows: int, ours: int) -> None:
    def ways(count: int) -> int:
        return comb(marked, count) * comb(rows - marked, ours - count)

    least, weights = hypergeometric(marked, rows, ours)
    assert (least, len(weights)) == (max(0, marked + ours - rows), min(marked, ours) - least + 1)
    most = int(weights.argmax())
    near = [at for at in range(most - 60, most + 61, 20) if 0 <= at < len(weights)]
    exact = [float(Fraction(ways(least + at), ways(least + most))) for at in near]
    assert (weights[near] / weights[most]).tolist() == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("counts", [np.array([10]), np.array([7, 3]), np.array([500, 300, 200])])
def test_the_same_rows_never_differ(counts: NDArray[np.int64]) -> None:
    assert labels_p_value(counts, counts) == pytest.approx(1, abs=0.3)
    assert numbers_p_value(counts, counts) == pytest.approx(1, abs=0.3)


@given(st.lists(st.integers(0, 60), min_size=4, max_size=4), st.floats(1, 4))
def test_a_label_that_no_row_has_changes_nothing(counts: list[int], factor: float) -> None:
    """Two labels are tested in plain numbers, more of them in arrays."""
    reference, current = np.array(counts[:2]), np.array(counts[2:])
    assume(reference.sum() and current.sum())
    effect = DesignEffect(factor, 30.0)
    several = labels_p_value(np.append(reference, 0), np.append(current, 0), effect)
    assert labels_p_value(reference, current, effect) == pytest.approx(several, abs=1e-12)
