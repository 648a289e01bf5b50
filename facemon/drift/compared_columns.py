"""Which columns a check compares, in the order of the configuration."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from facemon.config.drift import DriftConfig
from facemon.config.model import AttributeConfig
from facemon.domain.attribute import Measure
from facemon.domain.drift_result import ACCURACY, LABEL, VALUE, Check
from facemon.domain.kinds.registry import kind_of
from facemon.domain.prediction import IMAGE_COLUMNS
from facemon.drift.accuracy import accuracy_column
from facemon.drift.sample import Sample


@dataclass(frozen=True, slots=True)
class ComparedColumn:
    """A column of a check; `attribute` and `measure` say what it holds in the model check."""

    name: str
    attribute: str | None = None
    measure: str = LABEL
    gone: str | None = None
    """Of a column that an earlier check compared, why the configuration no longer has it."""


def compared_columns(
    check: Check,
    attributes: Sequence[AttributeConfig],
    reference: Sample,
    current: Sample,
    settings: DriftConfig,
    expected: Collection[str] = (),
) -> tuple[ComparedColumn, ...]:
    """The columns of the data or the model check; those that are `expected` even where neither side has them."""
    if check is Check.MODEL:
        return _model_columns(attributes, reference, current, expected)
    return _data_columns(attributes, reference, current, settings, expected)


def names_of_attributes(attributes: Sequence[AttributeConfig]) -> tuple[str, ...]:
    """The names that the model check has for attributes and their columns, whatever the rows hold."""
    names: dict[str, None] = {}
    for attribute in attributes:
        names[attribute.name] = None
        names |= dict.fromkeys(measure.column(attribute.name) for measure in kind_of(attribute).compared(attribute))
        if attribute.classes:
            names[accuracy_column(attribute.name)] = None
    return tuple(names)


def _model_columns(
    attributes: Sequence[AttributeConfig], reference: Sample, current: Sample, expected: Collection[str] = ()
) -> tuple[ComparedColumn, ...]:
    """Each attribute's label, confidence and accuracy, or its value where it is a number without labels.

    A confidence that neither side holds is left out (tables of labels have none), and so is an accuracy, unless it
    is `expected`. The value of a number with labels is compared where both sides have it. What is `expected` of an
    attribute that was removed, or is of another kind now, comes last.
    """
    columns = []
    for attribute in attributes:
        main, *others = kind_of(attribute).compared(attribute)
        columns.append(ComparedColumn(main.column(attribute.name), attribute.name, main))
        for measure in others:
            name = measure.column(attribute.name)
            held = [bool(sample.column(name)) or name in sample.faulty for sample in (reference, current)]
            if name in expected or (all(held) if measure is Measure.VALUE else any(held)):
                columns.append(ComparedColumn(name, attribute.name, measure))
        accuracy = accuracy_column(attribute.name)
        has_labels = any(sample.accuracy().column(attribute.name) for sample in (reference, current))
        if attribute.classes and (has_labels or accuracy in expected):
            columns.append(ComparedColumn(accuracy, attribute.name, ACCURACY))
    known = {column.name for column in columns}
    of_config = {attribute.name for attribute in attributes}
    columns += [_gone_column(name, of_config, expected) for name in sorted(set(expected) - known)]
    return tuple(columns)


def _gone_column(name: str, attributes: Collection[str], expected: Collection[str]) -> ComparedColumn:
    """A column that no attribute of the configuration has any more, under the attribute that it was of."""
    stem, measure = name, LABEL
    for suffix, each in {accuracy_column(""): ACCURACY, **{each.column(""): str(each) for each in Measure}}.items():
        before = name.removesuffix(suffix)
        # A number without bands has no column of its own name.
        if before != name and (before in {*attributes, *expected} or each == VALUE):
            stem, measure = before, each
    gone = f"the attribute {stem} has no {measure}" if stem in attributes else "no attribute of the configuration"
    return ComparedColumn(name, stem, measure, f"{gone} any more")


def _data_columns(
    attributes: Sequence[AttributeConfig],
    reference: Sample,
    current: Sample,
    settings: DriftConfig,
    expected: Collection[str] = (),
) -> tuple[ComparedColumn, ...]:
    """Every column of either side, and every configured or `expected` one, that belongs to no attribute."""
    of_attributes = {attribute.name for attribute in attributes} | {
        column for attribute in attributes for column in (*attribute.columns, Measure.CONFIDENCE.column(attribute.name))
    }
    held = {
        *reference.total.columns,
        *reference.not_comparable,
        *reference.faulty,
        *current.total.columns,
        *current.not_comparable,
        *current.faulty,
        *settings.columns,
        *expected,
    }
    first = [name for name in (*IMAGE_COLUMNS, *settings.columns) if name in held]
    in_files = [name for name in (*reference.names, *current.names) if name in held]
    ordered = dict.fromkeys([*first, *in_files, *sorted(held)])
    return tuple(ComparedColumn(name) for name in ordered if name not in of_attributes)


def threshold_of(column: ComparedColumn, check: Check, settings: DriftConfig) -> float:
    """The column's own threshold if it has one, else the check's."""
    default = settings.model if check is Check.MODEL else settings.data
    own = settings.columns.get(column.name)
    if own is None and column.measure == VALUE and column.attribute is not None:
        own = settings.columns.get(column.attribute)
    return (own or default).threshold
