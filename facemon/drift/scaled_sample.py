"""The same rows, more or fewer of them: what a sample would be after so many more days like its own."""

from dataclasses import replace

import numpy as np

from facemon.drift.sample import Sample
from facemon.values.profile import ColumnCounts, ColumnKind, Profile, add_profiles


def scaled(sample: Sample, factor: float, *, days: float | None) -> Sample:
    """Return a sample with `factor` times the rows of each source and the same shares, which span so many `days`.

    Where the days of a reference are known to differ, more of them are known: their number follows `days`.
    """
    by_source = {source: _scaled_profile(profile, factor) for source, profile in sample.by_source.items()}
    pairs = None if days is None else max(1, round(days) - 1)
    whole_days = {
        name: spread if pairs is None else replace(spread, pairs=pairs) for name, spread in sample.whole_days.items()
    }
    return replace(
        sample, by_source=by_source, total=add_profiles(by_source.values()), whole_days=whole_days, days=days
    )


def sizes_alone(sample: Sample) -> Sample:
    """Return a sample with as many rows in each column, all of them alike: quick to scale where only sizes count."""
    by_source = {
        source: replace(profile, columns={name: _alike(column) for name, column in profile.columns.items()})
        for source, profile in sample.by_source.items()
    }
    return replace(sample, by_source=by_source, total=add_profiles(by_source.values()), spreads={}, whole_days={})


def _scaled_profile(profile: Profile, factor: float) -> Profile:
    return Profile(
        round(profile.images * factor),
        round(profile.faces * factor),
        round(profile.squares * factor),
        {name: _scaled_column(column, factor) for name, column in profile.columns.items()},
    )


def _scaled_column(column: ColumnCounts, factor: float) -> ColumnCounts:
    # Sums are rounded, not counts, so that many rare labels or bins do not all vanish.
    counts = np.diff(np.rint(np.cumsum(column.counts) * factor), prepend=0).astype(np.int64)
    return replace(column, counts=counts)


def _alike(column: ColumnCounts) -> ColumnCounts:
    counts = np.array([column.total], np.int64)
    if column.kind is ColumnKind.CATEGORICAL:
        return replace(column, counts=counts, labels=("",))
    return replace(column, counts=counts, bins=np.zeros(1, np.int32))
