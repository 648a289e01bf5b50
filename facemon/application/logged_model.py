"""The model as the log has it: its attributes are those of its rows where the configuration describes other ones.

Rows of an earlier version, or of the time before an attribute was removed, have columns that the configuration lacks.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from facemon.application.operation import Operation
from facemon.config.model import LOG_COLUMNS, AttributeConfig, ModelConfig, NetworkConfig
from facemon.domain.attribute import Measure

if TYPE_CHECKING:
    import pyarrow as pa

    from facemon.store.ledger.protocol import Ledger
    from facemon.store.segment import Segment

_ANY_LABEL = ""
"""Stands for labels that are not known: an attribute without any would be a number."""


def logged_model(
    model: ModelConfig, ledger: "Ledger", segments: "Sequence[Segment]", *, is_configured: bool
) -> ModelConfig:
    """Return the model with the attributes that some segments have; the kinds of undescribed ones follow from columns.

    Rows of the configured model may have attributes beyond the described ones. Another model has only its own.
    """
    from facemon.store.segment_schemas import fields_of_segments

    fields, is_whole = fields_of_segments(ledger, segments)
    held = _measures(fields)
    described = {attribute.name: attribute for attribute in model.attributes}
    if not is_configured and is_whole and held:
        described = {name: attribute for name, attribute in described.items() if name in held}
    found = {name: _extended(attribute, held.get(name, set())) for name, attribute in described.items()}
    found |= {name: _derived(name, measures) for name, measures in held.items() if name not in found}
    attributes = tuple(found.values())
    return model if attributes == model.attributes else _with_attributes(model, attributes)


def of_logged_model(operation: Operation, ledger: "Ledger", model: str) -> Operation:
    """Return the operation with the attributes that the log has of a model; unchanged for the configured one."""
    config = operation.config
    if model == config.model.id:
        return operation
    found = logged_model(config.model, ledger, ledger.segments.within(model=model), is_configured=False)
    return replace(operation, config=config.model_copy(update={"model": found}))


def _with_attributes(model: ModelConfig, attributes: Sequence[AttributeConfig]) -> ModelConfig:
    """Return the model under its own name with other attributes, to read its rows by."""
    network = NetworkConfig.model_construct(**{**dict(model.networks[0]), "attributes": tuple(attributes)})
    return model.model_copy(update={"networks": (network,)})


def with_labels(model: ModelConfig, labels: Mapping[str, Collection[str]]) -> ModelConfig:
    """Return the model with more labels of some attributes, which the log has."""
    return _with_attributes(model, [_labelled(each, labels.get(each.name, ())) for each in model.attributes])


def _labelled(attribute: AttributeConfig, labels: Collection[str]) -> AttributeConfig:
    if not labels:
        return attribute
    known = (label for label in attribute.classes if label != _ANY_LABEL)
    return attribute.model_copy(update={"labels": tuple(dict.fromkeys([*known, *labels]))})


def _measures(fields: "Mapping[str, pa.Field]") -> dict[str, set[Measure]]:
    """What the columns of a log that are not of every log hold, by the name of their attribute."""
    import pyarrow as pa

    found: dict[str, set[Measure]] = {}
    for name, field in fields.items():
        if name in LOG_COLUMNS:
            continue
        if pa.types.is_string(field.type):
            found.setdefault(name, set()).add(Measure.LABEL)
            continue
        for measure in (Measure.CONFIDENCE, Measure.VALUE):
            if (attribute := measure.attribute_of(name)) is not None:
                found.setdefault(attribute, set()).add(measure)
    return found


def _extended(attribute: AttributeConfig, held: Collection[Measure]) -> AttributeConfig:
    """The attribute as it is described, or as its columns say where rows have more of them."""
    described = {measure for measure in Measure if measure.column(attribute.name) in attribute.columns}
    return attribute if described >= {*held} else _derived(attribute.name, described | {*held})


def _derived(name: str, held: Collection[Measure]) -> AttributeConfig:
    """An attribute of which only the columns are known, of a kind that fills these columns."""
    bands = {_ANY_LABEL: (0.0, 1.0)}
    if Measure.VALUE not in held:
        return AttributeConfig.model_construct(name=name, output=name, kind="categorical", labels=(_ANY_LABEL,))
    if Measure.CONFIDENCE in held:
        return AttributeConfig.model_construct(name=name, output=name, kind="ordinal", bands=bands)
    if Measure.LABEL in held:
        return AttributeConfig.model_construct(name=name, output=name, kind="number", bands=bands)
    return AttributeConfig.model_construct(name=name, output=name, kind="number")
