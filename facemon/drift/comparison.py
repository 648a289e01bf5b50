"""One check: the columns of two samples, compared and judged."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from facemon.config.drift import DriftConfig
from facemon.domain.drift_result import ACCURACY, LABEL, Check, CheckResult, ColumnResult, Verdict, overall
from facemon.domain.profile import ColumnCounts
from facemon.drift.accuracy import held_by
from facemon.drift.column_evidence import Evidence
from facemon.drift.column_verdict import decide
from facemon.drift.compared_columns import ComparedColumn, threshold_of
from facemon.drift.expected_columns import NOTHING_EXPECTED, ExpectedColumns
from facemon.drift.multiplicity import adjusted
from facemon.drift.sample import Sample
from facemon.drift.strange_cells import with_doubt
from facemon.drift.untested_columns import kind_of_counts
from facemon.drift.weighing import Weighing


@dataclass(frozen=True, slots=True)
class ComparedGroup:
    """Rows that are judged together, all of them or those of one source: the reference's, and those of each window.

    The windows end together, the shortest first; only the longest clears a column. A window may have a name.
    """

    reference: Sample
    windows: tuple[tuple[str | None, Sample], ...]

    @classmethod
    def of(cls, reference: Sample, current: Sample) -> "ComparedGroup":
        """One window without a name."""
        return cls(reference, ((None, current),))


def compare(
    reference: Sample, current: Sample, *, columns: Sequence[ComparedColumn], settings: DriftConfig, check: Check
) -> CheckResult:
    """Judge each of the columns; p-values are adjusted over those that were tested."""
    group = ComparedGroup.of(reference, current)
    return compare_groups([group], columns=columns, settings=settings, check=check)[0]


def compare_groups(
    groups: Sequence[ComparedGroup],
    *,
    columns: Sequence[ComparedColumn],
    settings: DriftConfig,
    check: Check,
    expected: ExpectedColumns = NOTHING_EXPECTED,
    families: int = 1,
    whole: Sequence[Weighing] | None = None,
) -> list[CheckResult]:
    """Judge the columns of each group; the first group is the whole, the others are its sources.

    `whole` are the weighings of the first group, where columns of another check too tell how much its rows repeat.

    The whole and the sources are a family of tests each: p-values are adjusted over its columns, windows and groups,
    and by Bonferroni for as many `families` as are tested. What an earlier check compared of the whole need not be in
    every source.
    """
    if whole is None:
        whole = weighings_of(groups[:1], columns, settings, expected)
    apart = weighings_of(groups[1:], columns, settings, expected)
    evidence = [
        *_weigh_groups(1, whole, columns, expected.of(check)),
        *_weigh_groups(len(groups) - 1, apart, columns, ()),
    ]
    for group, parts in zip(groups, evidence, strict=True):
        _doubt(group, parts, columns, check, settings)
    default = settings.model if check is Check.MODEL else settings.data
    outcomes: list[CheckResult] = []
    for family in (evidence[:1], evidence[1:]):
        tested = [part.p_value for parts in family for at in parts for part in at if part.p_value is not None]
        corrected = iter(min(1.0, families * p_value) for p_value in adjusted(tested))
        for parts in family:
            p_values = [[next(corrected) if part.p_value is not None else None for part in at] for at in parts]
            group = groups[len(outcomes)]
            results = [
                _judged(group, column, [at[place] for at in parts], [at[place] for at in p_values], check, settings)
                for place, column in enumerate(columns)
            ]
            verdict = overall(result.verdict for result in results)
            outcomes.append(CheckResult(verdict, default.threshold, tuple(results)))
    return outcomes


def _doubt(
    group: ComparedGroup,
    parts: Sequence[list[Evidence]],
    columns: Sequence[ComparedColumn],
    check: Check,
    settings: DriftConfig,
) -> None:
    """Take away, in place, what the windows of a group say of columns whose strange cells could mean anything."""
    is_clustered = settings.cluster != "none"
    for at, (_, current) in zip(parts, group.windows, strict=True):
        for place, column in enumerate(columns):
            at[place] = with_doubt(
                at[place],
                group.reference,
                current,
                column.name,
                column.measure,
                threshold=threshold_of(column, check, settings),
                is_clustered=is_clustered,
            )


def _judged(
    group: ComparedGroup,
    column: ComparedColumn,
    evidence: Sequence[Evidence],
    p_adjusted: Sequence[float | None],
    check: Check,
    settings: DriftConfig,
) -> ColumnResult:
    """The verdict on one column: of the window that shows drift best, or else of the longest."""
    threshold = threshold_of(column, check, settings)
    decisions = [
        decide(part, p_value, threshold, settings.significance)
        for part, p_value in zip(evidence, p_adjusted, strict=True)
    ]
    drifted = [at for at, decision in enumerate(decisions) if decision.verdict is Verdict.DRIFT]
    chosen = min(drifted, key=lambda at: p_adjusted[at] or 0.0, default=len(decisions) - 1)
    decision, found, (name, current) = decisions[chosen], evidence[chosen], group.windows[chosen]
    first, second = (
        held_by(sample, column.name, column.attribute, column.measure) for sample in (group.reference, current)
    )
    return ColumnResult(
        column=column.name,
        kind=_kind_of(column, first or second),
        verdict=decision.verdict,
        score=found.score,
        p_value=found.p_value,
        p_adjusted=p_adjusted[chosen],
        n_reference=first.total if first else 0,
        n_current=second.total if second else 0,
        method=found.method,
        detectable=found.detectable,
        threshold=threshold,
        reason=decision.reason,
        attribute=column.attribute,
        measure=column.measure,
        test=found.test,
        pooled_score=found.pooled_score,
        window=name if len(group.windows) > 1 else None,
        clear_windows=tuple(
            group.windows[at][0] or "" for at in range(chosen) if drifted and _is_clear(evidence[at], threshold)
        ),
    )


def _is_clear(evidence: Evidence, threshold: float) -> bool:
    """Whether a window does not show what a longer one does: rows that are too few to tell do not say so."""
    return evidence.score is not None and evidence.p_value is not None and evidence.score < threshold


def weighings_of(
    groups: Sequence[ComparedGroup], columns: Sequence[ComparedColumn], settings: DriftConfig, expected: ExpectedColumns
) -> list[Weighing]:
    """Windows of the same length of each group that has them, the shortest first."""
    longest = max((len(group.windows) for group in groups), default=0)
    return [
        Weighing.of(
            {
                at: (group.reference, group.windows[place][1])
                for at, group in enumerate(groups)
                if place < len(group.windows)
            },
            columns,
            settings,
            expected,
        )
        for place in range(longest)
    ]


def _weigh_groups(
    count: int, weighings: Sequence[Weighing], columns: Sequence[ComparedColumn], due: Collection[str]
) -> list[list[list[Evidence]]]:
    """The evidence of each group, window and column."""
    found: list[list[list[Evidence]]] = [[] for _ in range(count)]
    for weighing in weighings:
        by_column = weighing.weigh(columns, due)
        for place, at in enumerate(weighing.pairs):
            found[at].append([of_column[place] for of_column in by_column])
    return found


def _kind_of(column: ComparedColumn, held: ColumnCounts | None) -> str:
    if column.measure == ACCURACY:
        return ACCURACY
    return kind_of_counts(held) if held else "categorical" if column.measure == LABEL else "number"
