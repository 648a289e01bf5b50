"""A whole drift check: the data and the model check on two samples, and the verdict over all."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from facemon.config.drift import DriftConfig
from facemon.config.model import AttributeConfig
from facemon.domain.drift_result import Check, CheckResult, DriftResult, Side, Verdict
from facemon.domain.run_verdict import verdict_over
from facemon.drift.compared_columns import compared_columns
from facemon.drift.comparison import ComparedGroup, compare_groups, weighings_of
from facemon.drift.expected_columns import NOTHING_EXPECTED, ExpectedColumns
from facemon.drift.sample import Sample
from facemon.drift.source_verdicts import (
    compared_groups,
    crowd_notes,
    independence_notes,
    one_sided_sources,
    source_notes,
    source_results,
    window_notes,
)
from facemon.drift.strange_cells import strange_notes
from facemon.drift.window_cut import CutWindow
from facemon.drift.window_ladder import Ladder

LABELS_NOTE = "The reference holds true labels, so the model's own bias counts as drift."
EVIDENTLY_NOTE = "Evidently's verdict is informational; pass --check evidently to make it decide."


FAMILIES_OF_LOG = 4
"""Of a check of the log: the whole and the sources, of the data and of the model."""


def run_checks(
    reference: Sample,
    current: Sample,
    *,
    checks: Collection[Check],
    attributes: Sequence[AttributeConfig],
    settings: DriftConfig,
    at: datetime,
    reference_side: Side,
    current_side: Side,
    model: str | None = None,
    source: str | None = None,
    cut: CutWindow | None = None,
    expected: ExpectedColumns = NOTHING_EXPECTED,
    by_source: bool = False,
    ladder: Ladder | None = None,
) -> DriftResult:
    """Run those of the data and model checks that are asked for; the rows of both sides are set from the samples.

    The windows and the sources of a `ladder`, of which `current` is the longest window, are judged with it. Without
    one, as for tables, each source is judged too with `by_source`. Sources that are too many are judged together alone,
    which a note says. `cut` is what the reference left of the window; `expected` says which columns must be there.
    """
    cut_short = cut.empty_because if cut is not None else None
    compared = compared_groups(reference, current, ladder, by_source=by_source, has_rows=cut_short is None)
    families = 2 if compared.sources and ladder is None else 1
    if ladder is not None and source is None:
        families = FAMILIES_OF_LOG
    whole, *rest = _outcomes(compared.groups, checks, attributes, settings, expected, families)
    if cut_short is not None:
        whole = {check: _without_rows(each, cut_short) for check, each in whole.items()}
    parts = source_results(compared, whole, rest)
    longest = compared.groups[0].windows[-1][1]
    notes = [LABELS_NOTE] if reference_side.kind == "labels" else []
    notes += [cut.note] if cut is not None and cut.note is not None else []
    notes += [] if ladder is None else [*window_notes(ladder), *source_notes(parts, reference, longest)]
    notes += [] if ladder is None and not by_source else crowd_notes(reference, longest)
    notes += [*one_sided_sources(reference, longest), *strange_notes(reference, longest, whole.get(Check.MODEL))]
    notes += independence_notes(reference, longest, settings.cluster)
    return DriftResult(
        verdict=verdict_over(whole, parts),
        at=at,
        reference=replace(reference_side, rows=reference.rows),
        current=replace(current_side, rows=longest.rows),
        checks=whole,
        model=model,
        source=source,
        notes=tuple(notes),
        sources=parts,
    )


def join_evidently(result: DriftResult, outcome: CheckResult, *, decides: bool, note: str | None = None) -> DriftResult:
    """The result with what `evidently_report.run_evidently` found, which is the verdict only where it `decides`.

    `note` says why it found nothing, where no column can say so.
    """
    notes = () if note is None else (note,)
    return replace(
        result,
        verdict=outcome.verdict if decides else result.verdict,
        checks={**result.checks, Check.EVIDENTLY: outcome},
        notes=(*result.notes, *notes) if decides else (*result.notes, EVIDENTLY_NOTE, *notes),
    )


def _outcomes(
    groups: Sequence[ComparedGroup],
    checks: Collection[Check],
    attributes: Sequence[AttributeConfig],
    settings: DriftConfig,
    expected: ExpectedColumns,
    families: int,
) -> list[dict[Check, CheckResult]]:
    """The checks of each group; the first is the whole and says which columns there are."""
    outcomes: list[dict[Check, CheckResult]] = [{} for _ in groups]
    sides = groups[0].reference, groups[0].windows[-1][1]
    columns = {
        check: compared_columns(check, attributes, *sides, settings, expected.of(check))
        for check in (Check.DATA, Check.MODEL)
    }
    asked = {check: own for check, own in columns.items() if check in checks}
    if not asked:
        return outcomes
    every = [column for own in columns.values() for column in own]
    whole = weighings_of(groups[:1], every, settings, expected)
    for check, own in asked.items():
        found = compare_groups(
            groups, columns=own, settings=settings, check=check, expected=expected, families=families, whole=whole
        )
        for held, outcome in zip(outcomes, found, strict=True):
            held[check] = outcome
    return outcomes


def _without_rows(outcome: CheckResult, reason: str) -> CheckResult:
    """The check with the reason why its window is empty, instead of that it has too few rows."""
    columns = [
        replace(column, reason=reason) if column.verdict is Verdict.UNDECIDED and not column.n_current else column
        for column in outcome.columns
    ]
    return replace(outcome, columns=tuple(columns))
