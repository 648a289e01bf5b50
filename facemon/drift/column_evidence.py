"""What the rows say about one column: the score, its p-value, and the smallest shift that they detect."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

import numpy as np

from facemon.domain.array_types import Counts, Floats
from facemon.domain.drift_result import Verdict
from facemon.domain.profile import ColumnCounts
from facemon.drift.cluster_tests import ClusterTest, WindowRows, paired_test, unpaired_test
from facemon.drift.column_tests.column_test import ColumnTest
from facemon.drift.column_tests.registry import column_test, distance
from facemon.drift.dependence import Clustered, Layout, TooFewClusters, Window, Within
from facemon.drift.design_effect import INDEPENDENT, DesignEffect, SourceRows, is_constant
from facemon.drift.distances import aligned
from facemon.drift.power import detectable_by_t
from facemon.drift.sample import Sample
from facemon.drift.single_sources import SingleTest
from facemon.drift.within_sources import differences

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
    test = column_test(whole[0])
    match layout:
        case Within():
            fewest = min(min_rows, FEWEST_WORTH)
            if alone is not None:
                return _of_one_source(layout.sources[0], alone, effect, test, fewest)
            return _within_sources(layout, effect, test, significance, fewest)
        case TooFewClusters():
            sources = "1 source is" if layout.clusters == 1 else f"{layout.clusters} sources are"
            reason = (
                f"reference and current data hold different sources, and {sources} in the {layout.side}, fewer than 5: "
                "set drift.cluster to none if its rows are independent"
            )
            return Evidence(distance(*whole), test.method, reason=reason)
        case Clustered():
            outcome, name_of_test = _test_clusters(layout, test)
            detectable = detectable_by_t(outcome.standard_error, outcome.degrees, significance, outcome.tests)
            # No cluster test sees more than independent rows would.
            rows = (float(whole[0].total), float(whole[1].total))
            least = test.detectable_between(whole[0].counts, rows, significance)
            return Evidence(distance(*whole), test.method, outcome.p_value, max(detectable, least), name_of_test)
        case _:
            assert_never(layout)


def _of_one_source(
    source: SourceRows, alone: SingleTest, effect: DesignEffect, test: ColumnTest, fewest: int
) -> Evidence:
    """As `_within_sources`, of the rows of one source, whose test is known."""
    if reason := _repeats(source.counts[1].total, effect, fewest):
        return Evidence(alone.score, test.method, reason=reason)
    return Evidence(alone.score, test.method, alone.p_value, alone.detectable, _name_of(test, 1, 2, effect))


def _repeats(rows: int, effect: DesignEffect, fewest: int) -> str | None:
    """Why the rows decide nothing, if they are worth too few."""
    worth = rows / effect.factor
    if not effect.is_proven or worth >= fewest:
        return None
    return f"frames repeat: {rows:,} rows are worth {worth:.0f} independent ones, fewer than {fewest}"


def _within_sources(
    layout: Within, effect: DesignEffect, test: ColumnTest, significance: float, fewest: int
) -> Evidence:
    """The score, the p-value and the detectable shift of rows that are compared within sources."""
    rows = [sum(source.counts[side].total for source in layout.sources) for side in (0, 1)]
    sides = _counts_within(layout)
    score, pooled = _scores(*sides, test) if sides[0].shape[1] > 1 else (0.0, 0.0)
    evidence = Evidence(score, test.method, pooled_score=pooled if len(layout.sources) > 1 else None)
    if reason := _repeats(rows[1], effect, fewest):
        return replace(evidence, reason=reason)
    weight = sum(source.weight for source in layout.sources) / effect.factor
    held = sides[0][0] if len(layout.sources) == 1 else sides[0].sum(axis=0)
    return Evidence(
        score,
        test.method,
        test.p_value(*sides, effect) if sides[0].shape[1] > 1 else 1.0,
        test.detectable_shift(held, (float(rows[0]), float(rows[1])), weight, significance),
        _name_of(test, len(layout.sources), sides[0].shape[1], effect),
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


def _scores(reference: Counts, current: Counts, test: ColumnTest) -> tuple[float, float]:
    """The score within sources, and that of all rows together, which for one source are the same."""
    if len(reference) == 1:
        alone = test.distance(reference[0], current[0])
        return alone, alone
    score = test.moved(differences(reference, current))
    # float64 sums of shares that cancel leave a rest.
    return min(float(score), 1.0), test.distance(reference.sum(axis=0), current.sum(axis=0))


def _name_of(test: ColumnTest, sources: int, keys: int, effect: DesignEffect) -> str:
    name = test.name(sources, keys)
    return f"{name}, design effect {effect.factor:.1f}" if effect.factor >= _TOLD_FROM else name


def _test_clusters(layout: Clustered, test: ColumnTest) -> tuple[ClusterTest, str]:
    sides = (layout.reference.clusters, layout.current.clusters)
    counts = _split_counts(sides, test)
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


def _split_counts(sides: Sequence[Sequence[ColumnCounts]], test: ColumnTest) -> list[Floats]:
    """Per side one row per cluster: counts per label, rare ones pooled, or below each split of the numbers."""
    vectors = np.stack(aligned([column for side in sides for column in side])).astype(np.float64)
    first, second = vectors[: len(sides[0])], vectors[len(sides[0]) :]
    groups = test.groups(first.sum(axis=0), second.sum(axis=0))
    return [first @ groups, second @ groups]
