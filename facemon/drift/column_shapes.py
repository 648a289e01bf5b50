"""The two distributions of a column brought down to a few groups, so that a person sees what moved."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from facemon.domain.array_types import Counts, Floats
from facemon.domain.binning import MISSING, Scale, lower_edges
from facemon.domain.column_shape import ColumnShape
from facemon.domain.drift_result import Check, CheckResult
from facemon.domain.profile import MISSING_LABEL, ColumnCounts, ColumnKind
from facemon.drift.accuracy import held_by
from facemon.drift.distances import aligned
from facemon.drift.sample import Sample

GROUPS = 12
_MISSING, _REST = "missing", "all others"
_TAIL = 0.005
"""The share of rows at either end that the outermost ranges take in, so that one outlier does not flatten the rest."""


def column_shapes(
    checks: Mapping[Check, CheckResult],
    reference: Sample,
    current: Sample,
    edges: Mapping[str, Floats],
    windows: Mapping[str, Sample] = MappingProxyType({}),
) -> dict[tuple[Check, str], ColumnShape]:
    """The shape of every column of the checks that both samples hold.

    `edges` are the quantiles by which columns of two tables were counted; all others have the log's bins. `windows`
    are the rows of windows other than `current`, for columns whose verdict rests on one of these.
    """
    shapes = {}
    for check, outcome in checks.items():
        for column in outcome.columns:
            what = (column.column, column.attribute, column.measure)
            sides = (held_by(reference, *what), held_by(windows.get(column.window or "", current), *what))
            if sides[0] and sides[1] and sides[0].kind is sides[1].kind and (sides[0].total or sides[1].total):
                shapes[check, column.column] = shape_of(sides[0], sides[1], edges.get(column.column))
    return shapes


def shape_of(reference: ColumnCounts, current: ColumnCounts, edges: Floats | None = None) -> ColumnShape:
    """The shares of at most `GROUPS` labels or ranges, and of missing values where there are some."""
    first, second = aligned([reference, current])
    if reference.kind is ColumnKind.CATEGORICAL:
        names, groups = _label_groups(sorted({*reference.labels, *current.labels}), first + second)
        cuts: list[float] = []
    else:
        bins = np.unique(np.concatenate([reference.bins, current.bins]))
        names, groups, cuts = _range_groups(bins, first + second, _ruler(reference.kind, edges))
    return ColumnShape(
        tuple(names),
        _shares(first, groups, len(names)),
        _shares(second, groups, len(names)),
        is_ordered=reference.kind is not ColumnKind.CATEGORICAL,
        cuts=tuple(cuts),
    )


def _shares(counts: Counts, groups: NDArray[np.intp], size: int) -> tuple[float, ...]:
    sums = np.bincount(groups, counts, size)
    return tuple((sums / max(counts.sum(), 1)).tolist())


def _label_groups(labels: list[str], counts: Counts) -> tuple[list[str], NDArray[np.intp]]:
    order = np.argsort(-counts, kind="stable")
    kept = order if len(order) <= GROUPS else order[: GROUPS - 1]
    names = [labels[at] if labels[at] != MISSING_LABEL else _MISSING for at in kept]
    groups = np.full(len(labels), len(kept), dtype=np.intp)
    groups[kept] = np.arange(len(kept))
    return ([*names, _REST] if len(kept) < len(order) else names), groups


def _range_groups(
    bins: NDArray[np.int32], counts: Counts, ruler: "_Ruler"
) -> tuple[list[str], NDArray[np.intp], list[float]]:
    """Ranges of equal width between the tails, and where each begins."""
    places, is_missing = ruler.places(bins), bins == MISSING
    finite = np.isfinite(places) & (counts > 0)
    if not finite.any():
        return [_MISSING if is_missing.all() else "infinite"], np.zeros(len(bins), dtype=np.intp), []
    shares = np.cumsum(counts[finite]) / counts[finite].sum()
    ends = places[finite][np.minimum(np.searchsorted(shares, [_TAIL, 1 - _TAIL]), finite.sum() - 1)]
    cuts = np.unique(np.linspace(ends[0], ends[1], GROUPS + 1)[:-1])
    groups = np.clip(np.searchsorted(cuts, places, side="right") - 1, 0, len(cuts) - 1)
    begins = [ruler.value(cut) for cut in cuts]
    names = [f"from {begin:.4g}" for begin in begins]
    names[0] = f"below {begins[1]:.4g}" if len(cuts) > 1 else f"about {begins[0]:.4g}"
    if not is_missing.any():
        return names, groups, begins
    return [_MISSING, *names], np.where(is_missing, 0, groups + 1), begins


@dataclass(frozen=True, slots=True)
class _Ruler:
    """Where a bin lies on the axis that is cut into equal parts, and which value a place stands for."""

    places: Callable[[NDArray[np.int32]], Floats]
    value: Callable[[float], float] = float


def _ruler(kind: ColumnKind, edges: Floats | None) -> _Ruler:
    """Confidences crowd near 1, so their axis is the logit's; all others are cut by value."""
    if edges is not None:
        return _Ruler(partial(_quantile_edges, edges))
    if kind is ColumnKind.NUMBER:
        return _Ruler(partial(lower_edges, scale=Scale.LOG_LINEAR))
    return _Ruler(
        lambda bins: np.where(bins == MISSING, np.nan, bins.astype(np.float64)),
        lambda place: float(lower_edges(np.array([round(place)], np.int32), Scale.LOGIT)[0]),
    )


def _quantile_edges(edges: Floats, bins: NDArray[np.int32]) -> Floats:
    """Bin 2i+1 is the edge i itself, bin 2i lies below it."""
    places = (bins.astype(np.int64) - 1) // 2
    values = np.where(places < 0, -np.inf, edges[np.clip(places, 0, len(edges) - 1)])
    return np.where(bins == MISSING, np.nan, values)
