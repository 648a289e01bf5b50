"""The variance that days add, and that of the rows that days do not show, against simulated days."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.spread import Spread
from facemon.drift.column_tests.registry import column_test
from facemon.drift.dependence import Comparison, EffectParts, Within, effect_parts
from facemon.drift.design_effect import INDEPENDENT, UNKNOWN_DAYS, DaysEffect, DesignEffect, SourceRows, days_ratio
from facemon.drift.verdict_odds import Days, RowsToCome
from tests.drift.worlds import numbers, yes_no

SHARE, DEVIATION, DAYS, OF_A_DAY = 0.3, 0.02, 7, 1_500


def effect_of(row: SourceRows, spread: Spread, current_days: float) -> DesignEffect:
    ratio = days_ratio([row], spread, current_days)
    assert ratio is not None
    return DaysEffect(DesignEffect(ratio.value, ratio.degrees), ratio.held).with_rows(INDEPENDENT)


def spread_of(variance: float, days: int = DAYS) -> Spread:
    return Spread(np.full(2, variance), 1.0, days - 1, ("no", "yes"))


@pytest.mark.parametrize("deviation", [0.0, DEVIATION])
@pytest.mark.parametrize("rows", [200, 1_000, OF_A_DAY])
def test_a_window_of_few_rows_varies_by_days_and_by_its_own_rows(rows: int, deviation: float) -> None:
    rng = np.random.default_rng([rows, round(100 * deviation)])
    shares = SHARE + deviation * rng.standard_normal((2_000, DAYS + 1))
    days = rng.binomial(OF_A_DAY, shares[:, :DAYS]) / OF_A_DAY
    window = rng.binomial(rows, shares[:, DAYS]) / rows
    variance = np.var(window - days.mean(axis=1))
    counts = yes_no(round(SHARE * DAYS * OF_A_DAY), DAYS * OF_A_DAY), yes_no(round(SHARE * rows), rows)
    independent = SHARE * (1 - SHARE) * (1 / rows + 1 / (DAYS * OF_A_DAY))
    shown = [effect_of(SourceRows(counts), spread_of(each), 1.0).factor for each in days.var(axis=1, ddof=1)[:400]]
    assert np.mean(shown) * independent == pytest.approx(variance, rel=0.1)


def test_a_window_of_many_rows_counts_all_that_days_show() -> None:
    counts = yes_no(3_000, 10_500), yes_no(6_000, 20_000)
    found = effect_of(SourceRows(counts), spread_of(DEVIATION**2), 1.0)
    independent = 2 / 7 * 5 / 7 * (1 / 10_500 + 1 / 20_000)
    assert found.factor == pytest.approx(DEVIATION**2 * (1 + 1 / DAYS) / independent, rel=0.02)
    assert found.degrees == DAYS - 1


def test_days_hold_as_much_of_the_rows_variance_as_their_mix_of_sources_has() -> None:
    rng, shares = np.random.default_rng(4), np.array([0.1, 0.6])
    of_a_day, ours = np.array([1_000, 400]), np.array([300, 500])
    days = rng.binomial(of_a_day, shares, (40_000, DAYS, 2))
    window = rng.binomial(ours, shares, (40_000, 2))
    weights = DAYS * of_a_day * ours / (DAYS * of_a_day + ours)
    differences = (window / ours - days.sum(axis=1) / (DAYS * of_a_day)) @ (weights / weights.sum())
    mixed = days.sum(axis=2) / of_a_day.sum()
    counts = [
        SourceRows((yes_no(round(share * DAYS * before), DAYS * before), yes_no(round(share * now), now)))
        for share, before, now in zip(shares, of_a_day.tolist(), ours.tolist(), strict=True)
    ]
    ratio = days_ratio(counts, spread_of(DEVIATION**2), 1.0)
    assert ratio is not None
    assert ratio.held == pytest.approx(mixed.var() * (1 + 1 / DAYS) / differences.var(), rel=0.03)


def test_numbers_have_the_row_variance_of_two_labels() -> None:
    values = np.random.default_rng(5).permutation(np.arange(10_000) / 100)
    rows = SourceRows((numbers(values[:9_000]), numbers(values[9_000:])))
    spread = Spread(np.ones(1), 1.0, DAYS - 1, bins=rows.counts[0].bins[:1])
    ratio = days_ratio([rows], spread, 1.0)
    assert ratio is not None
    # Of the nine deciles, two labels would have 2·q(1-q).
    assert ratio.row_variance == pytest.approx(np.mean([2 * q * (1 - q) for q in np.arange(1, 10) / 10]), rel=0.02)


@pytest.mark.parametrize("held", [0.0, 0.4, 0.9, 1.0, 3.0])
def test_degrees_are_those_that_the_variance_of_the_estimate_has(held: float) -> None:
    # A chi-squared variable with k degrees of freedom, scaled to the mean m, has the variance 2m²/k.
    rng = np.random.default_rng(3)
    drawn = np.array(
        [
            DaysEffect(DesignEffect(each, 6), held).with_rows(DesignEffect(2.0)).factor
            for each in 1.5 * rng.chisquare(6, 20_000) / 6
        ]
    )
    found = DaysEffect(DesignEffect(1.5, 6), held).with_rows(DesignEffect(2.0))
    assert found.factor == pytest.approx(drawn.mean(), rel=0.02)
    assert found.degrees == pytest.approx(2 * drawn.mean() ** 2 / drawn.var(), rel=0.05)


def test_unknown_days_add_nothing() -> None:
    assert EffectParts().largest == INDEPENDENT
    assert UNKNOWN_DAYS.with_rows(DesignEffect(4.0, 20)) == INDEPENDENT
    assert EffectParts(DesignEffect(4.0, 20)).largest == DesignEffect(4.0, 20)


@given(more=st.integers(1, 40), current_days=st.integers(1, 10), is_longer=st.booleans())
def test_the_effect_of_rows_to_come_is_that_of_a_window_with_so_many(
    more: int, current_days: int, is_longer: bool
) -> None:
    def parts(times: int, days: float) -> tuple[SourceRows, EffectParts]:
        row = SourceRows((yes_no(2_100, 7_000), yes_no(60 * times, 200 * times)))
        known = Comparison(Within((row,)), spread_of(DEVIATION**2), days)
        return row, effect_parts({"x": known})["x"]

    row, now = parts(1, current_days)
    _, later = parts(more, current_days * (more if is_longer else 1))
    shares, rows = np.array([0.7, 0.3]), [np.array([float(each.total)]) for each in row.counts]
    test, days = column_test(row.counts[0]), Days(current_days, DAYS - 1)
    to_come = RowsToCome(shares, shares, rows[0], rows[1], test, now, days)
    found = to_come.effect(200 * more, of_same_days=not is_longer)
    assert found.factor == pytest.approx(later.largest.factor)
    assert found.degrees == pytest.approx(later.largest.degrees)
    assert replace(to_come, days=None).effect(200) == now.largest
