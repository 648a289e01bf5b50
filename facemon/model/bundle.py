"""A bundle, loaded: its networks checked against their files, its face finder, and its fingerprint."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from facemon.config.model import AttributeConfig, FacesConfig, InputConfig, ModelConfig, NetworkConfig
from facemon.errors import FacemonError
from facemon.model.attribute_decoding import Doubles, activation_fault, select_columns, widths
from facemon.model.faces import FaceFinder, face_finder
from facemon.model.input_tensor import channel_count, input_batch
from facemon.model.resources import resource_bytes
from facemon.model.sessions import Graph, Tensor

_PREPROCESSING = 1
"""Raised whenever facemon's own code changes what a network sees or how its outputs are read."""
_MOST_FACES = 64
"""Faces in one run of a network, so that a photograph of a crowd does not need the memory of all its faces."""
_READABLE_OUTPUTS = ("float", "float16", "double")


@dataclass(frozen=True, slots=True)
class Network:
    """One graph with the description of its input and attributes."""

    config: NetworkConfig
    graph: Graph

    def run(self, pixels: Sequence[NDArray[np.uint8]]) -> Mapping[str, Doubles]:
        """Each attribute's columns for at least one face; `pixels` are `input_pixels` of this network's input."""
        names = tuple(dict.fromkeys(attribute.output for attribute in self.config.attributes))
        parts = [
            self.graph.run(
                self.config.input.name, input_batch(pixels[start : start + _MOST_FACES], self.config.input), names
            )
            for start in range(0, len(pixels), _MOST_FACES)
        ]
        outputs = parts[0] if len(parts) == 1 else {n: np.concatenate([part[n] for part in parts]) for n in names}
        return {each.name: select_columns(each, outputs[each.output]) for each in self.config.attributes}


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model that is ready to predict."""

    config: ModelConfig
    networks: tuple[Network, ...]
    finder: FaceFinder
    fingerprint: str
    """sha256 over the weights and everything that decides what they see and how they are read."""


def load_bundle(config: ModelConfig) -> Bundle:
    """Load a model's files and check them against its description.

    Raises FacemonError for a missing package or file, a wrong sha256, a corrupt file, and for a description
    that does not fit the file; the message then says what the file really has.
    """
    networks, hashes = [], []
    for network in config.networks:
        name = _name(network)
        content = _content(network)
        digest = hashlib.sha256(content).hexdigest()
        if network.sha256 not in (None, digest):
            raise FacemonError(
                f"{name}: is not the file that the configuration means: its sha256 is {digest}, not {network.sha256}",
                "get the right file, or change sha256 when the new one is meant",
            )
        graph = Graph(content, name)
        if faults := list(_misfits(network, graph)):
            raise FacemonError("\n".join([f"{name}: does not fit its description:", *faults]), _what_is_there(graph))
        networks.append(Network(network, graph))
        hashes.append(digest)
    finder = face_finder(config.faces)
    return Bundle(config, tuple(networks), finder, _fingerprint(config, hashes, finder))


def _content(network: NetworkConfig) -> bytes:
    if network.package is not None:
        return resource_bytes(network.package, network.path.as_posix())
    try:
        return network.path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise FacemonError(
            f"{network.path}: the model cannot be read: {reason}", "check path in the model section"
        ) from error


def _name(network: NetworkConfig) -> str:
    return str(network.path) if network.package is None else f"{network.package}/{network.path.as_posix()}"


def _misfits(network: NetworkConfig, graph: Graph) -> Iterator[str]:
    if [tensor.name for tensor in graph.inputs] != [network.input.name]:
        yield f"  input: {network.input.name} is described as its only input, which it is not"
    else:
        yield from _input_misfits(network.input, graph.inputs[0])
    outputs = {tensor.name: tensor for tensor in graph.outputs}
    for attribute in network.attributes:
        if fault := activation_fault(attribute):
            yield f"  {attribute.name}: {fault}"
        elif attribute.output not in outputs:
            yield f"  {attribute.name}: there is no output {attribute.output}"
        else:
            yield from _output_misfits(attribute, outputs[attribute.output])


def _input_misfits(config: InputConfig, tensor: Tensor) -> Iterator[str]:
    if tensor.type != "float":
        yield f"  input: {tensor.name} takes {tensor.type}; facemon can only feed float"
    width, height = config.size
    channels = channel_count(config)
    wanted = (channels, height, width) if config.layout == "nchw" else (height, width, channels)
    rest = tensor.shape[1:]
    if len(rest) != len(wanted) or any(
        isinstance(had, int) and had != want for had, want in zip(rest, wanted, strict=True)
    ):
        description = f"{config.layout}, {config.channels}, size {width} x {height}"
        yield f"  input: {description} makes [batch, {', '.join(map(str, wanted))}], which {tensor.name} does not take"


def _output_misfits(attribute: AttributeConfig, tensor: Tensor) -> Iterator[str]:
    if tensor.type not in _READABLE_OUTPUTS:
        yield f"  {attribute.name}: the output {tensor.name} holds {tensor.type}, not floating-point numbers"
    lengths = [length for length in tensor.shape[1:] if isinstance(length, int)]
    if len(lengths) != len(tensor.shape) - 1:
        return  # known only when the graph has run; select_columns looks again
    there = prod(lengths)
    first, end = attribute.slice or (0, there)
    if attribute.index is not None:
        first, end = attribute.index, attribute.index + 1
    if end > there:
        yield f"  {attribute.name}: {tensor.name} has {there} numbers a face, so there is no number {end - 1} (from 0)"
    elif end - first not in widths(attribute):
        wanted = " or ".join(map(str, widths(attribute)))
        why = {"categorical": "labels", "ordinal": "values"}.get(
            attribute.kind, f"({attribute.kind}, {attribute.activation})"
        )
        yield f"  {attribute.name}: {wanted} {why} are described, but {end - first} numbers a face are read"


def _what_is_there(graph: Graph) -> str:
    lines = [f"  input   {tensor}" for tensor in graph.inputs] + [f"  output  {tensor}" for tensor in graph.outputs]
    return "\n".join(["the file has", *lines])


def _fingerprint(config: ModelConfig, hashes: Sequence[str], finder: FaceFinder) -> str:
    description = {
        "preprocessing": _PREPROCESSING,
        "faces": config.faces.model_dump(mode="json", exclude=_without_effect(config.faces)),
        "finder": [hashlib.sha256(weights).hexdigest() for weights in finder.weights()],
        "networks": [
            # Where a file lies changes nothing; what is in it does.
            {"sha256": digest, **network.model_dump(mode="json", include={"input", "attributes"})}
            for digest, network in zip(hashes, config.networks, strict=True)
        ],
    }
    text = json.dumps(description, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _without_effect(faces: FacesConfig) -> set[str]:
    return {"margin"} if faces.finder == "none" else set()
