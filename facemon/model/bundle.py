"""A bundle, loaded: its networks checked against their files, its face finder, and its fingerprint."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, prod
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from facemon.config.model import FacesConfig, ModelConfig, NetworkConfig
from facemon.config.serving import PredictConfig
from facemon.domain.array_types import Floats
from facemon.errors import FacemonError
from facemon.finders.registry import finder_of
from facemon.model.attribute_decoding import select_columns, shares_of
from facemon.model.description_faults import misfits, what_is_there
from facemon.model.faces import FaceFinder, face_finder
from facemon.model.graph import INPUT_TYPES, Graph, Numbers
from facemon.model.graph_files import GraphFile
from facemon.model.input_tensor import input_batch
from facemon.model.neighbours import needs_faces_alone
from facemon.printable import Lines, printable

Pixels = NDArray[np.uint8]
_PREPROCESSING = 3
"""Raised whenever facemon's own code changes what a network sees or how its outputs are read."""
_PIXELS_A_RUN = 8 * 112 * 112
"""Pixels that a network gets in one run: 8 faces of 112x112, 2 of 224x224. With fewer the weights are read from memory
more often, with more the layers between them leave the processor's caches (measured at sides of 64 to 224)."""
_MOST_FACES_A_RUN = 16
"""More small faces in one run gain nothing, and those of a crowd would need memory."""
_PICK_PIXELS = ("nearest", "opencv_bilinear", "opencv_cubic", "opencv_lanczos4")
"""Filters that look at single pixels, however much smaller the image becomes."""
_DEFAULTS = PredictConfig()


@dataclass(frozen=True, slots=True)
class Network:
    """One graph with the description of its input and attributes."""

    config: NetworkConfig
    graph: Graph
    sha256: str
    size: int
    """Bytes of the file."""
    faces_alone: bool
    """Whether it runs on one face at a time, since its answers depend on the others of a batch."""

    @property
    def name(self) -> str:
        """What messages call it: its path, below its package where it is a resource of one."""
        return self.graph.name

    def run(self, pixels: Sequence[Pixels]) -> Mapping[str, Floats]:
        """Each attribute's columns for at least one face; `pixels` are `input_pixels` of this network's input."""
        return self.columns(self.outputs(self.batch(pixels)))

    def batch(self, pixels: Sequence[Pixels]) -> Numbers:
        """What the graph takes for faces: see `input_batch`."""
        return input_batch(pixels, self.config.input, INPUT_TYPES[self.graph.inputs[0].type])

    def outputs(self, batch: Numbers) -> Mapping[str, Numbers]:
        """The graph's own outputs that attributes are read from, by name; their first axis is that of `batch`."""
        names = _output_names(self.config)
        return self.graph.run(self.config.input.name, batch, names, at_once=1 if self.faces_alone else None)

    def columns(self, outputs: Mapping[str, Numbers]) -> Mapping[str, Floats]:
        """Each attribute's own numbers out of the outputs; of an average its share."""
        columns = {each.name: select_columns(each, outputs[each.output]) for each in self.config.attributes}
        return columns | {
            each.name: shares_of(each, columns[each.name]) for each in self.config.attributes if each.average
        }


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model that is ready to predict."""

    config: ModelConfig
    networks: tuple[Network, ...]
    finder: FaceFinder
    decodes_fast: bool
    fingerprint: str
    """sha256 over the weights and everything that decides what they see and how they are read."""
    averaged: Mapping[str, int]
    """By the name of an attribute that is an average, over how many networks."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of how the networks run, in sentences."""
        return tuple(
            f"{network.name}: a face's answer depends on the others of its batch, as in dynamically quantised "
            "networks, so faces run one at a time"
            for network in self.networks
            if network.faces_alone
        )

    @property
    def _faces_a_run(self) -> int:
        """The most faces in one run of the networks, by the one with the largest input."""
        largest = max(prod(network.config.input.size) for network in self.networks)
        return min(_MOST_FACES_A_RUN, max(1, _PIXELS_A_RUN // largest))

    def run(self, inputs: Sequence[Sequence[Pixels]]) -> tuple[dict[str, Floats], tuple[float, ...]]:
        """Run every network on all faces: each attribute's columns, and the wall seconds of each batch.

        `inputs` holds for each network its `input_pixels` of each face; without a face both answers are empty.
        """
        parts: list[dict[str, Floats]] = []
        seconds: list[float] = []
        for some in _even_slices(len(inputs[0]), self._faces_a_run):
            begin = perf_counter()
            part: dict[str, Floats] = {}
            for network, pixels in zip(self.networks, inputs, strict=True):
                for name, columns in network.run(pixels[some]).items():
                    part[name] = part[name] + columns if name in part else columns
            for name, count in self.averaged.items():
                part[name] = part[name] / count
            seconds.append(perf_counter() - begin)
            parts.append(part)
        if len(parts) < 2:
            return parts[0] if parts else {}, tuple(seconds)
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}, tuple(seconds)


def load_bundle(config: ModelConfig, serving: PredictConfig = _DEFAULTS) -> Bundle:
    """Load a model's files and check them against its description.

    Of `serving` the execution providers and the way of decoding count. Raises FacemonError for a missing package,
    file or provider, a wrong sha256, a corrupt file, and for a description that does not fit the file; the message
    then says what the file really has.
    """
    networks, hashes = [], []
    for network in config.networks:
        file = _file(network)
        digest = file.sha256
        if network.sha256 not in (None, digest):
            raise FacemonError(
                f"{file.name}: is not the file that the configuration means: its sha256 is {digest}, not "
                f"{network.sha256}",
                "get the right file, or change sha256 when the new one is meant",
            )
        graph = file.opened(serving.providers)
        if faults := list(misfits(network, graph)):
            lines = [f"{file.name}: does not fit its description:", *faults]
            raise FacemonError(Lines("\n".join(map(printable, lines))), what_is_there(graph))
        alone = needs_faces_alone(graph, network.input, _output_names(network))
        networks.append(Network(network, graph, digest, len(file.content), alone))
        hashes.append([digest, *file.weights()])
    fast = decodes_fast(config, serving)
    aligned = any(config.faces.cut_for(network).align for network in config.networks)
    finder = face_finder(config.faces, fast=fast, aligned=aligned)
    averaged = {each.name: len(list(config.described(each.name))) for each in config.attributes if each.average}
    return Bundle(config, tuple(networks), finder, fast, _fingerprint(config, hashes, finder, fast), averaged)


def _even_slices(count: int, most: int) -> Iterator[slice]:
    """As few slices of `count` items as hold at most `most` each, which differ in length by one at the most.

    A full run and a run of the one that is left would cost more than two halves.
    """
    pieces = ceil(count / most)
    for piece in range(pieces):
        yield slice(piece * count // pieces, (piece + 1) * count // pieces)


def _output_names(network: NetworkConfig) -> tuple[str, ...]:
    """The outputs that a network's attributes are read from, each once."""
    return tuple(dict.fromkeys(attribute.output for attribute in network.attributes))


def _file(network: NetworkConfig) -> GraphFile:
    if network.package is not None:
        return GraphFile.of_package(network.package, network.path.as_posix())
    return GraphFile.read(network.path, "the model cannot be read", "check path in the model section")


def decodes_fast(model: ModelConfig, serving: PredictConfig) -> bool:
    """Whether JPEGs are decoded at a smaller scale, or searched in a smaller copy.

    Where nothing is said: not where a face finder would miss small faces, nor where a network was trained with a
    filter that picks single pixels, which are others after scaling.
    """
    if serving.decode is not None:
        return serving.decode == "fast"
    picks_pixels = any(network.input.resample in _PICK_PIXELS for network in model.networks)
    return not finder_of(model.faces).has_boxes and not picks_pixels


def _fingerprint(config: ModelConfig, hashes: Sequence[Sequence[str]], finder: FaceFinder, fast: bool) -> str:
    description = {
        "preprocessing": _PREPROCESSING,
        "decode": "fast" if fast else "exact",
        "faces": config.faces.model_dump(mode="json", exclude=_without_effect(config.faces)),
        "finder": [hashlib.sha256(weights).hexdigest() for weights in finder.weights()],
        "networks": [
            # Where a file lies changes nothing; what is in it does.
            {"sha256": digest, **network.model_dump(mode="json", include={"input", "crop", "align", "attributes"})}
            for digest, network in zip(hashes, config.networks, strict=True)
        ],
    }
    text = json.dumps(description, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _without_effect(faces: FacesConfig) -> set[str]:
    # Where the finder's weights lie changes nothing; what is in them does, and is hashed beside this. Of a finder with
    # boxes unused keys count too: they have their defaults, and fingerprints stay what they were.
    finder = finder_of(faces)
    return {"weights"} if finder.has_boxes else {"weights", *finder.without_effect}
