"""A model section for an ONNX file: what the file says of itself, and a marked guess for what it does not say."""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import count
from math import prod

import numpy as np
from numpy.typing import NDArray

from facemon.config.model import ATTRIBUTE_NAME, DERIVED_SUFFIXES, LOG_COLUMNS, RESERVED_PREFIX
from facemon.errors import FacemonError
from facemon.finders.registry import DEFAULT, FINDERS
from facemon.model.description_faults import READABLE_OUTPUTS, what_is_there, zipped_source
from facemon.model.graph import Graph, Tensor
from facemon.model.graph_input import GraphInput, input_lines
from facemon.model.graph_labels import labels_of
from facemon.near_names import either

_PROBES = 4
_MOST_LABELS = 1000
_MOST_BINARIES = 128
"""Numbers of an output without labels: more are an embedding or a map, not an attribute."""
_ROUNDING = 1e-3
_NO_ZIP_MAP = "export without ZipMap: convert_sklearn(model, …, options={id(model): {'zipmap': False}})"
_OTHERS = either(name for name in FINDERS if name != DEFAULT)
WHOLE_IMAGES = (f"faces: {{finder: {DEFAULT}}}           # guess: each image is one face already; else {_OTHERS}",)
"""The section `faces` of a model whose images are faces already."""


def describe_graph(
    graph: Graph, found: GraphInput, *, path: str, sha256: str, name: str, faces: Sequence[str] = WHOLE_IMAGES
) -> str:
    """The `model:` section of a configuration for a loaded graph and its input, as YAML with every guess marked.

    `faces` are the lines of its section `faces`. FacemonError when no output can be an attribute: it then says what
    the file has.
    """
    lines = [
        "model:",
        f"  name: {json.dumps(name)}",
        '  version: "1"                    # raise it with every new training: drift is never compared across versions',
        *(f"  {line}" for line in faces),
        "  networks:",
        f"    - path: {json.dumps(path)}",
        f"      sha256: {sha256}",
        "      input:",
        *(f"        {line}" for line in input_lines(found)),
        "      attributes:",
    ]
    taken: set[str] = set()
    attributes = [line for output in graph.outputs for line in _attribute_lines(graph, found, output, taken)]
    if not taken:
        raise _no_attribute(graph)
    lines += [f"        {line}" for line in attributes]
    lines += [
        "  card:",
        "    # licence: of the weights",
        "    # source: what the network was trained on",
        "    weaknesses: []                # where it is wrong more often; `facemon model show` prints them",
        "    not_for: []                   # what the model must not be used for",
    ]
    return "\n".join(lines) + "\n"


def _no_attribute(graph: Graph) -> FacemonError:
    others = [str(output) for output in graph.outputs if "(" in output.type]
    if not others:
        return FacemonError("no output of the model can be an attribute", what_is_there(graph))
    remedy = _NO_ZIP_MAP if any("map(" in each for each in others) else "export the network with tensors as its outputs"
    verb = "is not a tensor" if len(others) == 1 else "are not tensors"
    message = f"no output of the model can be an attribute: {', '.join(others)} {verb}"
    return FacemonError(message, what_is_there(graph, remedy))


def _attribute_lines(graph: Graph, found: GraphInput, output: Tensor, taken: set[str]) -> Iterator[str]:
    """An output's attributes, from its width, its labels and what it gives for a few random images.

    The names of the columns that they fill are added to `taken`.
    """
    if reason := _unreadable(graph, output):
        yield f"# {_escaped(str(output))}: {reason}"
        return
    try:
        answers = _answers(graph, found, output)
    except FacemonError as error:
        yield f"# {_escaped(str(output))}: not taken for an attribute: {' '.join(error.message.split())}"
        return
    width = answers.shape[1]
    labels = labels_of(graph.metadata, output.name, width) or _zipped_labels(graph, output.name, width)
    if width == 0 or width > (_MOST_LABELS if labels else _MOST_BINARIES):
        without = "" if labels else " without labels"
        yield f"# {_escaped(str(output))}: not taken for an attribute: {width} numbers a face{without}"
        return
    are_shares = bool((answers >= -_ROUNDING).all() and (answers <= 1 + _ROUNDING).all())
    add_up = are_shares and bool(np.allclose(answers.sum(axis=1), 1, atol=_ROUNDING))
    if width == 1:
        names = f"name: {_free_name(output.name, taken)}, output: {_quoted(output.name)}"
        activation = "none" if are_shares else "sigmoid"
        yield _guess("a binary; kind: number without labels where it is one", _activation(are_shares))
        yield f'- {{{names}, kind: binary, labels: ["no", "yes"], activation: {activation}}}'
    elif are_shares and not add_up and width <= _MOST_BINARIES:
        yield _guess("independent binaries, for the numbers lie between 0 and 1 and do not add up to 1")
        for index, each in enumerate(labels or [f"{output.name}_{index}" for index in range(width)]):
            binary = f"name: {_free_name(each, taken)}, output: {_quoted(output.name)}, index: {index}"
            yield f'- {{{binary}, kind: binary, labels: ["no", "yes"], activation: none}}'
    else:
        if not labels:
            yield _guess(
                f"one attribute with {width} classes, and their names; else each number is an attribute of its own, "
                "with its index: kind: binary, or kind: number as for angles and ages"
            )
        yield _guess(_activation(add_up))
        shown = labels or (("no", "yes") if width == 2 else tuple(f"class{index}" for index in range(width)))
        listed = ", ".join(map(_quoted, shown))
        names = f"name: {_free_name(output.name, taken)}, output: {_quoted(output.name)}"
        activation = "none" if add_up else "softmax"
        yield f"- {{{names}, kind: categorical, labels: [{listed}], activation: {activation}}}"


def _unreadable(graph: Graph, output: Tensor) -> str | None:
    """Why an output is not one of numbers; none where it is."""
    if source := zipped_source(graph, output.name):
        return f"a list of mappings; {source} holds its numbers"
    if "(" in output.type:
        return "not taken for an attribute: not a tensor"
    if output.type not in READABLE_OUTPUTS:
        return "not taken for an attribute: facemon reads probabilities and numbers with a fraction"
    return None


def _zipped_labels(graph: Graph, output: str, width: int) -> tuple[str, ...]:
    """The labels that a ZipMap node gives an output's numbers."""
    for each in graph.zip_maps:
        if each.source == output and len(set(each.labels)) == len(each.labels) == width and all(each.labels):
            return each.labels
    return ()


def _activation(are_shares: bool) -> str:
    if are_shares:
        return "activation none: its numbers for random images are probabilities"
    return "its numbers for random images are not probabilities, so they are taken for logits"


def _guess(*reasons: str) -> str:
    return f"# guess: {'; '.join(reasons)}"


def _quoted(text: str) -> str:
    """A text as YAML, in double quotes; its reader takes no control characters that are not escaped."""
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _escaped(text: str) -> str:
    """A text as part of a comment, in one line."""
    return _quoted(text)[1:-1] if not text.isprintable() else text


def _answers(graph: Graph, found: GraphInput, output: Tensor) -> NDArray[np.floating]:
    """What the output is for a few random images, each alone: [n, numbers]."""
    batch = found.probes(_PROBES)
    answers = np.asarray(graph.run(found.tensor.name, batch, (output.name,), at_once=1)[output.name])
    return answers.reshape(len(answers), prod(answers.shape[1:]))


def _free_name(text: str, taken: set[str]) -> str:
    """A name for an attribute whose columns no other one fills; its columns are then taken."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", text) or "attribute"
    if not ATTRIBUTE_NAME.fullmatch(name) or name in LOG_COLUMNS or name.startswith(RESERVED_PREFIX):
        name = f"attribute_{name}"
    for number in count(1):
        free = name if number == 1 else f"{name}_{number}"
        columns = {free, *(f"{free}{suffix}" for suffix in DERIVED_SUFFIXES)}
        if not columns & (taken | set(LOG_COLUMNS)):
            break
    taken |= columns
    return free
