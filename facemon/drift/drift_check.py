"""A whole drift check: the data and the model check on two samples, and the verdict over all."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter

from facemon.config.drift import DriftConfig
from facemon.config.model import AttributeConfig
from facemon.drift.compared_columns import compared_columns
from facemon.drift.comparison import ComparedGroup, compare_groups
from facemon.drift.expected_columns import NOTHING_EXPECTED, ExpectedColumns
from facemon.drift.sample import Sample
from facemon.drift.window_cut import CutWindow
from facemon.drift.window_ladder import Ladder
from facemon.errors import UsageError
from facemon.values.drift_result import Check, CheckResult, DriftResult, Side, SourceResult, Verdict, overall
from facemon.values.source_buckets import MOST_SOURCES

LABELS_NOTE = "The reference holds true labels, so the model's own bias counts as drift."
_MOST_NAMED = 8
EVIDENTLY_NOTE = "Evidently's verdict is for its report only: it decides when it is asked for by name."


_FAMILIES = 4
"""Of a check of the log: the whole and the sources, of the data and of the model."""
_HALF = 0.5


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
    one, as for tables, each source is judged too with `by_source`; UsageError where they are too many. `cut` is what
    the reference left of the window; `expected` says which columns must not be missing.
    """
    windows: list[tuple[str | None, Sample]] = [(None, current)]
    if ladder is not None:
        windows = [(each.rung.name, each.sample) for each in ladder.windows]
    if reference.bucketed or any(sample.bucketed for _, sample in windows):
        reference = reference.in_buckets()
        windows = [(name, sample.in_buckets()) for name, sample in windows]
    whole = ComparedGroup(reference, tuple(windows[: ladder.whole] if ladder else windows))
    longest = whole.windows[-1][1]
    is_empty = cut is not None and cut.empty_because is not None
    in_use = {} if is_empty else _sources_in_use(reference, longest, ladder, by_source=by_source)
    # The only source is the whole: it needs no tests of its own.
    is_alone = ladder is not None and len(in_use) == 1
    groups = [whole]
    if not is_alone:
        groups += [
            ComparedGroup(
                reference.of_source(name), tuple((each, sample.of_source(name)) for each, sample in windows[:count])
            )
            for name, count in in_use.items()
        ]
    families = 2 if in_use and ladder is None else 1
    if ladder is not None and source is None:
        families = _FAMILIES
    outcome, *rest = _outcomes(groups, checks, attributes, settings, expected, families)
    if cut is not None and cut.empty_because is not None:
        outcome = {check: _without_rows(each, cut.empty_because) for check, each in outcome.items()}
    parts = tuple(
        _source_result(name, reference, windows[0][1], held)
        for name, held in zip(in_use, [outcome] if is_alone else rest, strict=True)
    )
    notes = [LABELS_NOTE] if reference_side.kind == "labels" else []
    notes += [cut.note] if cut is not None and cut.note is not None else []
    notes += _window_notes(ladder) if ladder is not None else []
    notes += one_sided_sources(reference, longest)
    notes += [_sources_note(parts)] if ladder is not None and len(parts) > 1 else []
    return DriftResult(
        verdict=_verdict(outcome, parts),
        at=at,
        reference=replace(reference_side, rows=reference.rows),
        current=replace(current_side, rows=longest.rows),
        checks=outcome,
        model=model,
        source=source,
        notes=tuple(notes),
        sources=parts,
    )


def _sources_in_use(
    reference: Sample, current: Sample, ladder: Ladder | None, *, by_source: bool
) -> Mapping[str | None, int]:
    """How many windows of each source are judged; UsageError where sources are asked for and in buckets."""
    if by_source and reference.bucketed:
        raise UsageError(
            f"more than {MOST_SOURCES} sources are not judged one by one", "ask for one of them with --source"
        )
    if ladder is not None:
        return {} if reference.bucketed else ladder.sources
    if not by_source:
        return {}
    names = {*reference.by_source, *current.by_source}
    return dict.fromkeys(sorted(names, key=lambda name: (name is None, name or "")), 1)


def _window_notes(ladder: Ladder) -> list[str]:
    if ladder.whole < 2:
        return []
    short, long = ladder.windows[0].rung.name, ladder.longest.rung.name
    reason = f"{short} hold too few rows to decide, so windows up to {long} were compared"
    return [f"{reason}: any may show drift, only {long} can clear a column."]


def _sources_note(parts: Sequence[SourceResult]) -> str:
    """How many sources came to which verdict, and which are silent."""
    silent = [part for part in parts if part.is_silent]
    heard = [part for part in parts if not part.is_silent]
    counts = [(sum(part.verdict is verdict for part in heard), verdict.value) for verdict in Verdict]
    said = [f"{count} {name}" for count, name in [*counts, (len(silent), "silent")] if count]
    return f"Sources: {', '.join(said)}; --by source prints each."


def _source_result(
    name: str | None, reference: Sample, current: Sample, held: Mapping[Check, CheckResult]
) -> SourceResult:
    before, now = (sample.of_source(name).rows for sample in (reference, current))
    return SourceResult(name, overall(outcome.verdict for outcome in held.values()), before, now, held)


def _verdict(whole: Mapping[Check, CheckResult], parts: Sequence[SourceResult]) -> Verdict:
    """Drift of the whole or of a source; undecided if the whole is, or sources that hold half of the rows."""
    verdicts = [outcome.verdict for outcome in whole.values()]
    if Verdict.DRIFT in (part.verdict for part in parts):
        return Verdict.DRIFT
    undecided = [part for part in parts if part.verdict is Verdict.UNDECIDED]
    counts = attrgetter("reference_rows"), attrgetter("current_rows")
    if undecided and any(sum(map(rows, undecided)) >= _HALF * sum(map(rows, parts)) for rows in counts):
        verdicts.append(Verdict.UNDECIDED)
    return overall(verdicts)


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
    for check in (Check.DATA, Check.MODEL):
        if check in checks:
            columns = compared_columns(check, attributes, *sides, settings, expected.of(check))
            found = compare_groups(
                groups, columns=columns, settings=settings, check=check, expected=expected, families=families
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
