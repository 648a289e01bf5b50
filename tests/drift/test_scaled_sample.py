"""More or fewer rows of the same shares."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.profile import categorical_counts
from facemon.domain.spread import Spread
from facemon.drift.sample import Sample
from facemon.drift.scaled_sample import scaled, sizes_alone
from tests.drift.worlds import profile

COUNTS = st.lists(st.integers(0, 500), min_size=1, max_size=12)


@given(st.lists(COUNTS, min_size=1, max_size=8), st.floats(0.001, 50))
def test_totals_are_as_exact_as_whole_numbers_can_be(sources: list[list[int]], factor: float) -> None:
    """However many small sources and rare labels there are, each count and the sums of all are off by one at most."""
    held = [{f"label {place}": count + 1 for place, count in enumerate(counts)} for counts in sources]
    sample = Sample.of_sources({str(at): profile({"hair": categorical_counts(each)}) for at, each in enumerate(held)})
    after = scaled(sample, factor, days=3.0)
    assert after.days == 3.0
    assert abs(after.total.columns["hair"].total - sample.total.columns["hair"].total * factor) <= 0.5 + 1e-6
    assert abs(after.total.images - sample.total.images * factor) <= 0.5 + 1e-6
    for source, before in sample.by_source.items():
        now, had = after.by_source[source].columns["hair"].counts, before.columns["hair"].counts
        assert (np.abs(now - had * factor) <= 1 + 1e-6).all()


@pytest.mark.parametrize(("pairs", "expected"), [(6, 13), (1, 13), (0, 0)])
def test_days_are_known_of_more_days_if_they_are_of_two(pairs: int, expected: int) -> None:
    spread = Spread(np.full(2, 0.02), float(pairs > 0), pairs, ("x", "y"))
    sample = Sample.of_sources({"a": profile({"hair": categorical_counts({"x": 30, "y": 40})})})
    after = scaled(replace(sample, whole_days={"hair": spread}), 2.0, days=14.0)
    assert after.whole_days["hair"].pairs == expected


def test_sizes_alone_keep_totals() -> None:
    sample = Sample.of_sources({"a": profile({"hair": categorical_counts({"x": 3, "y": 4})})})
    alone = sizes_alone(sample).by_source["a"].columns["hair"]
    assert (alone.total, alone.kind) == (7, sample.total.columns["hair"].kind)
