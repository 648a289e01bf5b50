"""The simulated hours of the bench have the counts and the spreads that the log would have of the same rows."""

import numpy as np
import pytest

from benchmarks.hourly_columns import YES_NO, HourlyColumn, HourlySource, Keys, sample_of
from facemon.domain.daily_spread import daily_spreads
from facemon.domain.hourly_spread import add_hours
from facemon.domain.profile import ColumnKind, Profile, add_profiles
from facemon.drift.sample import Sample

_BINS = Keys(ColumnKind.NUMBER, bins=np.array([3, 4, 7, 9], np.int32))
_SOURCES = ("left", "right")


def _simulated(rng: np.random.Generator, hours: int) -> HourlySource:
    rows = rng.poisson(3, hours) * rng.integers(0, 2, hours)
    columns = {
        "beard": HourlyColumn.of(YES_NO, rng.multinomial(rows, [0.7, 0.3])),
        "brightness": HourlyColumn.of(_BINS, rng.multinomial(rows, [0.1, 0.2, 0.3, 0.4])),
    }
    images = np.concatenate([[0], np.cumsum(rows)])
    return HourlySource(images, images, columns)


def test_windows_are_what_the_log_would_read() -> None:
    rng = np.random.default_rng(0)
    sources: dict[str | None, HourlySource] = {name: _simulated(rng, 240) for name in _SOURCES}
    found = sample_of(sources, 24, 216, has_days=True)
    days = [{name: _added(source, at, at + 24) for name, source in sources.items()} for at in range(24, 216, 24)]
    whole = daily_spreads(days, {name: source.profile(24, 216) for name, source in sources.items()}).whole
    for name, source in sources.items():
        hours = [(at, profile) for at in range(24, 216) if (profile := source.profile(at, at + 1)).images]
        profile, spreads = add_hours(hours)
        assert found.by_source[name] == profile
        for column, expected in spreads.items():
            spread = found.spreads[name].hours[column]
            assert (spread.pairs, spread.labels) == (expected.pairs, expected.labels)
            assert spread.weight == pytest.approx(expected.weight)
            np.testing.assert_allclose(spread.sums, expected.sums, atol=1e-9)
    for column, expected in whole.items():
        assert found.whole_days[column].pairs == expected.pairs
        np.testing.assert_allclose(found.whole_days[column].sums, expected.sums, atol=1e-12)
    assert isinstance(found, Sample)
    assert found.days == 8


def _added(source: HourlySource, first: int, end: int) -> Profile:
    return add_profiles([source.profile(at, at + 1) for at in range(first, end)])
