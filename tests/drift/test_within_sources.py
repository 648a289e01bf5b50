import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import hypergeom

from facemon.drift.design_effect import DesignEffect
from facemon.drift.homogeneity import chi_squared_p_value, labels_p_value, numbers_p_value
from facemon.drift.within_sources import (
    binary_within,
    cochran_mantel_haenszel,
    differences,
    labels_within,
    numbers_within,
)
from tests.short_form import combinations

LEVELS = (0.001, 0.01, 0.05)
DEPARTMENTS = (
    ((313, 19), (512, 89)), ((207, 8), (353, 17)), ((205, 391), (120, 202)),
    ((279, 244), (138, 131)), ((138, 299), (53, 94)), ((351, 317), (22, 24)),
)  # fmt: skip
"""Admissions to Berkeley's six departments in 1973: rejected or admitted in some order, by sex (Bickel et al. 1975)."""


@pytest.fixture
def repeats(at_length: bool) -> int:
    return 2000 if at_length else 300


def mixes(rng: np.random.Generator, sources: int, keys: int) -> NDArray[np.float64]:
    return rng.dirichlet(np.full(keys, 0.8), sources)


def windows(
    rng: np.random.Generator, shares: NDArray[np.float64], rows: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Two windows of the same sources, which hold more rows the further back they are in the list."""
    sources = len(shares)
    sizes = [np.maximum(1, count * np.arange(1, sources + 1) // (sources * (sources + 1) // 2)) for count in rows]
    first, second = (rng.multinomial(size, shares) for size in sizes)
    return first, second


def assert_keeps_its_level(p_values: list[float]) -> None:
    values = np.array(p_values)
    for level in LEVELS:
        assert (values <= level).mean() <= level + 3 * np.sqrt(level * (1 - level) / len(values))


def test_two_labels_are_the_mantel_haenszel_test_of_the_textbooks() -> None:
    tables = np.array(DEPARTMENTS)
    statistic, degrees = cochran_mantel_haenszel(tables[:, 0], tables[:, 1])
    # R: mantelhaen.test(UCBAdmissions, correct = FALSE), statistic and p-value.
    assert degrees == 1
    assert statistic == pytest.approx(1.5246, abs=1e-4)
    assert chi_squared_p_value(statistic, degrees) == pytest.approx(0.2169, abs=1e-4)
    assert binary_within(tables[:, 0], tables[:, 1]) == pytest.approx(0.2169, abs=5e-3)


@pytest.mark.long_proof
@pytest.mark.parametrize(
    ("rows", "keys", "sources"), combinations([(10_000, 1000), (1000, 200)], [2, 3, 20], [1, 2, 4, 8])
)
def test_labels_keep_their_level(sources: int, keys: int, rows: tuple[int, int], repeats: int) -> None:
    rng = np.random.default_rng(1)
    p_values = [labels_within(*windows(rng, mixes(rng, sources, keys), rows)) for _ in range(repeats)]
    assert_keeps_its_level(p_values)


@pytest.mark.long_proof
@pytest.mark.parametrize("sources", [2, 8])
@pytest.mark.parametrize("keys", [3, 10, 300])
def test_numbers_keep_their_level(sources: int, keys: int, repeats: int) -> None:
    rng = np.random.default_rng(2)
    p_values = [numbers_within(*windows(rng, mixes(rng, sources, keys), (10_000, 1000))) for _ in range(repeats)]
    assert_keeps_its_level(p_values)


@pytest.mark.long_proof
@pytest.mark.parametrize("degrees", [6, 40])
def test_an_estimated_design_effect_keeps_the_level(degrees: int, repeats: int) -> None:
    """Rows that repeat four times, where the factor is known from a chi-squared estimate only."""
    rng = np.random.default_rng(3)
    found: dict[str, list[float]] = {"labels": [], "numbers": []}
    for _ in range(repeats):
        first, second = windows(rng, mixes(rng, 3, 5), (2500, 1000))
        effect = DesignEffect(4 * rng.chisquare(degrees) / degrees, degrees)
        found["labels"].append(labels_within(4 * first, 4 * second, effect))
        found["numbers"].append(numbers_within(4 * first, 4 * second, effect))
    for p_values in found.values():
        assert_keeps_its_level(p_values)


@given(st.lists(st.tuples(*[st.integers(0, 6)] * 4), min_size=1, max_size=3))
def test_two_labels_are_exact(tables: list[tuple[int, int, int, int]]) -> None:
    """The mid-p value by adding up the probabilities of every table with the same margins."""
    held = [table for table in tables if table[0] + table[1] and table[2] + table[3]]
    if not held:
        return
    counts = np.array(held)
    weight = np.ones(1)
    for a, b, c, d in held:
        drawn = np.arange(c + d + 1)
        weight = np.convolve(weight, hypergeom(a + b + c + d, b + d, c + d).pmf(drawn))
    seen = weight[counts[:, 3].sum()]
    alike = np.isclose(weight, seen, rtol=1e-6)
    expected = weight[(weight < seen) & ~alike].sum() + weight[alike].sum() / 2
    if np.count_nonzero(weight > 1e-12) > 1:
        assert binary_within(counts[:, :2], counts[:, 2:]) == pytest.approx(expected, abs=1e-9)


def test_one_source_is_the_test_without_sources() -> None:
    rng = np.random.default_rng(4)
    first, second = windows(rng, mixes(rng, 1, 12), (3000, 400))
    assert labels_within(first, second) == labels_p_value(first[0], second[0])
    assert numbers_within(first, second) == numbers_p_value(first[0], second[0])


def test_permuting_the_windows_within_sources_gives_the_same_p_value() -> None:
    rng = np.random.default_rng(5)
    first, second = windows(rng, mixes(rng, 3, 4), (900, 300))
    second = second + np.array([[9, 0, 0, 0]] * 3)
    seen = cochran_mantel_haenszel(first, second)[0]
    permuted = []
    for _ in range(4000):
        drawn = np.stack([rng.multivariate_hypergeometric(a + b, b.sum()) for a, b in zip(first, second, strict=True)])
        permuted.append(cochran_mantel_haenszel(first + second - drawn, drawn)[0])
    expected = np.mean(np.array(permuted) >= seen)
    assert labels_within(first, second) == pytest.approx(expected, abs=0.02)


def test_a_mix_that_is_reversed_is_no_difference() -> None:
    shares = np.array([[0.9, 0.1], [0.2, 0.8]])
    reference, current = (
        np.round(shares * rows[:, None]).astype(np.int64) for rows in np.array([[900, 100], [10, 990]])
    )
    assert differences(reference, current) == pytest.approx(0, abs=0.02)
    assert labels_within(reference, current) > 0.5


def test_a_source_whose_label_never_varies_does_not_disturb_the_others() -> None:
    reference = np.array([[500, 0, 0], [100, 100, 100]])
    current = np.array([[50, 0, 0], [10, 60, 30]])
    alone = labels_within(reference[1:], current[1:])
    assert labels_within(reference, current) == pytest.approx(alone, rel=0.3)
