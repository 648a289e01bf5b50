"""The same rows, more or fewer of them: what a sample would be after so many more days like its own."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from facemon.domain.profile import ColumnCounts, ColumnKind, Profile, add_profiles
from facemon.drift.sample import Sample

_ONE_BIN = np.zeros(1, np.int32)


def scaled(sample: Sample, factor: float, *, days: float | None) -> Sample:
    """Return a sample with `factor` times the rows of each source and the same shares, which span so many `days`.

    Where it is known how days of a reference differ, their number follows `days`; of a single day it is not.
    """
    by_source = _scaled_profiles(sample.by_source, factor)
    pairs = None if days is None else max(1, round(days) - 1)
    whole_days = {
        name: replace(spread, pairs=pairs) if pairs is not None and spread.pairs > 0 else spread
        for name, spread in sample.whole_days.items()
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


def _scaled_profiles(profiles: Mapping[str | None, Profile], factor: float) -> dict[str | None, Profile]:
    """Each profile with so many times its rows.

    Sums are rounded, not single counts, so that many small sources or rare labels do not all vanish.
    """
    before: dict[str, int] = {}

    def scale_number(name: str, number: int) -> int:
        start = before.get(name, 0)
        before[name] = start + number
        return round(before[name] * factor) - round(start * factor)

    def scale(name: str, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        if len(counts) == 1:
            return np.array([scale_number(name, int(counts[0]))])
        start = before.get(name, 0)
        sums = start + np.cumsum(counts)
        before[name] = int(sums[-1]) if len(sums) else start
        return np.diff(np.rint(sums * factor), prepend=round(start * factor)).astype(np.int64)

    found = {}
    for source, profile in profiles.items():
        images, faces, squares = (
            scale_number(f"\0{at}", number)
            for at, number in enumerate((profile.images, profile.faces, profile.squares))
        )
        columns = {
            name: ColumnCounts(held.kind, held.unit, scale(name, held.counts), held.labels, held.bins)
            for name, held in profile.columns.items()
        }
        found[source] = Profile(images, faces, squares, columns)
    return found


def _alike(column: ColumnCounts) -> ColumnCounts:
    counts = np.array([column.total], np.int64)
    if column.kind is ColumnKind.CATEGORICAL:
        return replace(column, counts=counts, labels=("",))
    return replace(column, counts=counts, bins=_ONE_BIN)
