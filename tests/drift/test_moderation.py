"""Design effects of many columns, drawn to each other: against other computations, and by the level of their test."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import polygamma, psi, stdtr

from facemon.drift.design_effect import DesignEffect, Ratio
from facemon.drift.moderation import moderated


def test_ratios_are_drawn_to_each_other_where_chance_explains_them() -> None:
    rng = np.random.default_rng(4)
    same = {f"c{at}": Ratio(float(3 * rng.chisquare(6) / 6), 6) for at in range(40)}
    found = moderated(same, lowers=True)
    assert np.ptp([effect.factor for effect in found.values()]) < np.ptp([each.value for each in same.values()]) / 2
    assert np.mean([effect.factor for effect in found.values()]) == pytest.approx(3, rel=0.2)
    assert min(effect.degrees for effect in found.values()) > 12


def test_ratios_that_truly_differ_stay_apart() -> None:
    rng = np.random.default_rng(5)
    true = np.exp(rng.normal(1, 1, 40))
    given = {f"c{at}": Ratio(float(value * rng.chisquare(60) / 60), 60) for at, value in enumerate(true)}
    found = moderated(given, lowers=True)
    errors = [found[name].factor / given[name].value - 1 for name in given]
    assert np.abs(errors).max() < 0.2


def test_a_high_ratio_of_few_degrees_is_not_drawn_down() -> None:
    given = {f"c{at}": Ratio(1.0 + at / 100, 6) for at in range(20)} | {"wild": Ratio(9.0, 6)}
    found = moderated(given)
    assert found["wild"].factor == 9
    assert moderated(given, lowers=True)["wild"].factor < 9


def test_few_columns_keep_their_own() -> None:
    assert moderated({"a": Ratio(2.0, 5), "b": Ratio(7.0, 5)}) == {"a": DesignEffect(2.0, 5), "b": DesignEffect(7.0, 5)}


def test_the_centre_follows_the_variance_of_a_row() -> None:
    rng = np.random.default_rng(6)
    variances = rng.uniform(0.02, 0.5, 30)
    values = 0.1 / variances * np.exp(rng.normal(0, 1, 30)) * rng.chisquare(6, 30) / 6
    given = {f"c{at}": Ratio(values[at], 6, row_variance=variances[at]) for at in range(30)}
    # Sartor et al. 2006, with the line by numpy's polynomials and the prior's degrees by bisection.
    logs = np.log(values) - psi(3) + math.log(3)
    line = np.polynomial.Polynomial.fit(np.log(variances), logs, 1)(np.log(variances))
    excess = ((logs - line) ** 2).sum() / 28 - polygamma(1, 3)
    assert excess > 0
    low, high = 1e-3, 1e6
    for _ in range(200):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if polygamma(1, middle / 2) > excess else (low, middle)
    centres = np.exp(line + psi(low / 2) - math.log(low / 2))
    expected = (low * centres + 6 * values) / (low + 6)
    found = moderated(given, lowers=True)
    assert [each.factor for each in found.values()] == pytest.approx(expected.tolist())
    assert [each.degrees for each in found.values()] == pytest.approx([low + 6] * 30)
    assert [each.factor for each in moderated(given).values()] == pytest.approx(np.maximum(expected, values).tolist())


def level_of_rare(*, by_variance: bool) -> float:
    """How often the 8 rarest of 40 columns, whose days differ by as many points, are significant at 1 %."""
    rng, rates = np.random.default_rng(7), np.geomspace(0.02, 0.5, 40)
    variances: NDArray[np.float64] = 2 * rates * (1 - rates)
    row_variances = variances.tolist() if by_variance else [math.nan] * 40
    p_values = []
    for _ in range(300):
        scores = np.abs(rng.standard_normal(40)) / np.sqrt(variances)
        shown = rng.chisquare(6, 40) / 6 / variances
        found = moderated({at: Ratio(shown[at], 6, row_variance=row_variances[at]) for at in range(40)})
        p_values += [2 * stdtr(found[at].degrees, -scores[at] / math.sqrt(found[at].factor)) for at in range(8)]
    return float(np.mean(np.array(p_values) < 0.01))


def test_rare_labels_are_no_false_alarms_where_all_shares_move_by_as_many_points() -> None:
    assert level_of_rare(by_variance=True) < 0.01
    assert level_of_rare(by_variance=False) > 0.015


def test_few_columns_have_no_line() -> None:
    given = {at: Ratio(1.0 + at, 6) for at in range(11)}
    lined = {at: Ratio(1.0 + at, 6, row_variance=1 / (1 + at)) for at in range(11)}
    assert moderated(lined) == moderated(given)


def test_columns_of_one_variance_have_a_mean() -> None:
    given = {at: Ratio(1.0 + at, 6) for at in range(20)}
    alike = {at: Ratio(1.0 + at, 6, row_variance=0.25) for at in range(20)}
    found, expected = ([each.factor for each in moderated(ratios, lowers=True).values()] for ratios in (alike, given))
    assert found == pytest.approx(expected)
