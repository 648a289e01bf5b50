"""What the rows say about one column: the score, its p-value, and the smallest shift they would show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from facemon.drift.cluster_tests import ClusterTest, WindowRows, paired_test, unpaired_test
from facemon.drift.dependence import Layout, TooFewClusters, Window, layout_of
from facemon.drift.distances import Counts, aligned, distance
from facemon.drift.homogeneity import labels_p_value, numbers_p_value, rare_labels
from facemon.drift.power import detectable_by_t, detectable_labels, detectable_numbers
from facemon.drift.sample import Sample
from facemon.values.drift_result import Verdict
from facemon.values.profile import ColumnCounts, ColumnKind

_SPLITS = np.linspace(0.1, 0.9, 9)
"""Numbers are split at the deciles of both windows together."""
_CONSTANT = np.ones(1, dtype=np.int64)


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


def evidence_of(
    reference: Sample, current: Sample, name: str, cluster: Literal["source", "none"], significance: float
) -> Evidence:
    """Score and test a column that both samples hold rows of, of the same kind."""
    whole = (reference.total.columns[name], current.total.columns[name])
    is_label = whole[0].kind is ColumnKind.CATEGORICAL
    score, method = distance(*whole), "total_variation" if is_label else "ks"
    layout = layout_of(reference, current, name, cluster)
    if isinstance(layout, TooFewClusters):
        sources = "1 source" if layout.clusters == 1 else f"{layout.clusters} sources"
        reason = f"{sources} in the {layout.side}, fewer than 5: set drift.cluster to none if its rows are independent"
        return Evidence(score, method, reason=reason)
    if layout.independent:
        p_value, detectable, test = _test_rows(layout, is_label, significance)
        return Evidence(score, method, p_value, detectable, test)
    outcome, test = _test_clusters(layout, is_label)
    detectable = detectable_by_t(outcome.standard_error, outcome.degrees, significance, outcome.tests)
    # No cluster test sees more than independent rows would; a constant column has no spread to tell it from.
    rows = (float(whole[0].total), float(whole[1].total))
    detectable = max(detectable, detectable_labels(whole[0].counts if is_label else _CONSTANT, rows, significance))
    return Evidence(score, method, outcome.p_value, detectable, test)


def _test_rows(layout: Layout, is_label: bool, significance: float) -> tuple[float, float, str]:
    """The p-value, the detectable shift and the test's name for independent rows."""
    windows = (layout.reference, layout.current)
    reference, current = aligned([window.clusters[0] for window in windows])
    first, second = (
        counts.sum() / window.design_effect for counts, window in zip((reference, current), windows, strict=True)
    )
    # One factor for both windows: the variance of the difference against that of independent rows.
    effect = float((1 / first + 1 / second) / (1 / reference.sum() + 1 / current.sum()))
    if not is_label:
        p_value = numbers_p_value(reference, current, effect)
        return p_value, detectable_numbers((first, second), significance), "Kolmogorov-Smirnov"
    p_value = labels_p_value(reference, current, effect)
    test = "exact mid-p" if len(reference) < 3 else "chi-squared, rare labels exact"
    return p_value, detectable_labels(reference, (first, second), significance), test


def _test_clusters(layout: Layout, is_label: bool) -> tuple[ClusterTest, str]:
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
