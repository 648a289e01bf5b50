"""The model section: networks, how their inputs are made, and what is read from their outputs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from facemon.config.attribute import (
    ATTRIBUTE_NAME,
    DERIVED_SUFFIXES,
    LOG_COLUMNS,
    RESERVED_PREFIX,
    AttributeConfig,
)
from facemon.config.faces import CropConfig, CutConfig, FacesConfig
from facemon.config.network_input import InputConfig
from facemon.config.quantities import FilePath, Items, Name
from facemon.config.section import MisfitError, Section

__all__ = [
    "ATTRIBUTE_NAME", "DERIVED_SUFFIXES", "LOG_COLUMNS", "RESERVED_PREFIX", "AttributeConfig", "CardConfig",
    "CropConfig", "CutConfig", "FacesConfig", "InputConfig", "ModelConfig", "NetworkConfig",
]  # fmt: skip


_Fault = tuple[tuple[str | int, ...], str]


class NetworkConfig(CutConfig):
    """One ONNX file, the input that it wants and the attributes that its outputs hold.

    `crop` or `align` say how this network's faces are cut out; neither = as the section faces says.
    """

    path: FilePath
    """The ONNX file, or with `package` a resource of that package."""
    package: Name | None = None
    """The installed Python package that `path` is a resource of; none = a file."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """The file's SHA-256 in hexadecimal; another file is refused. Unset = any file."""
    input: InputConfig
    attributes: Annotated[tuple[AttributeConfig, ...], Field(strict=False, min_length=1)]
    """What is read from the network's outputs."""


class CardConfig(Section):
    """What people should know of a model before they trust it."""

    licence: str | None = None
    """Under which licence the weights are."""
    source: str | None = None
    """Where they come from."""
    weaknesses: Items[str] = ()
    """Where the model is known to be wrong, one sentence each."""
    not_for: Items[str] = ()
    """What the model must not be used for."""


class ModelConfig(Section):
    """A bundle: networks and attributes under one name and version."""

    name: Name
    """The model's name; with the version, `NAME@VERSION` in the log and in metrics."""
    version: Name
    """The version; change it with the weights, so that references of the old one are not compared with it."""
    faces: FacesConfig = FacesConfig.model_construct()
    networks: Annotated[tuple[NetworkConfig, ...], Field(strict=False, min_length=1)]
    """The ONNX files that predict; each of them sees every face."""
    card: CardConfig = CardConfig.model_construct()

    @property
    def id(self) -> str:
        """The model as the log names it: `name@version`."""
        return f"{self.name}@{self.version}"

    def below(self, folder: Path) -> Self:
        """The same model, whose files are named by paths that begin with a folder where they are relative."""
        faces = self.faces
        if faces.weights is not None:
            faces = faces.model_copy(update={"weights": folder / faces.weights})
        networks = tuple(
            network if network.package else network.model_copy(update={"path": folder / network.path})
            for network in self.networks
        )
        return self.model_copy(update={"networks": networks, "faces": faces})

    @property
    def attributes(self) -> tuple[AttributeConfig, ...]:
        """The attributes of all networks, in the order of the file; one that is an average counts once."""
        firsts: dict[str, AttributeConfig] = {}
        for network in self.networks:
            for attribute in network.attributes:
                firsts.setdefault(attribute.name, attribute)
        return tuple(firsts.values())

    def described(self, name: str) -> Iterator[tuple[tuple[int, int], AttributeConfig]]:
        """Each network's description of an attribute, with the places of the network and of the description in it."""
        for index, network in enumerate(self.networks):
            for position, attribute in enumerate(network.attributes):
                if attribute.name == name:
                    yield (index, position), attribute

    @model_validator(mode="after")
    def _networks_fit_the_finder(self) -> Self:
        faults: list[_Fault] = [(("faces", key), message) for key, message in self.faces.unseen_keys(self.networks)]
        for index, network in enumerate(self.networks):
            faults += [(("networks", index, *key), message) for key, message in self.faces.cut_faults(network)]
            if align := self.faces.cut_for(network).align:
                (width, height), (across, down) = network.input.size, align.template_size
                if width * down != height * across:
                    message = f"{width} x {height} has other proportions than the template, {across} x {down}"
                    faults.append((("networks", index, "input", "size"), message))
        if faults:
            raise MisfitError(*faults)
        return self

    @model_validator(mode="after")
    def _averages_agree(self) -> Self:
        if faults := [fault for attribute in self.attributes for fault in self._average_faults(attribute)]:
            raise MisfitError(*faults)
        return self

    def _average_faults(self, first: AttributeConfig) -> Iterator[_Fault]:
        """What is wrong with the descriptions of the attribute that `first` is the first one of."""
        each = list(self.described(first.name))
        networks = [network for (network, _), _ in each]
        for (network, position), attribute in each:
            at = ("networks", network, "attributes", position)
            if len(each) == 1:
                if attribute.average:
                    yield (*at, "average"), f"no other network describes {first.name!r}"
            elif not attribute.average:
                message = f"{first.name!r} is described {len(each)} times"
                yield (*at, "name"), f"{message}; to average over networks, write average: true in each of them"
            elif networks.count(network) > 1:
                yield (*at, "name"), f"this network describes {first.name!r} more than once"
            else:
                for key in ("kind", "labels", "values", "bands", "threshold"):
                    if getattr(attribute, key) != getattr(first, key):
                        yield (*at, key), f"must be the same in every network that describes {first.name!r}"

    @model_validator(mode="after")
    def _columns_are_distinct(self) -> Self:
        seen: dict[str, str] = {}
        for attribute in self.attributes:
            for column in {attribute.name, *attribute.columns}:
                if column in seen:
                    both = f"attributes {seen[column]!r} and {attribute.name!r}"
                    raise ValueError(f"{both} both fill the column {column!r}")
                seen[column] = attribute.name
        return self
