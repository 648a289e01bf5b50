"""Accuracy as one more column of a sample: of the labelled images, how many were predicted right."""

from collections.abc import Iterable
from dataclasses import replace

from facemon.drift.sample import Sample
from facemon.values.labelled_hour import LabelledHour
from facemon.values.profile import ColumnCounts, Profile, Unit, add_profiles, categorical_counts

RIGHT, WRONG = "right", "wrong"


def accuracy_column(attribute: str) -> str:
    """The name of the column that holds an attribute's accuracy."""
    return f"{attribute}_accuracy"


def with_accuracy(sample: Sample, hours: Iterable[LabelledHour]) -> Sample:
    """The sample with a column of right and wrong predictions for each attribute that has labels."""
    by_source = dict(sample.by_source)
    for source, sums in _sums(sample, hours).items():
        columns = {
            accuracy_column(attribute): categorical_counts({RIGHT: correct, WRONG: labelled - correct}, Unit.IMAGE)
            for attribute, (correct, labelled) in sums.items()
        }
        held = by_source.get(source, Profile())
        by_source[source] = replace(held, columns={**held.columns, **columns})
    return replace(sample, by_source=by_source, total=add_profiles(by_source.values()))


def accuracy_of(column: ColumnCounts) -> float:
    """The share of right predictions."""
    right = column.counts[column.labels.index(RIGHT)] if RIGHT in column.labels else 0
    return float(right) / column.total


def _sums(sample: Sample, hours: Iterable[LabelledHour]) -> dict[str | None, dict[str, tuple[int, int]]]:
    sums: dict[str | None, dict[str, tuple[int, int]]] = {}
    for each in hours:
        columns = sums.setdefault(sample.place_of(each.source), {})
        correct, labelled = columns.get(each.attribute, (0, 0))
        columns[each.attribute] = (correct + each.correct, labelled + each.labelled)
    return sums
