"""Fixed bins for numbers, so that the counts of any two hours add up forever.

Confidences are binned uniformly in logit, because a shift from 0.9997 to 0.9991 must show. All other
numbers are binned log-linearly with a sign, as HdrHistogram does: every power of two is cut into
equal parts, so that no bin is wider than 1/64 of its lower edge.
"""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from facemon.domain.array_types import Bins, Floats

MISSING = -(2**31)
"""The bin of a value that is not there; it sorts before all others."""
UNDERFLOW = MISSING + 1
OVERFLOW = 2**31 - 1

_LOGIT_WIDTH = 0.05
_LOGIT_LIMITS = (-10.0, 17.0)  # 1 - 2**-24, the float32 next to 1, has the logit 16.6
_NEXT_TO_ZERO, _NEXT_TO_ONE = 1e-300, 1 - 2.0**-53
_PARTS = 64
_EXPONENTS = (-20, 60)  # magnitudes below 2**-21 are zero, those above 2**60 overflow


class Scale(StrEnum):
    """Which bins a numeric column uses."""

    LOGIT = "logit"
    LOG_LINEAR = "log_linear"


def bins_of(values: NDArray[np.floating], scale: Scale) -> Bins:
    """The bin of each value; NaN is `MISSING`. Bins sort as their values do."""
    wide = np.asarray(values, dtype=np.float64)
    bins = _logit_bins(wide) if scale is Scale.LOGIT else _log_linear_bins(wide)
    bins[np.isnan(wide)] = MISSING
    return bins


def places_of(bins: Bins, most: int) -> tuple[NDArray[np.int64], Bins] | None:
    """Each bin's place in a table of all bins from the lowest to the highest, and the bin of each place.

    `MISSING` has the first place. None where the table would have more than `most` places: bins far apart are sorted
    more cheaply than tabulated.
    """
    low, high = (int(bins.min()), int(bins.max())) if len(bins) else (0, 0)
    has_missing = low == MISSING
    if has_missing:
        held = bins[bins != MISSING]
        low, high = (int(held.min()), int(held.max())) if len(held) else (0, 0)
    if high - low + 2 > most:
        return None
    places = np.subtract(bins, low - 1, dtype=np.int64)
    if has_missing:
        places[bins == MISSING] = 0
    return places, np.concatenate([[MISSING], np.arange(low, high + 1)]).astype(np.int32)


def distinct(bins: Bins) -> Bins:
    """The different bins, ascending, as from `numpy.unique`, which takes five times as long for a few hundred."""
    ordered = np.sort(bins, kind="stable")
    is_first = np.empty(len(ordered), bool)
    is_first[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return ordered[is_first]


def lower_edges(bins: Bins, scale: Scale) -> Floats:
    """The smallest value of each bin (its inner edge for a negative one), for drawing; MISSING is NaN."""
    if scale is Scale.LOGIT:
        edges = 1 / (1 + np.exp(-(_LOGIT_LIMITS[0] + np.maximum(bins, 0) * _LOGIT_WIDTH)))
    else:
        steps = np.abs(np.where(np.abs(bins.astype(np.int64)) < OVERFLOW, bins, 1).astype(np.int64)) - 1
        mantissa = 0.5 + (steps % _PARTS) / (2 * _PARTS)
        edges = np.sign(bins) * np.where(bins == 0, 0.0, np.ldexp(mantissa, steps // _PARTS + _EXPONENTS[0]))
    edges = np.where(bins == UNDERFLOW, -np.inf, np.where(bins == OVERFLOW, np.inf, edges))
    return np.where(bins == MISSING, np.nan, edges)


def _logit_bins(values: Floats) -> Bins:
    # One logarithm for both of log(p) - log(1 - p), in place: the limits lie far inside of what clipping cuts.
    with np.errstate(invalid="ignore"):
        odds = np.maximum(values, _NEXT_TO_ZERO)
        np.minimum(odds, _NEXT_TO_ONE, out=odds)
        odds /= 1 - odds
        np.log(odds, out=odds)
        np.maximum(odds, _LOGIT_LIMITS[0], out=odds)
        np.minimum(odds, _LOGIT_LIMITS[1], out=odds)
        odds -= _LOGIT_LIMITS[0]
        odds /= _LOGIT_WIDTH
        return odds.astype(np.int32)


def _log_linear_bins(values: Floats) -> Bins:
    with np.errstate(invalid="ignore"):
        mantissa, exponent = np.frexp(np.where(np.isfinite(values), np.abs(values), 0))
        part = ((mantissa - 0.5) * (2 * _PARTS)).astype(np.int64)
        steps = (exponent.astype(np.int64) - _EXPONENTS[0]) * _PARTS + part + 1
        steps[(exponent < _EXPONENTS[0]) | (values == 0)] = 0
        bins = np.where(values < 0, -steps, steps).astype(np.int32)
        bins[(values > 0) & (np.isinf(values) | (exponent > _EXPONENTS[1]))] = OVERFLOW
        bins[(values < 0) & (np.isinf(values) | (exponent > _EXPONENTS[1]))] = UNDERFLOW
    return bins
