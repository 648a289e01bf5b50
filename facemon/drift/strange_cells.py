"""Cells of a table that are not labels of their attribute: what they could hide is never reported as fine."""

from dataclasses import replace

import numpy as np

from facemon.domain.drift_result import LABEL, CheckResult
from facemon.domain.profile import UNRECOGNISED, ColumnCounts
from facemon.drift.column_evidence import Evidence
from facemon.drift.sample import Sample


def with_doubt(
    evidence: Evidence,
    reference: Sample,
    current: Sample,
    column: str,
    measure: str,
    *,
    threshold: float,
    is_clustered: bool = True,
) -> Evidence:
    """The evidence of a column, untested where what its strange cells mean decides whether the threshold is reached.

    If the shares u and v of both sides are not labels, the score s of the true labels lies between s - max(u, v) and
    s + min(u, v): strange cells are counted under one label of their own, which hides what moves within it.
    """
    if measure != LABEL or evidence.score is None or evidence.p_value is None:
        return evidence
    shares = _shares(reference, current, column, is_clustered=is_clustered)
    if not evidence.score - max(shares) < threshold <= evidence.score + min(shares):
        return evidence
    return replace(
        evidence,
        p_value=None,
        detectable=None,
        reason=f"{_told(reference, current, column)}: what they mean decides whether the shift reaches the threshold "
        f"{threshold:g}; {way_out_of(reference, current, column)}",
    )


def way_out_of(reference: Sample, current: Sample, column: str) -> str | None:
    """What to do about the strange cells of a column; None where there are none."""
    found = current.strange.get(column) or reference.strange.get(column)
    return None if found is None else found.way_out


def strange_notes(reference: Sample, current: Sample, outcome: CheckResult | None) -> list[str]:
    """Name the cells that are not labels, with their share, of the columns of the model check that are judged."""
    return [
        f"{name}: {_told(reference, current, name)}; {way_out}."
        for name in (column.column for column in (outcome.columns if outcome else ()) if column.p_value is not None)
        if (way_out := way_out_of(reference, current, name))
    ]


def strange_warnings(sample: Sample) -> list[str]:
    """Name the cells of a table that is to be a reference that are neither labels nor numbers."""
    found = []
    for name, cells in sample.strange.items():
        share = f"{100 * _share_of(sample.column(name)):.2g} % of its cells"
        told = sample.faulty.get(name) or f"{share} are not labels, such as {', '.join(cells.examples)}"
        found.append(f"{name}: {told}; {cells.way_out}")
    return found


def _share_of(column: ColumnCounts | None) -> float:
    """The share of rows whose cell was no label."""
    if column is None or UNRECOGNISED not in column.labels or not column.total:
        return 0.0
    return int(column.counts[column.labels.index(UNRECOGNISED)]) / column.total


def _shares(reference: Sample, current: Sample, name: str, *, is_clustered: bool) -> tuple[float, float]:
    """The shares of both sides, or those within sources, weighted as the score is, where they are larger."""
    first, second = _share_of(reference.column(name)), _share_of(current.column(name))
    sides = reference.column_by_source(name), current.column_by_source(name)
    shared = [source for source in sides[0] if source in sides[1]]
    if not shared or not is_clustered or not (first or second):
        return first, second
    rows = np.array([[side[source].total for source in shared] for side in sides], np.float64)
    weights = rows.prod(axis=0) / rows.sum(axis=0)
    within = [float(weights @ [_share_of(side[each]) for each in shared] / weights.sum()) for side in sides]
    return max(first, within[0]), max(second, within[1])


def _told(reference: Sample, current: Sample, name: str) -> str:
    parts, examples = list[str](), dict[str, None]()
    for sample, side in ((reference, "the reference"), (current, "the current data")):
        if share := _share_of(sample.column(name)):
            parts.append(f"{100 * share:.2g} % {'in' if parts else 'of the cells in'} {side}")
        if found := sample.strange.get(name):
            examples |= dict.fromkeys(found.examples)
    return f"{' and '.join(parts)} are not labels of {name}, such as {', '.join(examples)}"
