"""A whole drift check: the data and the model check on two samples, and the verdict over all."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from facemon.config.drift import DriftConfig
from facemon.config.model import AttributeConfig
from facemon.drift.compared_columns import compared_columns
from facemon.drift.comparison import compare_groups
from facemon.drift.expected_columns import NOTHING_EXPECTED, ExpectedColumns
from facemon.drift.sample import Sample, alike
from facemon.drift.window_cut import CutWindow
from facemon.errors import UsageError
from facemon.values.drift_result import Check, CheckResult, DriftResult, Side, SourceResult, Verdict, overall
from facemon.values.source_buckets import MOST_SOURCES

LABELS_NOTE = "The reference holds true labels, so the model's own bias counts as drift."
_MOST_NAMED = 8
EVIDENTLY_NOTE = "Evidently's verdict is for its report only: it decides when it is asked for by name."


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
) -> DriftResult:
    """Run those of the data and model checks that are asked for; the rows of both sides are set from the samples.

    With `by_source` each source is judged too, p-values adjusted over all sources and the whole; UsageError where
    they are too many. `cut` is what the reference left of the window; `expected` says which columns must not be
    missing.
    """
    reference, current = alike(reference, current)
    sources = _sources(reference, current) if by_source else []
    groups = [(reference, current), *((reference.of_source(name), current.of_source(name)) for name in sources)]
    whole, *rest = _outcomes(groups, checks, attributes, settings, expected)
    if cut is not None and cut.empty_because is not None:
        whole = {check: _without_rows(outcome, cut.empty_because) for check, outcome in whole.items()}
    parts = tuple(
        SourceResult(name, overall(outcome.verdict for outcome in held.values()), first.rows, second.rows, held)
        for name, (first, second), held in zip(sources, groups[1:], rest, strict=True)
    )
    deciding = [*(outcome.verdict for outcome in whole.values()), *(part.verdict for part in parts)]
    notes = [LABELS_NOTE] if reference_side.kind == "labels" else []
    notes += [cut.note] if cut is not None and cut.note is not None else []
    notes += one_sided_sources(reference, current)
    return DriftResult(
        verdict=overall(deciding),
        at=at,
        reference=replace(reference_side, rows=reference.rows),
        current=replace(current_side, rows=current.rows),
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
    groups: Sequence[tuple[Sample, Sample]],
    checks: Collection[Check],
    attributes: Sequence[AttributeConfig],
    settings: DriftConfig,
    expected: ExpectedColumns,
) -> list[dict[Check, CheckResult]]:
    """The checks of each pair of samples; the first pair is the whole and says which columns there are."""
    outcomes: list[dict[Check, CheckResult]] = [{} for _ in groups]
    for check in (Check.DATA, Check.MODEL):
        if check in checks:
            columns = compared_columns(check, attributes, *groups[0], settings, expected.of(check))
            found = compare_groups(groups, columns=columns, settings=settings, check=check, expected=expected)
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


def one_sided_sources(reference: Sample, current: Sample) -> list[str]:
    """Sentences that name the sources of one side only, where the sides share some: these are compared alone."""
    sides = [{name for name in sample.by_source if name is not None} for sample in (reference, current)]
    if reference.bucketed or not sides[0] & sides[1]:
        return []
    notes = []
    for only, where in ((sides[0] - sides[1], "the reference"), (sides[1] - sides[0], "the current data")):
        if only:
            named = ", ".join(sorted(only)[:_MOST_NAMED])
            rest = f" and {len(only) - _MOST_NAMED} more" if len(only) > _MOST_NAMED else ""
            notes.append(f"Only {where} has rows of {named}{rest}.")
    return notes


def _sources(reference: Sample, current: Sample) -> list[str | None]:
    """The sources of either side by name, rows without one last; UsageError where they are in buckets."""
    if reference.bucketed:
        raise UsageError(
            f"more than {MOST_SOURCES} sources are not judged one by one", "ask for one of them with --source"
        )
    return sorted({*reference.by_source, *current.by_source}, key=lambda name: (name is None, name or ""))
