"""How unusual an image is: how far its features lie from the middle of a reference's or a window's, robustly."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from facemon.domain.array_types import Floats
from facemon.domain.binning import OVERFLOW, Scale, lower_edges
from facemon.domain.prediction import IMAGE_FEATURES
from facemon.domain.profile import ColumnCounts, ColumnKind, Profile
from facemon.store.row_conditions import numbers_of

FEATURE_COLUMNS = tuple(f"image_{feature}" for feature in IMAGE_FEATURES)
UNUSUAL = pa.field(
    "unusual",
    pa.struct([("score", pa.float64()), ("feature", pa.string()), ("value", pa.float64()), ("median", pa.float64())]),
)
"""What is said of such a row: its score, the feature that gives it, the row's value of it and the median."""
_BY_RATIO = frozenset(("image_sharpness", "image_size"))
"""A variance and an area: compared by their logarithms, because a half and a double are equally far away."""
_LEAST = 1e-6
"""Of what a logarithm is taken."""
_NORMAL_QUARTILE = 0.6744897501960817
"""The third quartile of the standard normal distribution."""


@dataclass(frozen=True, slots=True)
class Centre:
    """The middle of a feature: its median, and the distances from there to the first and the third quartile."""

    median: float
    place: float
    """The median on the scale of the distances, which is logarithmic for some features."""
    below: float
    above: float


def centres_of(profile: Profile) -> dict[str, Centre]:
    """The centre of each feature that rows have values of."""
    found = {}
    for name in FEATURE_COLUMNS:
        column = profile.columns.get(name)
        if column is not None and column.kind is ColumnKind.NUMBER and (centre := _centre(name, column)):
            found[name] = centre
    return found


def _centre(name: str, column: ColumnCounts) -> Centre | None:
    kept = (np.abs(column.bins.astype(np.int64)) < OVERFLOW) & (column.counts > 0)
    bins, counts = column.bins[kept], column.counts[kept]
    if not len(bins):
        return None
    # The value of a bin is taken to be its lower edge, and known no better than to the next edges.
    at = bins[np.searchsorted(np.cumsum(counts) / counts.sum(), (0.25, 0.5, 0.75))]
    around = lower_edges(np.array([*at, at[1] - 1, at[1], at[1] + 1], np.int32), Scale.LOG_LINEAR)
    first, median, third, *next_to_it = _on_scale(name, around).tolist()
    width = float(np.diff(next_to_it).max())
    return Centre(float(around[1]), median, max(median - first, width), max(third - median, width))


def scores_of(table: pa.Table, centres: Mapping[str, Centre]) -> Floats:
    """The score of each row; NaN where it has no feature.

    The largest, over its features, of 0.674 · |x - median| / (the distance from the median to the quartile on the
    side of x). The quartiles' distances of both sides, as in Kimber's fences for skewed data (Kimber 1990, Applied
    Statistics 39, 21-30), take the place of the standard deviation, which outliers would widen. For normal data the
    score is the distance from the mean in standard deviations. Sharpness and size are compared by their logarithms.
    """
    each = _each_score(table, centres)
    known = ~np.isnan(each)
    return np.where(known.any(axis=0), np.where(known, each, -1).max(axis=0, initial=-1), np.nan)


def unusual_of(table: pa.Table, centres: Mapping[str, Centre]) -> pa.Array:
    """What is said of each row: the field `UNUSUAL`."""
    names, each = list(centres), _each_score(table, centres)
    worst = np.where(np.isnan(each), -1, each).argmax(axis=0) if names else np.empty(0, np.intp)
    values = {name: numbers_of(table, name) for name in names}
    return pa.array(
        [
            {
                "score": float(each[place, row]),
                "feature": names[place],
                "value": float(values[names[place]][row]),
                "median": centres[names[place]].median,
            }
            for row, place in enumerate(worst.tolist())
        ],
        UNUSUAL.type,
    )


def _each_score(table: pa.Table, centres: Mapping[str, Centre]) -> Floats:
    found = np.full((len(centres), table.num_rows), np.nan)
    for place, (name, centre) in enumerate(centres.items()):
        off = _on_scale(name, numbers_of(table, name)) - centre.place
        found[place] = _NORMAL_QUARTILE * np.abs(off) / np.where(off < 0, centre.below, centre.above)
    return found


def _on_scale(name: str, values: Floats) -> Floats:
    return np.log(np.maximum(values, _LEAST)) if name in _BY_RATIO else values
