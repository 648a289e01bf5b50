"""Sources that are computed at once come to the very numbers that each comes to alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.array_types import Counts
from facemon.domain.binning import MISSING
from facemon.domain.profile import ColumnCounts, ColumnKind, Profile, binned_counts, categorical_counts
from facemon.domain.spread import SpreadProfile
from facemon.drift.column_groups import single_variances
from facemon.drift.column_tests.registry import column_test
from facemon.drift.design_effect import DesignEffect, SourceRows, SourceVariances
from facemon.drift.distances import aligned, ks_distance, total_variation
from facemon.drift.homogeneity import labels_p_value
from facemon.drift.new_labels import new_labels_test, with_new_labels
from facemon.drift.single_labels import SingleLabels, is_pair
from facemon.drift.single_sources import SingleSources, SingleTest, is_numbers
from facemon.drift.within_sources import numbers_within
from tests.domain.spread_of_hours import hourly_spreads

EFFECTS = (DesignEffect(), DesignEffect(3.5), DesignEffect(1.4, 9.0), DesignEffect(1.02, 4000.0))


def _numbers(rng: np.random.Generator, rows: int, shift: float, width: float) -> ColumnCounts:
    bins = np.round(rng.normal(100 + shift, width, rows)).astype(np.int32)
    bins[rng.random(rows) < rng.choice([0, 0.1])] = MISSING
    return binned_counts(bins, np.ones(rows, np.int64), ColumnKind.NUMBER)


def _sources(seed: int, count: int) -> list[SourceRows]:
    """Sources of few and many bins and rows, the same and others in both windows, with and without spreads."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        width, shift = float(rng.choice([0.2, 0.6, 2, 30])), float(rng.choice([0, 0, 0.5, 12]))
        before, now = (_numbers(rng, int(rng.integers(1, 400)), move, width) for move in (0, shift))
        hours = [(hour, Profile(30, 30, 30, {"x": _numbers(rng, 30, 0, width)})) for hour in range(12)]
        spread = SpreadProfile(hourly_spreads(hours)).hours["x"]
        spreads = [each if rng.random() < 0.7 else None for each in (spread, spread)]
        found.append(SourceRows((before, before if rng.random() < 0.2 else now), (spreads[0], spreads[1])))
    return found


def _pair(rng: np.random.Generator, rows: int, share: float) -> ColumnCounts:
    return categorical_counts({"no": rows - (yes := int(rng.binomial(rows, share))), "yes": yes})


def _pairs(seed: int, count: int) -> list[SourceRows]:
    """Sources of two labels, one of them rare or new in some, which have few rows or many."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        share, shift = float(rng.choice([0.002, 0.05, 0.4, 0.97])), float(rng.choice([0, 0, 0.02]))
        rows = rng.integers(1, rng.choice([30, 3_000, 400_000]), 2)
        before, now = (_pair(rng, int(each), share + move) for each, move in zip(rows, (0, shift), strict=True))
        hours = [(hour, Profile(30, 30, 30, {"x": _pair(rng, 30, share)})) for hour in range(12)]
        spread = SpreadProfile(hourly_spreads(hours)).hours["x"]
        found.append(SourceRows((before, now), (spread, None if rng.random() < 0.3 else spread)))
    return found


def _alone(source: SourceRows, effect: DesignEffect, significance: float) -> SingleTest:
    """The test of a source, from the functions of one source."""
    before, now = aligned(list(source.counts))
    rows, is_label = (float(before.sum()), float(now.sum())), is_pair(source)
    worth = source.weight / effect.factor
    least = column_test(source.counts[0]).detectable_shift(before, rows, worth, significance)
    if is_label:
        return SingleTest(total_variation(before, now), _p_value_of_labels(before, now, effect), least)
    return SingleTest(ks_distance(before, now), numbers_within(before[None], now[None], effect), least)


def _p_value_of_labels(before: Counts, now: Counts, effect: DesignEffect) -> float:
    new = new_labels_test(before[None], now[None], effect.factor)
    return with_new_labels(labels_p_value(before, now, effect), new)


@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_variances_are_those_of_each_source_alone(seed: int, count: int) -> None:
    sources = [*_sources(seed, count), *_pairs(seed, count)]
    for found, source in zip(single_variances(sources), sources, strict=True):
        alone = SourceVariances.of([source])
        assert (found.hours, found.independent, found.is_constant) == (
            alone.hours,
            alone.independent,
            alone.is_constant,
        )
        assert (found.splits is None) == (alone.splits is None)
        if found.splits is not None:
            np.testing.assert_array_equal(found.splits, alone.splits)


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.sampled_from([0.01, 0.05]))
def test_tests_are_those_of_each_source_alone(seed: int, count: int, significance: float) -> None:
    numbers = [source for source in _sources(seed, count) if is_numbers(source)]
    pairs = [source for source in _pairs(seed, count) if is_pair(source)]
    for table, sources in ((SingleSources.of(numbers), numbers), (SingleLabels.of(pairs), pairs)):
        effects = [EFFECTS[(seed + at) % len(EFFECTS)] for at in range(len(sources))]
        for found, source, effect in zip(table.tests(effects, significance), sources, effects, strict=True):
            assert found == _alone(source, effect, significance)


def test_what_no_table_can_hold_has_its_variances_too() -> None:
    many = SourceRows((categorical_counts({"a": 3, "b": 5}), categorical_counts({"a": 4, "c": 1})))
    one = SourceRows((categorical_counts({"a": 3}), categorical_counts({"a": 4})))
    constant = SourceRows((_numbers(np.random.default_rng(0), 9, 0, 0.0),) * 2)
    for source in (many, one, constant):
        assert not any(fits(source) for fits in (is_numbers, is_pair))
        assert single_variances([source]) == [SourceVariances.of([source])]
    assert SingleSources.of([]).tests([], 0.05) == SingleLabels.of([]).tests([], 0.05) == []
