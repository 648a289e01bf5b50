"""Why a column cannot be tested, or what is known of it without a test."""

from dataclasses import replace

from facemon.config.drift import DriftConfig
from facemon.domain.drift_result import ACCURACY, CONFIDENCE, Verdict
from facemon.domain.profile import ColumnCounts, ColumnKind
from facemon.drift.accuracy import accuracy_of
from facemon.drift.column_evidence import Evidence, evidence_of
from facemon.drift.column_tests.registry import column_test, distance
from facemon.drift.compared_columns import ComparedColumn
from facemon.drift.dependence import layout_of
from facemon.drift.expected_columns import ExpectedColumns
from facemon.drift.sample import IGNORED, NO_VALUES, Sample
from facemon.near_names import nearest_names

_DROP = "accuracy_drop"
_HOLDS = {"categorical": "labels", "number": "numbers"}


def why_untested(
    reference: Sample, current: Sample, column: ComparedColumn, settings: DriftConfig, expected: ExpectedColumns
) -> Evidence | None:
    """Why a column cannot be tested, or what is known of an accuracy; None for one that can."""
    if column.gone is not None:
        is_ignored = IGNORED in (reference.not_comparable.get(column.name), current.not_comparable.get(column.name))
        return Evidence(reason=IGNORED if is_ignored else column.gone, untested=Verdict.NOT_COMPARED)
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
            way_out = f"; {sample.strange[name].way_out}" if name in sample.strange else ""
            return Evidence(reason=f"{sample.faulty[name]} in the {side}{way_out}")
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
    if kind_of_counts(first) != kind_of_counts(second):
        before, now = _HOLDS[kind_of_counts(first)], _HOLDS[kind_of_counts(second)]
        return Evidence(reason=f"{before} in the reference, {now} in the current data")
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
    """The drop of accuracy, tested as any two labels are; a rise is not drift."""
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


def too_few_rows(reference: int, current: int, min_rows: int) -> str | None:
    """Why so few rows decide nothing; None where they are enough."""
    for count, where in ((current, ""), (reference, " in the reference")):
        if count < min_rows:
            return f"{count} row{'s' * (count != 1)}{where}, fewer than min_rows {min_rows}"
    return None


def kind_of_counts(column: ColumnCounts) -> str:
    """What a result calls the kind of the values that were counted."""
    return "categorical" if column.kind is ColumnKind.CATEGORICAL else "number"


def _nearest(name: str, sample: Sample) -> str:
    near = nearest_names(name, [other for other in sample.names if other != name], most=3)
    return f"; the nearest are {', '.join(near)}" if near else ""
