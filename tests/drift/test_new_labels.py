from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from facemon.drift.homogeneity import labels_p_value
from facemon.drift.new_labels import NewLabels, new_labels_test, with_new_labels
from tests.short_form import combinations

Ints = NDArray[np.int64]
SMALL = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=7)


def outcome_of(reference: Ints, current: Ints, design_effect: float = 1.0) -> NewLabels | None:
    return new_labels_test(np.atleast_2d(reference), np.atleast_2d(current), design_effect)


def enumerated(reference: Ints, current: Ints) -> tuple[float, float]:
    """The mid-p value and the chance by all outcomes, labels being independent: the model, by brute force."""
    together, rows = reference + current, current.sum(axis=1).tolist()
    chances = np.ones(together.shape[1])
    for row, of_stratum in zip(rows, together.tolist(), strict=True):
        chances *= [comb(row, count) / comb(sum(of_stratum), count) for count in of_stratum]
    certain = chances > 1 - 1e-12
    sizes, chances = together.sum(axis=0)[~certain], chances[~certain]
    is_new = (reference.sum(axis=0) == 0) & (current.sum(axis=0) > 0)
    seen = int(sizes[is_new[~certain]].sum())
    p_value = 0.0
    for outcome in product((0, 1), repeat=len(sizes)):
        number = int((sizes * outcome).sum())
        probability = float(np.where(outcome, chances, 1 - chances).prod())
        p_value += probability * (1 if number > seen else 0.5 if number == seen else 0)
    return p_value, float(1 - (1 - chances).prod())


def zipf(labels: int, exponent: float) -> NDArray[np.float64]:
    weights = np.arange(1, labels + 1) ** -exponent
    return np.asarray(weights / weights.sum())


@given(st.lists(SMALL, min_size=1, max_size=3))
def test_few_rows_are_tested_as_by_enumeration(strata: list[list[tuple[int, int]]]) -> None:
    width = max(len(stratum) for stratum in strata)
    counts = np.array([stratum + [(0, 0)] * (width - len(stratum)) for stratum in strata])
    reference, current = counts[..., 0], counts[..., 1]
    found = outcome_of(reference, current)
    if found is not None:
        p_value, chance = enumerated(reference, current)
        assert found.p_value == pytest.approx(p_value, rel=1e-4 if len(strata) > 1 else 1e-9)
        assert found.chance == pytest.approx(chance, rel=1e-4 if len(strata) > 1 else 1e-9)


def test_by_hand() -> None:
    # Two of four rows are current.
    found = outcome_of(np.array([0, 1, 1]), np.array([2, 0, 0]))
    assert found is not None
    # Of 1, 1 and 2 rows, new with chances of 1/2, 1/2 and 1/6: P(4) = 1/24, P(3) = 2/24, P(2) = 1/24 + 5/24.
    assert found.p_value == pytest.approx(1 / 12 + 1 / 24 + (5 / 24 + 1 / 24) / 2)
    assert found.labels == 1
    assert found.chance == pytest.approx(1 - 5 / 6 / 4)


@pytest.mark.parametrize(("rows", "exponent"), [((500, 300), 1.2), ((2000, 100), 1.0)])
def test_it_agrees_with_permutations(rows: tuple[int, int], exponent: float) -> None:
    rng = np.random.default_rng(61)
    labels = rng.choice(400, sum(rows), p=zipf(400, exponent))
    numbers = []
    for _ in range(4000):
        rng.shuffle(labels)
        first, second = np.bincount(labels[: rows[0]], minlength=400), np.bincount(labels[rows[0] :], minlength=400)
        numbers.append(second[first == 0].sum())
    first, second = np.bincount(labels[: rows[0]], minlength=400), np.bincount(labels[rows[0] :], minlength=400)
    found = outcome_of(first, second)
    assert found is not None
    permuted = np.array(numbers)
    exact = (permuted > numbers[-1]).mean() + (permuted == numbers[-1]).mean() / 2
    assert found.p_value == pytest.approx(exact, abs=0.06)


@pytest.mark.long_proof
@pytest.mark.parametrize(
    ("vocabulary", "rows"),
    combinations([(300, 1.0), (300, 2.0), (3000, 1.5), (30_000, 0.5)], [(10_000, 1000), (1000, 1000), (1000, 200)]),
)
def test_open_vocabularies_are_quiet(vocabulary: tuple[int, float], rows: tuple[int, int], at_length: bool) -> None:
    rng = np.random.default_rng(62)
    repeats = 400 if at_length else 100
    sides = [rng.multinomial(count, zipf(*vocabulary), repeats) for count in rows]
    alone, together = [], []
    for reference, current in zip(*sides, strict=True):
        found, kept = outcome_of(reference, current), reference + current > 0
        alone.append(found is not None and found.p_value <= 0.05)
        together.append(with_new_labels(labels_p_value(reference[kept], current[kept]), found) <= 0.05)
    error = 3 * np.sqrt(0.05 * 0.95 / repeats)
    assert np.mean(alone) <= 0.05 + error
    assert np.mean(together) <= 0.05 + error


def test_strata_of_their_own_vocabularies_are_quiet() -> None:
    rng = np.random.default_rng(63)
    alarms = []
    for _ in range(200):
        shares = [rng.permutation(zipf(500, 1.5)) for _ in range(8)]
        sides = [np.stack([rng.multinomial(rows, share) for share in shares]) for rows in (300, 100)]
        found = new_labels_test(sides[0], sides[1])
        alarms.append(found is not None and found.p_value <= 0.05)
    assert np.mean(alarms) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(alarms))


@pytest.mark.parametrize("images", [np.arange(1, 6), np.array([2]), np.array([1, 1, 1, 8])])
def test_a_design_effect_keeps_faces_of_one_image_quiet(images: Ints) -> None:
    rng = np.random.default_rng(64)
    alarms: list[bool] = []
    uncorrected: list[bool] = []
    for _ in range(150):
        sides = []
        for count in (3000, 300):
            faces = rng.choice(images, count)
            labels = rng.choice(3000, count, p=zipf(3000, 1.0))
            sides.append(np.bincount(labels, weights=faces, minlength=3000).astype(np.int64))
        effect = float((images**2).sum() / images.sum())
        for results, used in ((alarms, effect), (uncorrected, 1.0)):
            found = outcome_of(sides[0], sides[1], used)
            assert found is not None
            results.append(found.p_value <= 0.05)
    assert np.mean(alarms) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(alarms))
    assert np.mean(uncorrected) > 0.5


@pytest.mark.parametrize(("labels", "new"), combinations([7, 300, 3000], [[50], [10] * 5, [1] * 50]))
def test_one_row_in_twenty_of_new_labels_is_found(labels: int, new: list[int]) -> None:
    rng = np.random.default_rng(65)
    found = []
    for _ in range(100):
        reference = np.append(rng.multinomial(10_000, zipf(labels, 1.0)), np.zeros(len(new), dtype=np.int64))
        current = np.append(rng.multinomial(950, zipf(labels, 1.0)), new)
        found.append(with_new_labels(1.0, outcome_of(reference, current)) <= 0.05)
    assert np.mean(found) >= 0.95


def test_known_cases_of_many_new_rows() -> None:
    rng = np.random.default_rng(66)
    shares = zipf(200, 1.0)
    reference = np.append(rng.multinomial(10_000, shares), np.zeros(33, dtype=np.int64))
    found = outcome_of(reference, np.append(rng.multinomial(769, shares), np.full(33, 7)))
    assert found is not None
    assert found.labels >= 33
    assert found.p_value < 1e-9
    replaced = outcome_of(np.array([600, 400, 0, 0]), np.array([0, 0, 700, 300]))
    assert replaced is not None
    assert replaced.p_value < 1e-100


def test_the_far_tail_is_exact() -> None:
    # Ten labels of one row, each new with a chance of 1 / 101: all of them are new.
    found = outcome_of(np.append(1000, np.zeros(10, dtype=np.int64)), np.append(0, np.ones(10, dtype=np.int64)))
    assert found is not None
    assert found.p_value == pytest.approx((10 / 1010) ** 10 / 2, rel=1e-9)


@pytest.mark.parametrize(
    ("reference", "current"),
    [
        ([5000, 4000, 1000], [480, 420, 100]),  # no label can be new
        ([1, 1, 1, 0, 0], [0, 0, 0, 1, 1]),  # all rows have labels of their own
        ([3, 2, 0], [0, 0, 0]),
        ([0, 0, 0], [3, 2, 1]),
    ],
)
def test_nothing_is_said_where_nothing_can_be(reference: list[int], current: list[int]) -> None:
    assert outcome_of(np.array(reference), np.array(current)) is None


def test_a_source_that_the_reference_lacks_says_nothing() -> None:
    reference, current = np.array([[900, 90, 0, 0, 0]]), np.array([[95, 9, 3, 0, 0]])
    alone = new_labels_test(reference, current)
    more = new_labels_test(
        np.vstack([reference, np.zeros(5, dtype=np.int64)]),
        np.vstack([current, [700_001, 300_007, 50_021, 31, 77_003]]),
    )
    assert alone is not None
    assert more is not None
    assert (more.p_value, more.chance) == pytest.approx((alone.p_value, alone.chance))


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_the_two_tests_together_cost_at_most_bonferronis_factor(p_value: float, new: float, chance: float) -> None:
    smaller = min(p_value, new)
    together = with_new_labels(p_value, NewLabels(new, chance, 1))
    assert min(1.0, smaller) <= together <= min(1.0, 2 * smaller)
    assert together <= min(1.0, smaller + chance)
    assert with_new_labels(p_value, None) == p_value


@given(st.lists(st.integers(0, 200), min_size=4, max_size=4), st.floats(1, 3))
def test_a_label_that_no_row_has_changes_nothing(counts: list[int], design_effect: float) -> None:
    """Two labels of one stratum are looked at in plain numbers first."""
    reference, current = np.array([counts[:2]]), np.array([counts[2:]])
    found = new_labels_test(reference, current, design_effect)
    padded = [np.append(side, [[0]], axis=1) for side in (reference, current)]
    several = new_labels_test(padded[0], padded[1], design_effect)
    assert with_new_labels(0.5, found) == pytest.approx(with_new_labels(0.5, several), abs=1e-10)
