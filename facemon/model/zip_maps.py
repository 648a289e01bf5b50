"""ZipMap nodes: how scikit-learn's exporters turn probabilities into a list of mappings, which is not a tensor.

The probabilities themselves go into such a node. facemon reads them there: the tensor becomes one more output of what
is handed to the runtime. The file and its sha256 stay as they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from facemon.model.onnx_format import Attribute, nodes, output_names, with_outputs


@dataclass(frozen=True, slots=True)
class ZipMap:
    """One node: the tensor that it reads, [n, labels], the output that it makes of it, and the labels in order."""

    source: str
    output: str
    labels: tuple[str, ...]


def zip_maps(content: bytes) -> tuple[ZipMap, ...]:
    """The ZipMap nodes of an ONNX file's main graph; none where the bytes are not an ONNX file."""
    if b"ZipMap" not in content:  # reading each node of a large file takes longer
        return ()
    try:
        return tuple(_zip_maps(content))
    except (IndexError, ValueError):
        return ()


def with_sources(content: bytes, found: Sequence[ZipMap]) -> bytes:
    """An ONNX file's bytes with the sources of ZipMap nodes among the graph's outputs, after those that it has."""
    outputs = set(output_names(content)) if found else set()
    return with_outputs(content, [name for name in dict.fromkeys(each.source for each in found) if name not in outputs])


def _zip_maps(content: bytes) -> Iterator[ZipMap]:
    for node in nodes(content, "ZipMap"):
        (source, *_), (output, *_) = node.inputs(), node.outputs()
        labels = [label for each in node.attributes() for label in _labels(each)]
        yield ZipMap(source, output, tuple(labels))


def _labels(attribute: Attribute) -> Iterator[str]:
    if attribute.name == "classlabels_strings":
        yield from attribute.texts()
    elif attribute.name == "classlabels_int64s":
        yield from map(str, attribute.integers())
