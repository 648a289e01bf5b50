"""Sources that are computed at once come to the very numbers that each comes to alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facemon.drift.design_effect import DesignEffect, SourceRows, SourceVariances
from facemon.drift.distances import aligned, ks_distance
from facemon.drift.single_sources import SingleSources, is_numbers, single_variances
from facemon.drift.within_sources import numbers_within
from facemon.values.binning import MISSING
from facemon.values.hourly_spread import hourly_spreads
from facemon.values.profile import ColumnCounts, ColumnKind, Profile, binned_counts, categorical_counts
from facemon.values.spread import SpreadProfile

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


@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_variances_are_those_of_each_source_alone(seed: int, count: int) -> None:
    sources = _sources(seed, count)
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


@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_tests_are_those_of_each_source_alone(seed: int, count: int) -> None:
    sources = [source for source in _sources(seed, count) if is_numbers(source)]
    effects = [EFFECTS[at % len(EFFECTS)] for at in range(len(sources))]
    for found, source, effect in zip(SingleSources.of(sources).tests(effects), sources, effects, strict=True):
        before, now = aligned(list(source.counts))
        assert found.score == ks_distance(before, now)
        assert found.p_value == numbers_within(before[None], now[None], effect)


def test_labels_and_constant_numbers_have_their_variances_too() -> None:
    labels = SourceRows((categorical_counts({"a": 3, "b": 5}), categorical_counts({"a": 4})))
    constant = SourceRows((_numbers(np.random.default_rng(0), 9, 0, 0.0),) * 2)
    for source in (labels, constant):
        assert not is_numbers(source)
        assert single_variances([source]) == [SourceVariances.of([source])]
    assert SingleSources.of([]).tests([]) == []
