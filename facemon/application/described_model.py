"""The card of the configured model."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from facemon.application.operation import Operation

if TYPE_CHECKING:
    from facemon.reports.printed_parts import Part


@dataclass(frozen=True, slots=True)
class DescribedModel:
    """The networks, inputs, attributes, hashes, licence and known weaknesses of a model."""

    card: dict[str, Any]

    def document(self) -> dict[str, Any]:
        """The object of `facemon.model/1`."""
        return self.card

    def report(self) -> "Iterator[Part]":
        """The card as tables."""
        from facemon.reports.model_card_report import model_card_report

        return model_card_report(self.card)


def describe_model(operation: Operation) -> DescribedModel:
    """Load the configured model and describe it."""
    from facemon.model.factory import ModelFactory
    from facemon.model.model_card import model_card

    return DescribedModel(model_card(ModelFactory.of(operation.config).bundle()))
