"""Which rows of the log a user asks for: conditions as text, read against the columns of the log."""

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import isnan, nan
from typing import TYPE_CHECKING

from facemon.application.given_values import refuse_unusable
from facemon.domain.attribute import Measure
from facemon.domain.prediction import ErrorCode, Origin
from facemon.errors import UsageError
from facemon.near_names import did_you_mean

if TYPE_CHECKING:
    from facemon.config.model import AttributeConfig, ModelConfig
    from facemon.store.row_conditions import RowCondition

_CONDITION = re.compile(r"\s*([A-Za-z_][A-Za-z_0-9]*)\s*(!=|<=|>=|=|<|>)\s*(.*?)\s*")
_CODES: dict[str, Collection[str]] = {"error": list(ErrorCode), "origin": list(Origin)}
"""The columns of every log that have a fixed set of values, and these values."""
_EXAMPLES = "write NAME=LABEL, such as gender=female, or NAME<NUMBER, such as 'age<18' (in quotes)"


@dataclass(frozen=True, slots=True)
class RowFilter:
    """The options by which rows are chosen; what is empty or None chooses all."""

    sources: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    """Conditions such as `gender=female` or `age<18`."""
    confidence_below: float | None = None
    """Rows with an attribute whose confidence is lower."""
    errors: tuple[str, ...] = ()
    failed: bool = False
    """Whether only images are wanted that could not be predicted."""
    image: str | None = None
    """A shell pattern."""


def conditions_of(wanted: RowFilter, model: "ModelConfig", logged_model: str) -> "tuple[RowCondition, ...]":
    """The conditions of a filter; UsageError for one that cannot be read, and for columns that the log lacks.

    So is one for a value that no row of `logged_model` can have. The labels of an attribute are known where that is
    the configured model.
    """
    from facemon.store import row_conditions

    for name, texts in (("source", wanted.sources), ("where", wanted.where), ("error", wanted.errors)):
        for text in texts:
            refuse_unusable({name: text})
    found = list(_where(wanted.where, model, logged_model))
    if wanted.sources:
        found.append(row_conditions.is_one_of("source", wanted.sources))
    if wanted.errors:
        _refuse_unknown("--error CODE", wanted.errors, _CODES["error"])
        found.append(row_conditions.is_one_of("error", wanted.errors))
    if wanted.failed:
        found.append(row_conditions.has_failed())
    if wanted.confidence_below is not None:
        if not 0 <= wanted.confidence_below <= 1:
            raise UsageError(f"--confidence-below {wanted.confidence_below:g}: a confidence lies between 0 and 1")
        found.append(row_conditions.is_any_below(_confidences(model), wanted.confidence_below))
    if wanted.image is not None:
        try:
            found.append(row_conditions.is_named(wanted.image))
        except ValueError as error:
            raise UsageError(f"--image {wanted.image}: is not a pattern of * ? and [...]") from error
    return tuple(found)


def sources_of(wanted: RowFilter) -> Iterator[str]:
    """The sources that a filter names: none of them may be one that the log never had."""
    yield from wanted.sources
    for parts in filter(None, map(_CONDITION.fullmatch, wanted.where)):
        if parts[1] == "source":
            yield parts[3]


def _confidences(model: "ModelConfig") -> list[str]:
    each = ((attribute, Measure.CONFIDENCE.column(attribute.name)) for attribute in model.attributes)
    if found := [column for attribute, column in each if column in attribute.columns]:
        return found
    raise UsageError(
        f"--confidence-below: {model.id} has no attribute with a confidence", "--where age<18 chooses by a number"
    )


def _where(texts: Sequence[str], model: "ModelConfig", logged_model: str) -> "Iterator[RowCondition]":
    """One condition for each text; of several that ask for the equality of a column one is enough to hold."""
    from facemon.store import row_conditions

    equal: dict[str, list[str]] = {}
    equal_numbers: dict[str, list[float]] = {}
    for text in texts:
        if not (parts := _CONDITION.fullmatch(text)):
            raise UsageError(f"--where {text}: is not a condition", _EXAMPLES)
        name, sign, value = parts.groups()
        column, is_text = _column(text, name, sign, value, model.attributes)
        if not is_text:
            number = _number(text, value)
            if sign == "=":
                equal_numbers.setdefault(column, []).append(number)
            else:
                yield row_conditions.compares(column, sign, number)
            continue
        _refuse_impossible(text, column, value, model, logged_model)
        if sign == "=":
            equal.setdefault(column, []).append(value)
        else:
            yield row_conditions.is_none_of(column, [value])
    for column, values in equal.items():
        yield row_conditions.is_one_of(column, values)
    for column, numbers in equal_numbers.items():
        yield row_conditions.is_equal_to_any(column, numbers)


def _refuse_impossible(text: str, column: str, value: str, model: "ModelConfig", logged_model: str) -> None:
    """UsageError for a text that no row of `logged_model` can have in a column."""
    attribute = next((each for each in model.attributes if each.name == column), None)
    if attribute and model.id == logged_model:
        _refuse_unknown(f"--where {text}", [value], attribute.classes)
    elif column in _CODES:
        _refuse_unknown(f"--where {text}", [value], _CODES[column])
    elif column == "model" and value != logged_model:
        raise UsageError(
            f"--where {text}: all these rows are of {logged_model}", "--model NAME@VERSION chooses another model's"
        )


def _column(text: str, name: str, sign: str, value: str, attributes: "Sequence[AttributeConfig]") -> tuple[str, bool]:
    """The column of the log that a condition is about, and whether it holds text."""
    import pyarrow as pa

    from facemon.domain.prediction import log_schema

    schema, attribute = log_schema(attributes), next((each for each in attributes if each.name == name), None)
    number = Measure.VALUE.column(name)
    if (
        attribute
        and number in attribute.columns
        and (name not in schema.names or not _is_label(value, attribute, sign))
    ):
        name = number
    if name not in schema.names:
        names = [*dict.fromkeys([*(each.name for each in attributes), *schema.names])]
        raise UsageError(f"--where {text}: the log has no column {name}", did_you_mean(name, names, _EXAMPLES))
    type_ = schema.field(name).type
    if pa.types.is_timestamp(type_) or pa.types.is_list(type_):
        raise UsageError(f"--where {text}: {name} is neither text nor a number", "--since and --until choose by time")
    if pa.types.is_string(type_) and sign not in ("=", "!="):
        raise UsageError(f"--where {text}: {name} is text, which only = and != compare", f"write {name}=VALUE")
    return name, pa.types.is_string(type_)


def _is_label(value: str, attribute: "AttributeConfig", sign: str) -> bool:
    """Whether a condition on an attribute that has labels and numbers is about its labels."""
    if sign not in ("=", "!="):
        return False
    if value in attribute.classes:
        return True
    with suppress(ValueError):
        float(value)
        return False
    return True


def _number(text: str, value: str) -> float:
    number = nan
    with suppress(ValueError):
        number = float(value)
    if isnan(number):
        raise UsageError(f"--where {text}: {value or 'nothing'} is not a number", _EXAMPLES)
    return number


def _refuse_unknown(option: str, values: Sequence[str], known: Collection[str]) -> None:
    for value in values:
        if value not in known:
            there = f"there are {', '.join(known)}"
            raise UsageError(f"{option}: there is no {value or 'empty name'}", did_you_mean(value, known, there))


def compared_texts(texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the name and the value of each condition that asks whether they are equal."""
    for parts in filter(None, map(_CONDITION.fullmatch, texts)):
        if parts[2] in ("=", "!="):
            yield parts[1], parts[3]
