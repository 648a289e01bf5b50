"""A strategy of profiles: some of a few columns of every kind."""

import numpy as np
from hypothesis import strategies as st

from facemon.domain.binning import MISSING, OVERFLOW, UNDERFLOW
from facemon.domain.profile import ColumnCounts, ColumnKind, Profile, Unit, binned_counts, categorical_counts

KINDS = {
    "beard": (ColumnKind.CATEGORICAL, Unit.FACE),
    "image_failed": (ColumnKind.CATEGORICAL, Unit.IMAGE),
    "beard_confidence": (ColumnKind.CONFIDENCE, Unit.FACE),
    "image_size": (ColumnKind.NUMBER, Unit.IMAGE),
}
_LABELS = st.sampled_from(["", "yes", "no", "größer", "日本"])
_BINS = st.sampled_from([MISSING, UNDERFLOW, -700, -1, 0, 1, 540, OVERFLOW])


@st.composite
def profiles(draw: st.DrawFn, most: int = 1000) -> Profile:
    """Profiles whose counts are at most `most`, of some of the columns of `KINDS`."""
    count = st.integers(1, most)
    bins = st.dictionaries(_BINS, count, min_size=1)
    bins |= st.dictionaries(st.just(MISSING) | st.integers(-9, 9), count, min_size=1)
    columns: dict[str, ColumnCounts] = {}
    for name in draw(st.sets(st.sampled_from(sorted(KINDS)))):
        kind, unit = KINDS[name]
        if kind is ColumnKind.CATEGORICAL:
            columns[name] = categorical_counts(draw(st.dictionaries(_LABELS, count, min_size=1)), unit)
        else:
            counts = draw(bins)
            held = np.array(list(counts), np.int32), np.array(list(counts.values()), np.int64)
            columns[name] = binned_counts(*held, kind, unit)
    return Profile(draw(count), draw(st.integers(0, 99)), draw(st.integers(0, 99)), columns)
