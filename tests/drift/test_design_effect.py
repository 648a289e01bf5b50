import math

import numpy as np
import pytest
from numpy.typing import NDArray

from facemon.domain.profile import ColumnCounts, ColumnKind, add_profiles
from facemon.domain.spread import Spread
from facemon.drift.design_effect import (
    DesignEffect,
    SourceRows,
    days_ratio,
    hours_ratio,
    sources_ratio,
)
from tests.domain.spread_of_hours import hourly_spreads
from tests.drift.worlds import numbers, profile, yes_no
from tests.short_form import combinations

HOURS = 24


def source(rng: np.random.Generator, shares: NDArray[np.float64], persons: int, frames: int, kind: str) -> SourceRows:
    """Hours of persons who stay for some frames each; the share of a beard, or the level of a number, by the hour."""
    sides, spreads = [], []
    for _ in range(2):
        hours = []
        for hour, share in enumerate(shares):
            if kind == "labels":
                column = yes_no(frames * int(rng.binomial(persons, share)), frames * persons)
            else:
                column = numbers(np.repeat(rng.normal(10 + share, 1, persons), frames))
            hours.append((hour, profile({"x": column})))
        sides.append(add_profiles(each for _, each in hours).columns["x"])
        spreads.append(hourly_spreads(hours)["x"])
    return SourceRows((sides[0], sides[1]), (spreads[0], spreads[1]))


def mean_ratio(shares: NDArray[np.float64], frames: int, kind: str) -> float:
    rng = np.random.default_rng(1)
    found = [hours_ratio([source(rng, shares, 12, frames, kind)]) for _ in range(60)]
    return float(np.mean([each.value for each in found if each is not None]))


@pytest.mark.parametrize(("frames", "kind"), combinations([1, 3, 10], ["labels", "numbers"]))
def test_frames_that_repeat_are_worth_one_row(frames: int, kind: str) -> None:
    assert mean_ratio(np.full(HOURS, 0.3), frames, kind) == pytest.approx(frames, rel=0.12)


def test_a_slow_change_over_the_day_is_no_repetition() -> None:
    daylight = 0.3 + 0.15 * np.sin(2 * np.pi * np.arange(HOURS) / HOURS)
    assert mean_ratio(daylight, 1, "labels") < 1.15


def test_a_single_hour_tells_nothing() -> None:
    rng = np.random.default_rng(2)
    assert hours_ratio([source(rng, np.full(1, 0.3), 50, 10, "labels")]) is None


def test_days_that_differ_raise_the_variance_of_any_window() -> None:
    columns = yes_no(3000, 10_000), yes_no(300, 1000)
    rows = [SourceRows(columns)]
    # Two points from day to day: a day against the mean of seven has the variance 0.02² · (1 + 1/7).
    days = Spread(np.full(2, 0.02**2), 1.0, 6, ("no", "yes"))
    found = days_ratio(rows, days, 1.0)
    assert found is not None
    independent = 0.3 * 0.7 * (1 / 10_000 + 1 / 1000)
    assert found.value == pytest.approx(0.02**2 * (1 + 1 / 7) / independent, rel=0.01)
    assert found.degrees == 6
    longer = days_ratio(rows, days, 7.0)
    assert longer is not None
    assert longer.value == pytest.approx(found.value / 4)
    assert days_ratio(rows, None, 1.0) is None
    assert days_ratio(rows, days, None) is None


def test_many_sources_that_stir_are_told_from_independent_rows() -> None:
    rng = np.random.default_rng(3)

    def cameras(stir: float, count: int) -> list[SourceRows]:
        sides: list[list[ColumnCounts]] = [
            [yes_no(int(rng.binomial(200, np.clip(0.4 + rng.normal(0, stir), 0, 1))), 200) for _ in range(count)]
            for _ in range(2)
        ]
        return [SourceRows((first, second)) for first, second in zip(*sides, strict=True)]

    still, moving = sources_ratio(cameras(0.0, 200)), sources_ratio(cameras(0.1, 200))
    assert still is not None
    assert moving is not None
    assert still.value == pytest.approx(1, abs=0.35)
    # 100 pairs of rows: a variance of 2 · 0.1² beside 0.24 · 2/200.
    assert moving.value == pytest.approx(1 + 0.02 / 0.0024, rel=0.35)
    assert sources_ratio(cameras(0.1, 8)) is None


@pytest.mark.parametrize(
    ("effect", "proven"),
    [
        (DesignEffect(), False),
        (DesignEffect(1.3, 10), False),
        (DesignEffect(3.0, 10), True),
        (DesignEffect(1.3, 300), True),
        (DesignEffect(1.3, math.inf), True),
    ],
)
def test_repetition_is_proven_by_the_size_of_its_estimate(effect: DesignEffect, proven: bool) -> None:
    assert effect.is_proven is proven


def test_numbers_are_split_at_deciles_of_all_sources() -> None:
    rng = np.random.default_rng(6)
    both = [source(rng, np.full(HOURS, level), 12, 1, "numbers") for level in (0.0, 4.0)]
    found = hours_ratio(both)
    assert found is not None
    assert found.value == pytest.approx(1, abs=0.35)
    assert both[0].counts[0].kind is not ColumnKind.CATEGORICAL
