"""A model section for somebody's ONNX file: what the file says of itself, and a marked guess for what it does not."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from facemon.config.model import ATTRIBUTE_NAME, LOG_COLUMNS, RESERVED_PREFIX
from facemon.errors import FacemonError
from facemon.model.graph_labels import labels_of
from facemon.model.sessions import INPUT_TYPES, Graph, Tensor
from facemon.printable import Lines, printable

_USUAL_SIDE = 224
_PROBES = 4
_MOST_LABELS = 1000
_MOST_BINARIES = 128
_ROUNDING = 1e-3


@dataclass(frozen=True, slots=True)
class _Input:
    tensor: Tensor
    size: tuple[int, int]
    is_nchw: bool
    channels: int
    guesses: dict[str, str]


def describe_graph(graph: Graph, *, path: str, sha256: str, name: str) -> str:
    """The `model:` section of a configuration for a loaded graph, as YAML with every guess marked.

    FacemonError when the graph is none that facemon can feed: it then says what the file has.
    """
    described = _described_input(graph)
    lines = [
        "model:",
        f"  name: {json.dumps(name)}",
        '  version: "1"                    # raise it with every new training: drift is never compared across versions',
        "  faces: {finder: none}           # guess: each image is one face already; else dlib, yunet or manifest",
        "  networks:",
        f"    - path: {json.dumps(path)}",
        f"      sha256: {sha256}",
        "      input:",
        *(f"        {line}" for line in _input_lines(described)),
        "      attributes:",
    ]
    attributes = [line for output in graph.outputs for line in _attribute_lines(graph, described, output)]
    if not any(line.lstrip().startswith("- ") for line in attributes):
        raise FacemonError("no output of the model can be an attribute", _what_is_there(graph))
    lines += [f"        {line}" for line in attributes]
    lines += [
        "  card:",
        "    # licence: of the weights",
        "    # source: what the network was trained on",
        "    weaknesses: []                # where it is wrong more often; `facemon model show` tells everybody",
        "    not_for: []                   # what nobody should use it for",
    ]
    return "\n".join(lines) + "\n"


def _described_input(graph: Graph) -> _Input:
    if len(graph.inputs) != 1:
        raise FacemonError(f"the model has {len(graph.inputs)} inputs; facemon feeds one image", _what_is_there(graph))
    tensor = graph.inputs[0]
    if tensor.type not in INPUT_TYPES:
        raise FacemonError(f"the model's input takes {tensor.type}, no image", _what_is_there(graph))
    if len(tensor.shape) != 4:
        raise FacemonError(
            "the model's input is no batch of images: it needs four dimensions, such as [n, 3, height, width]",
            _what_is_there(graph),
        )
    guesses: dict[str, str] = {}
    is_nchw = tensor.shape[1] in (1, 3) or tensor.shape[3] not in (1, 3)
    channels = tensor.shape[1] if is_nchw else tensor.shape[3]
    if channels not in (1, 3):
        if isinstance(channels, int):
            raise FacemonError(
                f"the model's input has {channels} channels; facemon feeds 1 or 3", _what_is_there(graph)
            )
        guesses["layout"], channels = "the file does not say where the channels stand", 3
    height, width = tensor.shape[2:] if is_nchw else tensor.shape[1:3]
    if not isinstance(width, int) or not isinstance(height, int):
        said = _from_metadata(graph)
        guesses["size"] = "the file takes any size" if said is None else "from imgsz in the file's metadata"
        usual = said or (_USUAL_SIDE, _USUAL_SIDE)
        width = width if isinstance(width, int) else usual[0]
        height = height if isinstance(height, int) else usual[1]
    return _Input(tensor, (width, height), is_nchw, int(channels), guesses)


def _from_metadata(graph: Graph) -> tuple[int, int] | None:
    """Width and height that exporters write as `imgsz: [height, width]`."""
    numbers = [int(number) for number in re.findall(r"\d+", graph.metadata.get("imgsz", ""))]
    return (numbers[-1], numbers[0]) if 1 <= len(numbers) <= 2 and min(numbers) > 0 else None


def _input_lines(described: _Input) -> Iterator[str]:
    width, height = described.size

    def line(key: str, value: str, guess: str | None) -> str:
        return f"{key}: {value}" if guess is None else f"{f'{key}: {value}':<24} # guess: {guess}"

    yield f"name: {json.dumps(described.tensor.name)}"
    yield line("size", f"[{width}, {height}]", described.guesses.get("size"))
    yield line("layout", "nchw" if described.is_nchw else "nhwc", described.guesses.get("layout"))
    if described.channels == 1:
        yield "channels: gray"
    else:
        yield line("channels", "rgb", "bgr where the training code read its images with OpenCV")
    yield line("fit", "stretch", "crop or pad where training kept the proportions")
    yield line("resample", "bilinear", "opencv_bilinear where training resized with cv2.resize")
    if "int" in described.tensor.type:
        yield "scale: 1                 # the network takes whole numbers"
        if described.tensor.type == "int8":
            yield line("mean", "[128, 128, 128]", "from 0 to 255 to from -128 to 127")
    else:
        yield line("scale", repr(1 / 255), "then (pixel - mean) / std for each channel")
        yield line("mean", "[0, 0, 0]", "[0.485, 0.456, 0.406] is usual after ImageNet")
        yield line("std", "[1, 1, 1]", "[0.229, 0.224, 0.225] is usual after ImageNet")


def _attribute_lines(graph: Graph, described: _Input, output: Tensor) -> Iterator[str]:
    """An output's attributes, from its width, its labels and what it answers to a few random images."""
    answers = _answers(graph, described, output)
    width = answers.shape[1]
    if not np.issubdtype(answers.dtype, np.floating) or width > _MOST_LABELS or width == 0:
        yield f"# {output}: not taken for an attribute"
        return
    are_shares = bool((answers >= -_ROUNDING).all() and (answers <= 1 + _ROUNDING).all())
    add_up = are_shares and bool(np.allclose(answers.sum(axis=1), 1, atol=_ROUNDING))
    labels, name = labels_of(graph.metadata, output.name, width), _attribute_name(output.name)
    names = f"name: {name}, output: {json.dumps(output.name)}"
    if width == 1:
        activation = "none" if are_shares else "sigmoid"
        yield _guess("a binary; kind: number without labels where it is one", _activation(are_shares))
        yield f'- {{{names}, kind: binary, labels: ["no", "yes"], activation: {activation}}}'
    elif are_shares and not add_up and width <= _MOST_BINARIES:
        yield _guess("independent binaries, for the numbers lie between 0 and 1 and do not add up to 1")
        for index, each in enumerate(_distinct(labels or [f"{name}_{index}" for index in range(width)])):
            binary = f"name: {each}, output: {json.dumps(output.name)}, index: {index}"
            yield f'- {{{binary}, kind: binary, labels: ["no", "yes"], activation: none}}'
    else:
        if not labels:
            yield _guess(f"the labels' names; {width} numbers; independent binaries where each has its own index")
        yield _guess(_activation(add_up))
        shown = labels or (("no", "yes") if width == 2 else tuple(f"class{index}" for index in range(width)))
        listed = ", ".join(json.dumps(label, ensure_ascii=False) for label in shown)
        activation = "none" if add_up else "softmax"
        yield f"- {{{names}, kind: categorical, labels: [{listed}], activation: {activation}}}"


def _activation(are_shares: bool) -> str:
    if are_shares:
        return "activation none, for its answers to random images were probabilities"
    return "its answers to random images were no probabilities, so they are taken for logits"


def _guess(*reasons: str) -> str:
    return f"# guess: {'; '.join(reasons)}"


def _answers(graph: Graph, described: _Input, output: Tensor) -> NDArray[np.floating]:
    """What the output answers to a few random images: [n, numbers]."""
    width, height = described.size
    shape = (described.channels, height, width) if described.is_nchw else (height, width, described.channels)
    pixels = np.random.default_rng(0).integers(0, 256, (_PROBES, *shape))
    dtype = INPUT_TYPES[described.tensor.type]
    if np.issubdtype(dtype, np.integer):
        batch = (pixels - (128 if dtype is np.int8 else 0)).astype(dtype)
    else:
        batch = (pixels / 255).astype(dtype)
    answers = np.asarray(graph.run(described.tensor.name, batch, (output.name,))[output.name])
    return answers.reshape(len(answers), prod(answers.shape[1:]))


def _attribute_name(output: str) -> str:
    name = re.sub(r"[^A-Za-z0-9_]", "_", output) or "attribute"
    is_taken = name in LOG_COLUMNS or name.startswith(RESERVED_PREFIX)
    return name if ATTRIBUTE_NAME.fullmatch(name) and not is_taken else f"attribute_{name}"


def _distinct(labels: Sequence[str]) -> list[str]:
    names: list[str] = []
    for label in labels:
        name = _attribute_name(label)
        names.append(name if name not in names else f"{name}_{len(names)}")
    return names


def _what_is_there(graph: Graph) -> str:
    tensors = (*graph.inputs, *graph.outputs)
    return Lines("\n".join(["the file has", *(printable(f"  {tensor}") for tensor in tensors)]))
