"""The accuracy of a sample: of the labelled images, how many were predicted right."""

from collections.abc import Iterable
from dataclasses import replace

from facemon.domain.drift_result import ACCURACY
from facemon.domain.labelled import LabelledCount
from facemon.domain.profile import ColumnCounts, Profile, Unit, categorical_counts
from facemon.drift.sample import Sample

_RIGHT, _WRONG = "right", "wrong"


def accuracy_column(attribute: str) -> str:
    """What results call an attribute's accuracy."""
    return f"{attribute}_accuracy"


def with_accuracy(sample: Sample, counts: Iterable[LabelledCount]) -> Sample:
    """The sample with what is known of its labelled images, under the sources of its rows."""
    sums: dict[str | None, dict[str, tuple[int, int]]] = {}
    for each in counts:
        columns = sums.setdefault(sample.place_of(each.source), {})
        correct, labelled = columns.get(each.attribute, (0, 0))
        columns[each.attribute] = (correct + each.correct, labelled + each.labelled)
    return replace(sample, labelled={source: _profile(columns) for source, columns in sums.items()})


def held_by(sample: Sample, column: str, attribute: str | None, measure: str) -> ColumnCounts | None:
    """The counts that a sample holds of a column of a check; None where it holds none."""
    return sample.accuracy().column(attribute or "") if measure == ACCURACY else sample.column(column)


def accuracy_of(column: ColumnCounts) -> float:
    """The share of right predictions."""
    right = column.counts[column.labels.index(_RIGHT)] if _RIGHT in column.labels else 0
    return float(right) / column.total


def _profile(counts: dict[str, tuple[int, int]]) -> Profile:
    columns = {
        attribute: categorical_counts({_RIGHT: correct, _WRONG: labelled - correct}, Unit.IMAGE)
        for attribute, (correct, labelled) in counts.items()
    }
    rows = max(column.total for column in columns.values())
    return Profile(rows, rows, rows, columns)
