"""The card of the configured model."""

from typing import Any

from facemon.application.operation import Operation


def describe_model(operation: Operation) -> dict[str, Any]:
    """Return the object of `facemon.model/1`: networks, inputs, attributes, hashes, licence and known weaknesses."""
    from facemon.model.bundle import load_bundle
    from facemon.model.model_card import model_card

    return model_card(load_bundle(operation.config.model, operation.config.predict))
