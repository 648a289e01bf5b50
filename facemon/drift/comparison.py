"""One check: the columns of two samples, compared and judged."""

from collections.abc import Sequence
from difflib import get_close_matches

from facemon.config.drift import DriftConfig
from facemon.drift.column_evidence import Evidence, evidence_of
from facemon.drift.column_verdict import decide
from facemon.drift.compared_columns import ComparedColumn, threshold_of
from facemon.drift.distances import distance
from facemon.drift.multiplicity import adjusted
from facemon.drift.sample import Sample
from facemon.values.drift_result import Check, CheckResult, ColumnResult, Verdict, overall
from facemon.values.profile import ColumnCounts, ColumnKind


def compare(
    reference: Sample, current: Sample, *, columns: Sequence[ComparedColumn], settings: DriftConfig, check: Check
) -> CheckResult:
    """Judge each of the columns; p-values are adjusted over those that were tested."""
    evidence = [_weigh(reference, current, column, settings) for column in columns]
    corrected = iter(adjusted([part.p_value for part in evidence if part.p_value is not None]))
    results = []
    for column, part in zip(columns, evidence, strict=True):
        first, second = reference.column(column.name), current.column(column.name)
        held = first or second
        threshold = threshold_of(column, check, settings)
        p_adjusted = next(corrected) if part.p_value is not None else None
        decision = decide(part, p_adjusted, threshold, settings.significance)
        results.append(
            ColumnResult(
                column=column.name,
                kind=_kind(held) if held else "categorical" if column.measure == "label" else "number",
                verdict=decision.verdict,
                score=part.score,
                p_value=part.p_value,
                p_adjusted=p_adjusted,
                n_reference=first.total if first else 0,
                n_current=second.total if second else 0,
                method=part.method,
                detectable=part.detectable,
                threshold=threshold,
                reason=decision.reason,
                attribute=column.attribute,
                measure=column.measure,
                test=part.test,
            )
        )
    default = settings.model if check is Check.MODEL else settings.data
    return CheckResult(overall(result.verdict for result in results), default.threshold, tuple(results))


def _weigh(reference: Sample, current: Sample, column: ComparedColumn, settings: DriftConfig) -> Evidence:
    """The column's evidence, or why there is none."""
    name = column.name
    for sample, side in ((reference, "reference"), (current, "current data")):
        if name in sample.not_comparable:
            reason = f"{sample.not_comparable[name]} in the {side}"
            return Evidence(reason=reason, untested=Verdict.NOT_COMPARED)
        if name in sample.faulty:
            return Evidence(reason=f"{sample.faulty[name]} in the {side}")
    first, second = reference.column(name), current.column(name)
    if first is None and reference.rows:
        return Evidence(reason="the reference has no such column", untested=Verdict.NOT_COMPARED)
    # Where no face was found an attribute's column is not missing: it has no rows.
    if second is None and (current.total.faces if column.attribute else current.rows):
        return Evidence(reason=f"the current data has no such column{_nearest(name, current)}")
    if first and second and first.total and second.total and _kind(first) != _kind(second):
        return Evidence(reason=f"{_HOLDS[_kind(first)]} in the reference, {_HOLDS[_kind(second)]} in the current data")
    too_few = _too_few_rows(first, second, settings.min_rows)
    if first is None or second is None or not (first.total and second.total):
        return Evidence(reason=too_few)
    if too_few is not None:
        return Evidence(distance(first, second), _METHODS[_kind(first)], reason=too_few)
    return evidence_of(reference, current, name, settings.cluster, settings.significance)


_HOLDS = {"categorical": "labels", "number": "numbers"}
_METHODS = {"categorical": "total_variation", "number": "ks"}


def _too_few_rows(first: ColumnCounts | None, second: ColumnCounts | None, min_rows: int) -> str | None:
    for held, where in ((second, ""), (first, " in the reference")):
        count = held.total if held else 0
        if count < min_rows:
            return f"{count} row{'s' * (count != 1)}{where}, fewer than min_rows {min_rows}"
    return None


def _kind(column: ColumnCounts) -> str:
    return "categorical" if column.kind is ColumnKind.CATEGORICAL else "number"


def _nearest(name: str, sample: Sample) -> str:
    near = get_close_matches(name, [other for other in sample.names if other != name], n=3)
    return f"; the nearest are {', '.join(near)}" if near else ""
