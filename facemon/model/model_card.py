"""The card of a loaded bundle: what it is, what it sees, what it answers, and what it must not be trusted with."""

from typing import Any

from facemon.config.model import AttributeConfig
from facemon.domain.kinds.registry import kind_of
from facemon.model.bundle import Bundle, Network

_SCHEMA = "facemon.model/1"


def model_card(bundle: Bundle) -> dict[str, Any]:
    """The object of `facemon.model/1`; fields without a description are null or empty."""
    config = bundle.config
    return {
        "schema": _SCHEMA,
        "model": config.id,
        "name": config.name,
        "version": config.version,
        "fingerprint": bundle.fingerprint,
        "decode": "fast" if bundle.decodes_fast else "exact",
        "faces": config.faces.model_dump(mode="json", exclude_none=True),
        "networks": [_network(network) for network in bundle.networks],
        "attributes": [_attribute(attribute) for attribute in config.attributes],
        "licence": config.card.licence,
        "source": config.card.source,
        "weaknesses": list(config.card.weaknesses),
        "not_for": list(config.card.not_for),
    }


def _network(network: Network) -> dict[str, Any]:
    return {
        "path": str(network.config.path),
        "package": network.config.package,
        "sha256": network.sha256,
        "bytes": network.size,
        "faces_alone": network.faces_alone,
        "input": network.config.input.model_dump(mode="json"),
        **{
            key: section and section.model_dump(mode="json", exclude_none=True, exclude_defaults=key == "align")
            for key, section in (("crop", network.config.crop), ("align", network.config.align))
        },
        "tensors": {
            "inputs": [str(tensor) for tensor in network.graph.inputs],
            "outputs": [str(tensor) for tensor in network.graph.outputs],
        },
    }


def _attribute(attribute: AttributeConfig) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": attribute.name,
        "kind": attribute.kind,
        "labels": list(attribute.classes),
        "output": attribute.output,
        "activation": attribute.activation,
    }
    described |= kind_of(attribute).card(attribute)
    if attribute.average:
        described["average"] = True
    if attribute.bands:
        described["bands"] = {label: list(band) for label, band in attribute.bands.items()}
    return described
