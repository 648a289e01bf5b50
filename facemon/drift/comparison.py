"""One check: the columns of two samples, compared and judged."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from facemon.config.drift import DriftConfig
from facemon.domain.drift_result import ACCURACY, CONFIDENCE, LABEL, Check, CheckResult, ColumnResult, Verdict, overall
from facemon.domain.profile import ColumnCounts, ColumnKind
from facemon.drift.accuracy import accuracy_of, held_by
from facemon.drift.column_evidence import Evidence, evidence_of
from facemon.drift.column_groups import ColumnGroups
from facemon.drift.column_tests.registry import column_test, distance
from facemon.drift.column_verdict import decide
from facemon.drift.compared_columns import ComparedColumn, threshold_of
from facemon.drift.dependence import Comparison, effects_of, layout_of
from facemon.drift.design_effect import INDEPENDENT, DesignEffect
from facemon.drift.expected_columns import NOTHING_EXPECTED, ExpectedColumns
from facemon.drift.multiplicity import adjusted
from facemon.drift.sample import IGNORED, NO_VALUES, Sample
from facemon.drift.single_sources import SingleTest
from facemon.near_names import nearest_names


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
    peers: Sequence[ComparedColumn] = (),
) -> list[CheckResult]:
    """Judge the columns of each group; the first group is the whole, the others are its sources.

    `peers` are columns of another check, which help to tell how much the rows of the whole repeat.

    The whole and the sources are a family of tests each: p-values are adjusted over its columns, windows and groups,
    and by Bonferroni for as many `families` as are tested. What an earlier check compared of the whole need not be in
    every source.
    """
    before = expected.of(check)
    evidence = [
        *_weigh_groups(groups[:1], columns, settings, expected, before, peers),
        *_weigh_groups(groups[1:], columns, settings, expected, ()),
    ]
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


def _weigh_groups(
    groups: Sequence[ComparedGroup],
    columns: Sequence[ComparedColumn],
    settings: DriftConfig,
    expected: ExpectedColumns,
    due: Collection[str],
    peers: Sequence[ComparedColumn] = (),
) -> list[list[list[Evidence]]]:
    """The evidence of each group, window and column; how much rows repeat is estimated from all columns together."""
    longest = max((len(group.windows) for group in groups), default=0)
    found: list[list[list[Evidence]]] = [[] for _ in groups]
    for place in range(longest):
        # A window of the same length of each group that has it.
        pairs = {
            at: (group.reference, group.windows[place][1])
            for at, group in enumerate(groups)
            if place < len(group.windows)
        }
        held = [
            ColumnGroups.of(column.name, of_column, settings.cluster)
            for column in (*columns, *peers)
            if column.measure != ACCURACY and (of_column := _with_rows(pairs, column.name))
        ]
        comparisons = {key: each for column in held for key, each in column.comparisons(pairs).items()}
        effects = effects_of(comparisons)
        tests = {
            key: each
            for column in held[: len(columns)]
            for key, each in column.tests(effects, settings.significance).items()
        }
        for at, sides in pairs.items():
            found[at].append(
                [
                    _weigh(
                        *sides,
                        column,
                        settings,
                        expected,
                        comparisons.get((at, column.name)),
                        effects.get((at, column.name), INDEPENDENT),
                        tests.get((at, column.name)),
                        is_due=column.name in due,
                    )
                    for column in columns
                ]
            )
    return found


def _with_rows(groups: Mapping[int, tuple[Sample, Sample]], name: str) -> dict[int, tuple[Sample, Sample]]:
    """The groups that have rows of a column on both sides."""
    return {at: sides for at, sides in groups.items() if _is_comparable(*(side.column(name) for side in sides))}


def _is_comparable(reference: ColumnCounts | None, current: ColumnCounts | None) -> bool:
    return bool(reference and current and reference.total and current.total and _kind(reference) == _kind(current))


def _weigh(
    reference: Sample,
    current: Sample,
    column: ComparedColumn,
    settings: DriftConfig,
    expected: ExpectedColumns,
    comparison: Comparison | None,
    effect: DesignEffect,
    alone: SingleTest | None,
    *,
    is_due: bool,
) -> Evidence:
    """The column's evidence, or why there is none; one that `is_due` is undecided where it cannot be compared."""
    found = _untested(reference, current, column, settings, expected)
    if found is None:
        assert comparison is not None  # noqa: S101 - both samples hold rows of the column, of one kind
        found = evidence_of(
            reference,
            current,
            column.name,
            comparison.layout,
            effect,
            significance=settings.significance,
            min_rows=settings.min_rows,
            alone=alone,
        )
    if not is_due or found.untested is not Verdict.NOT_COMPARED or found.reason in (IGNORED, NO_VALUES):
        return found
    return replace(found, untested=Verdict.UNDECIDED, reason=expected.overdue(found.reason or ""))


def _untested(
    reference: Sample, current: Sample, column: ComparedColumn, settings: DriftConfig, expected: ExpectedColumns
) -> Evidence | None:
    """Why a column cannot be tested, or what is known of an accuracy; None for one that can."""
    if column.measure == ACCURACY:
        return _weigh_accuracy(reference.accuracy(), current.accuracy(), column.attribute or "", settings)
    name = column.name
    for sample, side in ((reference, "reference"), (current, "current data")):
        if name in sample.not_comparable:
            if sample.not_comparable[name] == IGNORED:
                return Evidence(reason=IGNORED, untested=Verdict.NOT_COMPARED)
            reason = f"{sample.not_comparable[name]} in the {side}"
            # What the reference could compare and the current data cannot has changed by an unknown amount.
            untested = Verdict.UNDECIDED if reference.column(name) else Verdict.NOT_COMPARED
            return Evidence(reason=reason, untested=untested)
        if name in sample.faulty:
            return Evidence(reason=f"{sample.faulty[name]} in the {side}")
    first, second = reference.column(name), current.column(name)
    # Where no face was found an attribute's column is not missing: it has no rows.
    if first is None and (reference.total.faces if column.attribute else reference.rows):
        if _must_be_known(column, reference, second, expected):
            return Evidence(reason=expected.lacking(name))
        return Evidence(reason="the reference has no such column", untested=Verdict.NOT_COMPARED)
    if second is None and (current.total.faces if column.attribute else current.rows):
        return Evidence(reason=f"the current data has no such column{_nearest(name, current)}")
    return _untested_counts(first, second, settings.min_rows)


def _untested_counts(first: ColumnCounts | None, second: ColumnCounts | None, min_rows: int) -> Evidence | None:
    """Why the counts of a column cannot be tested; None where they can."""
    too_few = too_few_rows(first.total if first else 0, second.total if second else 0, min_rows)
    if first is None or second is None or not (first.total and second.total):
        return Evidence(reason=too_few)
    if _kind(first) != _kind(second):
        return Evidence(reason=f"{_HOLDS[_kind(first)]} in the reference, {_HOLDS[_kind(second)]} in the current data")
    if not (first.holds_values or second.holds_values):
        return Evidence(reason=NO_VALUES, untested=Verdict.NOT_COMPARED)
    if too_few is not None:
        return Evidence(distance(first, second), column_test(first).method, reason=too_few)
    return None


def _must_be_known(
    column: ComparedColumn, reference: Sample, current: ColumnCounts | None, expected: ExpectedColumns
) -> bool:
    """Whether a column that the reference lacks must not pass: one of a configured attribute.

    Of two tables, an attribute that neither has is not asked about. A reference that knows the attribute may have no
    confidences of it, as true labels have none.
    """
    is_asked = expected.needs_attributes and (expected.of_log or current is not None)
    if column.attribute is None or not is_asked:
        return False
    return column.measure != CONFIDENCE or reference.column(column.attribute) is None


def _weigh_accuracy(reference: Sample, current: Sample, attribute: str, settings: DriftConfig) -> Evidence:
    """The drop of accuracy, tested as any two labels are; an accuracy that rises is no drift."""
    first, second = reference.column(attribute), current.column(attribute)
    if first is None or second is None:
        where = "reference's window" if first is None else "drift.accuracy_window"
        reason = f"no labels within the {where}: facemon evaluate compares with true ones"
        return Evidence(reason=reason, untested=Verdict.NOT_COMPARED)
    drop = max(0.0, accuracy_of(first) - accuracy_of(second))
    if too_few := too_few_rows(first.total, second.total, settings.min_rows):
        return Evidence(drop, _DROP, reason=too_few)
    layout = layout_of(reference, current, attribute, settings.cluster)
    found = evidence_of(reference, current, attribute, layout, significance=settings.significance)
    return replace(found, score=drop, method=_DROP)


_DROP = "accuracy_drop"
_HOLDS = {"categorical": "labels", "number": "numbers"}


def too_few_rows(reference: int, current: int, min_rows: int) -> str | None:
    """Why so few rows decide nothing; None where they are enough."""
    for count, where in ((current, ""), (reference, " in the reference")):
        if count < min_rows:
            return f"{count} row{'s' * (count != 1)}{where}, fewer than min_rows {min_rows}"
    return None


def _kind_of(column: ComparedColumn, held: ColumnCounts | None) -> str:
    if column.measure == ACCURACY:
        return ACCURACY
    return _kind(held) if held else "categorical" if column.measure == LABEL else "number"


def _kind(column: ColumnCounts) -> str:
    return "categorical" if column.kind is ColumnKind.CATEGORICAL else "number"


def _nearest(name: str, sample: Sample) -> str:
    near = nearest_names(name, [other for other in sample.names if other != name], most=3)
    return f"; the nearest are {', '.join(near)}" if near else ""
