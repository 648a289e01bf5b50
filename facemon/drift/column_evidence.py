"""What the rows say about one column: the score, its p-value, and the smallest shift that they detect."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from facemon.domain.drift_result import Verdict
from facemon.domain.profile import ColumnCounts, ColumnKind
from facemon.drift.cluster_tests import ClusterTest, WindowRows, paired_test, unpaired_test
from facemon.drift.dependence import Clustered, Layout, TooFewClusters, Window, Within
from facemon.drift.design_effect import INDEPENDENT, DesignEffect, SourceRows, is_constant
from facemon.drift.distances import Counts, aligned, distance, ks_distance, total_variation
from facemon.drift.homogeneity import rare_labels
from facemon.drift.new_labels import new_labels_test, with_new_labels
from facemon.drift.power import detectable_by_t, detectable_labels, detectable_shift
from facemon.drift.sample import Sample
from facemon.drift.single_sources import SingleTest
from facemon.drift.within_sources import differences, labels_within, numbers_within

_SPLITS = np.linspace(0.1, 0.9, 9)
"""Numbers are split at the deciles of both windows together."""
_CONSTANT = np.ones(1, dtype=np.int64)
_TOLD_FROM = 1.05
FEWEST_WORTH = 50
"""Fewer independent rows than this decide nothing."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A column's score and test; where there is no test, `untested` is the verdict and `reason` says why."""

    score: float | None = None
    method: str | None = None
    p_value: float | None = None
    detectable: float | None = None
    test: str | None = None
    reason: str | None = None
    untested: Verdict = Verdict.UNDECIDED
    pooled_score: float | None = None
    """The distance of all rows of one window from those of the other, where the score is that within sources."""


def evidence_of(
    reference: Sample,
    current: Sample,
    name: str,
    layout: Layout,
    effect: DesignEffect = INDEPENDENT,
    *,
    significance: float,
    min_rows: int = FEWEST_WORTH,
    alone: SingleTest | None = None,
) -> Evidence:
    """Score and test a column that both samples hold rows of, of the same kind.

    `layout` says how its rows are compared, and `effect` by how much they repeat where that is within sources. Rows
    that are worth fewer than `min_rows` independent ones, or than 50, decide nothing. `alone` is the test of the rows
    of one source, numbers or two labels, where it was computed before.
    """
    whole = (reference.total.columns[name], current.total.columns[name])
    is_label = whole[0].kind is ColumnKind.CATEGORICAL
    method = "total_variation" if is_label else "ks"
    match layout:
        case Within():
            fewest = min(min_rows, FEWEST_WORTH)
            if alone is not None:
                return _of_one_source(layout.sources[0], alone, effect, is_label, method, fewest)
            return _within_sources(layout, effect, is_label, method, significance, fewest)
        case TooFewClusters():
            sources = "1 source is" if layout.clusters == 1 else f"{layout.clusters} sources are"
            reason = (
                f"reference and current data hold different sources, and {sources} in the {layout.side}, fewer than 5: "
                "set drift.cluster to none if its rows are independent"
            )
            return Evidence(distance(*whole), method, reason=reason)
        case Clustered():
            outcome, test = _test_clusters(layout, is_label)
            detectable = detectable_by_t(outcome.standard_error, outcome.degrees, significance, outcome.tests)
            # No cluster test sees more than independent rows would; a constant column has no spread to tell it from.
            rows = (float(whole[0].total), float(whole[1].total))
            least = detectable_labels(whole[0].counts if is_label else _CONSTANT, rows, significance)
            return Evidence(distance(*whole), method, outcome.p_value, max(detectable, least), test)
        case _:
            assert_never(layout)


def _of_one_source(
    source: SourceRows, test: SingleTest, effect: DesignEffect, is_label: bool, method: str, fewest: int
) -> Evidence:
    """As `_within_sources`, of the rows of one source, whose test is known."""
    if reason := _repeats(source.counts[1].total, effect, fewest):
        return Evidence(test.score, method, reason=reason)
    return Evidence(test.score, method, test.p_value, test.detectable, _name_of(1, 2, effect, is_label))


def _repeats(rows: int, effect: DesignEffect, fewest: int) -> str | None:
    """Why the rows decide nothing, if they are worth too few."""
    worth = rows / effect.factor
    if not effect.is_proven or worth >= fewest:
        return None
    return f"frames repeat: {rows:,} rows are worth {worth:.0f} independent ones, fewer than {fewest}"


def _within_sources(
    layout: Within, effect: DesignEffect, is_label: bool, method: str, significance: float, fewest: int
) -> Evidence:
    """The score, the p-value and the detectable shift of rows that are compared within sources."""
    rows = [sum(source.counts[side].total for source in layout.sources) for side in (0, 1)]
    sides = _counts_within(layout)
    score, pooled = _scores(*sides, is_label) if sides[0].shape[1] > 1 else (0.0, 0.0)
    evidence = Evidence(score, method, pooled_score=pooled if len(layout.sources) > 1 else None)
    if reason := _repeats(rows[1], effect, fewest):
        return replace(evidence, reason=reason)
    weight = sum(source.weight for source in layout.sources) / effect.factor
    held = sides[0][0] if len(layout.sources) == 1 else sides[0].sum(axis=0)
    return Evidence(
        score,
        method,
        _p_value(*sides, effect, is_label),
        detectable_shift(held, (float(rows[0]), float(rows[1])), weight, significance, is_label=is_label),
        _name_of(len(layout.sources), sides[0].shape[1], effect, is_label),
        pooled_score=evidence.pooled_score,
    )


def _counts_within(layout: Within) -> tuple[Counts, Counts]:
    """The counts of both windows, one row per source; where nothing varies there is one key, whatever it is."""
    if is_constant(layout.sources):
        totals = np.array([[side.total for side in source.counts] for source in layout.sources])
        return totals[:, :1], totals[:, 1:]
    if len(layout.sources) == 1:
        before, now = aligned(list(layout.sources[0].counts))
        return before[None], now[None]
    sides = np.stack(aligned([counts for source in layout.sources for counts in source.counts]))
    return sides[::2], sides[1::2]


def _scores(reference: Counts, current: Counts, is_label: bool) -> tuple[float, float]:
    """The score within sources, and that of all rows together, which for one source are the same."""
    measure = total_variation if is_label else ks_distance
    if len(reference) == 1:
        alone = measure(reference[0], current[0])
        return alone, alone
    moved = differences(reference, current)
    score = np.abs(moved).sum() / 2 if is_label else np.abs(np.cumsum(moved)).max()
    # float64 sums of shares that cancel leave a rest.
    return float(min(score, 1.0)), measure(reference.sum(axis=0), current.sum(axis=0))


def _p_value(reference: Counts, current: Counts, effect: DesignEffect, is_label: bool) -> float:
    if reference.shape[1] == 1:
        return 1.0
    if not is_label:
        return numbers_within(reference, current, effect)
    p_value = labels_within(reference, current, effect)
    return with_new_labels(p_value, new_labels_test(reference, current, effect.factor))


def _name_of(sources: int, keys: int, effect: DesignEffect, is_label: bool) -> str:
    if sources > 1:
        name = "Cochran-Mantel-Haenszel" if is_label else "stratified Kolmogorov-Smirnov"
        name += f" over {sources} sources"
    elif is_label:
        name = "exact mid-p" if keys < 3 else "chi-squared, rare labels exact"
    else:
        name = "Kolmogorov-Smirnov"
    return f"{name}, design effect {effect.factor:.1f}" if effect.factor >= _TOLD_FROM else name


def _test_clusters(layout: Clustered, is_label: bool) -> tuple[ClusterTest, str]:
    sides = (layout.reference.clusters, layout.current.clusters)
    counts = _split_counts(sides, is_label)
    rows = [np.array([column.total for column in side], dtype=np.float64) for side in sides]
    if layout.paired:
        return paired_test(
            (counts[0], counts[1]), (rows[0], rows[1])
        ), f"paired t over {len(rows[0])} {layout.clusters}"
    first, second = (
        WindowRows(cells, sizes, window.independent, window.design_effect)
        for cells, sizes, window in zip(counts, rows, (layout.reference, layout.current), strict=True)
    )
    names = " and ".join(_counted(window, layout.clusters) for window in (layout.reference, layout.current))
    return unpaired_test(first, second), f"cluster-robust t over {names}"


def _counted(window: Window, clusters: str) -> str:
    return "single images" if window.independent else f"{len(window.clusters)} {clusters}"


def _split_counts(sides: Sequence[Sequence[ColumnCounts]], is_label: bool) -> list[NDArray[np.float64]]:
    """Per side one row per cluster: counts per label, rare ones pooled, or below each split of the numbers."""
    vectors = np.stack(aligned([column for side in sides for column in side])).astype(np.float64)
    first, second = vectors[: len(sides[0])], vectors[len(sides[0]) :]
    grouped = _label_groups if is_label else _below_splits
    groups = grouped(first.sum(axis=0), second.sum(axis=0))
    return [first @ groups, second @ groups]


def _label_groups(reference: Counts, current: Counts) -> NDArray[np.float64]:
    """A matrix that maps labels to groups; of two complementary groups one is enough."""
    rare = rare_labels(reference, current)
    groups = np.eye(len(rare))[:, ~rare]
    if rare.any():
        groups = np.column_stack([groups, rare.astype(np.float64)])
    return groups[:, :1] if groups.shape[1] == 2 else groups


def _below_splits(reference: Counts, current: Counts) -> NDArray[np.float64]:
    """A matrix that maps bins to "below the split": the deciles, and the first bin where it is no rare one.

    The first bin is that of missing values, where there are any.
    """
    shares = np.cumsum(reference + current) / (reference + current).sum()
    ends = np.searchsorted(shares, _SPLITS)
    if not rare_labels(reference, current)[0]:
        ends = np.append(ends, 0)
    ends = np.unique(ends[ends < len(shares) - 1]) if (ends < len(shares) - 1).any() else np.zeros(1, dtype=np.intp)
    return (np.arange(len(shares))[:, None] <= ends).astype(np.float64)
